"""Rows are fetched here: arrays, frames and files all become one `Source`, whose `table` gives checked columns."""

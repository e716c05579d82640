"""The commands, read one by one when they are used."""

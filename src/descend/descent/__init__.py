"""The cost is walked down here: one loop, methods that know nothing of data, and a verdict at the end."""

"""The losses: what one row's error costs.  A file each, and a registry."""

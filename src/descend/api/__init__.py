"""The doors of the library, a file a verb."""

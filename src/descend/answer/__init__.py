"""A run ends here in an answer: a result in words, numbers and files."""

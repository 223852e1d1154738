"""A program to its canonical text."""

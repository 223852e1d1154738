"""Graphs of layers to programs in the language."""

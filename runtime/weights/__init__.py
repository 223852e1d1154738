"""Weights by name: first values, files that hold them, and those of other networks."""

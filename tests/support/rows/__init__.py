"""Rows of the layer table, a file per family of layers."""

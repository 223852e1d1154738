"""Rewrites from graph to graph, one per file."""

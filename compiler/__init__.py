"""Syntax tree to graph, graph to better graph, graph to artefacts."""

"""Engines: what computes a graph, on NumPy or onnxruntime, and what is checked before."""

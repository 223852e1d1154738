"""Graph and weights -> ONNX models."""

from .export import Export, export, write

__all__ = ["Export", "export", "write"]

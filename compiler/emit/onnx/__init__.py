"""Graph and weights -> ONNX models."""

from .export import Export, export, settle, write

__all__ = ["Export", "export", "settle", "write"]

"""Graph and weights -> ONNX models."""

from .export import Export, export, write
from .half import Half, RoundedState

__all__ = ["Export", "Half", "RoundedState", "export", "write"]

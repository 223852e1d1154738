"""Syntax tree to graph: unrolls repetitions, opens scopes, binds names, calls layers."""

from . import branches, references, repetition  # noqa: F401  (fill the table of items)
from .statements import MAX_LAYERS, Library, Lowered, NotLowered, lower

__all__ = ["MAX_LAYERS", "Library", "Lowered", "NotLowered", "lower"]

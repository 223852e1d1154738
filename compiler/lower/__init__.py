"""Syntax tree to graph: unrolls repetitions, opens scopes, binds names, calls layers."""

from .statements import MAX_LAYERS, Lowered, lower

__all__ = ["MAX_LAYERS", "Lowered", "lower"]

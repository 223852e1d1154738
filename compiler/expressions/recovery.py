"""Going on past an error: what was not computed is poisoned, and what follows is not reported."""

from ..ir.graph import Value
from ..ir.types import DType, TensorType

POISON = Value(-1, 0, TensorType(DType.FLOAT32, ()))
"""Stands for a tensor or a compile-time value whose computation failed and was reported."""


class Poisoned(Exception):
    """An expression reads a poisoned value: the cause was reported already."""


class GiveUp(Exception):
    """There are errors enough, or one that prevents continuing."""


def poisoned(tensors: tuple[Value, ...]) -> bool:
    """Whether any of some tensors was not computed."""
    return POISON in tensors

"""Operators of a model -> the layers that a program would call for them."""

from . import (
    activations,
    attention,
    convolutions,
    dense,
    local,
    merging,
    normalizations,
    pooling,
    recurrent,
    rotations,
    shaping,
    tables,
    windows,
)

__all__ = [
    "activations",
    "attention",
    "convolutions",
    "dense",
    "local",
    "merging",
    "normalizations",
    "pooling",
    "recurrent",
    "rotations",
    "shaping",
    "tables",
    "windows",
]

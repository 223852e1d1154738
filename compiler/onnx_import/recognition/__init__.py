"""Operators of a model -> the layers that a program would call for them."""

from . import (  # noqa: F401  (each enters its rows)
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

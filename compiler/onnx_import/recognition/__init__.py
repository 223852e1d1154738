"""Operators of a model -> the layers that a program would call for them."""

from . import activations, convolutions, dense, merging, normalizations, pooling, shaping

__all__ = [
    "activations",
    "convolutions",
    "dense",
    "merging",
    "normalizations",
    "pooling",
    "shaping",
]

"""The instruction set: what each operator means at compile time, a file per family.

Importing this package fills the op table.
"""

from . import (
    activation,
    arithmetic,
    bitwise,
    control_flow,
    convolution,
    counting,
    dropout,
    einsum,
    functions,
    indexing,
    linear,
    logic,
    max_pool_gradient,
    normalization,
    pooling,
    recurrence,
    reduction,
    resampling,
    scattering,
    shaping,
    softmax,
    weight_gradient,
)

__all__ = [
    "activation",
    "arithmetic",
    "bitwise",
    "control_flow",
    "convolution",
    "counting",
    "dropout",
    "einsum",
    "functions",
    "indexing",
    "linear",
    "logic",
    "max_pool_gradient",
    "normalization",
    "pooling",
    "recurrence",
    "reduction",
    "resampling",
    "scattering",
    "shaping",
    "softmax",
    "weight_gradient",
]

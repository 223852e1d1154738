"""What the language's layers mean, in operators, a file per family.

Importing this package fills the table of layers.
"""

from . import (
    activation,
    adaptive_pooling,
    attention,
    convolution,
    cutting,
    dense,
    dropout,
    embedding,
    local,
    mathematics,
    merge,
    normalization,
    pooling,
    resampling,
    shaping,
    source,
    transposed_convolution,
    unpooling,
    window_partition,
)

__all__ = [
    "activation",
    "adaptive_pooling",
    "attention",
    "convolution",
    "cutting",
    "dense",
    "dropout",
    "embedding",
    "local",
    "mathematics",
    "merge",
    "normalization",
    "pooling",
    "resampling",
    "shaping",
    "source",
    "transposed_convolution",
    "unpooling",
    "window_partition",
]

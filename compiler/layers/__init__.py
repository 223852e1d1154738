"""What the language's layers mean, in operators, a file per family.

Importing this package fills the table of layers.
"""

from . import (
    activation,
    adaptive_pooling,
    attention,
    convolution,
    dense,
    dropout,
    embedding,
    local,
    mathematics,
    merge,
    normalization,
    padding,
    pooling,
    recurrent,
    resampling,
    shaping,
    slicing,
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
    "dense",
    "dropout",
    "embedding",
    "local",
    "mathematics",
    "merge",
    "normalization",
    "padding",
    "pooling",
    "recurrent",
    "resampling",
    "shaping",
    "slicing",
    "source",
    "transposed_convolution",
    "unpooling",
    "window_partition",
]

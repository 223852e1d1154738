"""What the language's layers mean, in operators, a file per family.

Importing this package fills the table of layers.
"""

from . import (  # noqa: F401  (each enters its rows)
    activation,
    adaptive_pooling,
    attention,
    constants,
    convolution,
    dense,
    dropout,
    embedding,
    local,
    mathematics,
    merge,
    noise,
    normalization,
    padding,
    pooling,
    positions,
    recurrent,
    resampling,
    scan,
    shaping,
    slicing,
    source,
    transposed_convolution,
    unpooling,
    window_partition,
)

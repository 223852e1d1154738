"""Sequences (N, L, C) as layers take them."""

from ..ir.graph import Value
from ..ir.types import product
from .layer_builder import LayerBuilder
from .spatial import describe


def sequence(build: LayerBuilder, x: Value) -> Value:
    """`x`, which must be a sequence of features (N, L, C).

    Raises:
        NetError: It is something else.
    """
    if x.type.rank == 3 and x.dtype.is_float:
        return x
    help = None
    length, channels = product(x.shape[2:]), x.shape[1] if x.type.rank > 3 else None
    if channels == 1 and x.type.rank == 4 and isinstance(length, int):
        size = "x".join(map(str, x.shape[2:]))
        help = f"`INPUT({size}, sequence)` is a sequence, and `RESHAPE({size})` makes one of rows"
    elif isinstance(length, int) and isinstance(channels, int):
        help = f"`RESHAPE({length}x{channels})` makes a sequence of its positions"
    raise build.fail("E201", f"needs a sequence, but its input is {describe(x)}", help=help)

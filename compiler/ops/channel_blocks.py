"""onnxruntime's convolutions of blocked channels: their rows, and how weights lie for them.

Images (N, C, H, W) lie in memory as (N, C / b, H, W, b), so that a vector register holds b channels
and nothing is gathered. onnxruntime lays models out like this by itself, where weights are
constants. Its operators for it are in a domain of its own, and work on weights that change, too.
"""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.signature import OpCall
from ..ir.types import TensorType
from .convolution import CONVOLUTION_ATTRIBUTES, conv_cost, infer_conv
from .opdef import OpDef, free
from .receptive_field import everything, window

DOMAIN = "com.microsoft.nchwc"


def infer_same(call: OpCall) -> Sequence[TensorType]:
    """x (N, C, H, W) => the same numbers, in another order in memory."""
    return (call.type(0),)


BLOCKED_CONV = OpDef(
    f"{DOMAIN}.Conv",
    1,
    domain=DOMAIN,
    infer=infer_conv,
    cost=conv_cost,
    sees=window,
    attributes={**CONVOLUTION_ATTRIBUTES, "activation": None},
)
TO_BLOCKS = OpDef(
    f"{DOMAIN}.ReorderInput", 1, domain=DOMAIN, infer=infer_same, cost=free, sees=everything
)
FROM_BLOCKS = OpDef(
    f"{DOMAIN}.ReorderOutput",
    1,
    domain=DOMAIN,
    infer=infer_same,
    cost=free,
    sees=everything,
    attributes={"channels": None},
)


def laid_out(build: Builder, w: Value, block: int, *, blocks_seen: bool) -> Value:
    """w (M, C, *K) as (M / b, C / b, *K, b, b), or (M / b, C, *K, b) where C is not blocked.

    `ReorderInput` is the fastest way to move M behind the taps, and moves 4 times as much in a
    given time as a transposition of all axes.
    """
    filters, channels, *kernel = _integers(w)
    taps = kernel[0] * kernel[1]
    rows = shaped(build, w, (1, filters, channels, taps))
    (found,) = build.op(TO_BLOCKS, (rows,))
    if blocks_seen:
        split = (filters // block, channels // block, block, taps, block)
        found = build.Transpose(shaped(build, found, split), perm=(0, 1, 3, 2, 4))
    return shaped(build, found, (filters, channels, *kernel))


def laid_out_turned(build: Builder, w: Value, block: int, *, blocks_seen: bool) -> Value:
    """w (M, C, *K) of a convolution as `laid_out` lays the flipped (C, M, *K) of its gradient."""
    filters, channels, *kernel = _integers(w)
    taps = kernel[0] * kernel[1]
    last = build.index_constant(tuple(reversed(range(taps))))
    if channels == 1:  # depthwise
        laid = laid_out(build, w, block, blocks_seen=False)
        lines = shaped(build, laid, (filters // block, taps, block))
        return shaped(build, build.Gather(lines, last, axis=1), (filters, 1, *kernel))
    (found,) = build.op(TO_BLOCKS, (w,))
    if blocks_seen:
        rows = (filters // block, block, channels // block, taps, block)
        found = build.Transpose(shaped(build, found, rows), perm=(2, 0, 3, 1, 4))
    else:
        found = shaped(build, found, (filters, channels // block, taps, block))
        found = build.Transpose(found, perm=(1, 0, 2, 3))
    return shaped(build, build.Gather(found, last, axis=2), (channels, filters, *kernel))


def shaped(build: Builder, x: Value, shape: Sequence[int]) -> Value:
    """x with other extents."""
    return build.Reshape(x, build.index_constant(tuple(shape)))


def _integers(x: Value) -> tuple[int, ...]:
    return tuple(extent for extent in x.shape if isinstance(extent, int))

"""The gradient of a convolution with respect to its weight: products with what windows see."""

from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.windows import Window, window_of
from ..kerneldef import Array, kernel
from .batch_innermost import channel_shares, weight_gradient, within_groups
from .columns import Block, blocks_of, columns_of
from .products import correlate
from .slabs import axes_of, is_batch_innermost
from .workers import of_product, spread

# From this length on a separate product of one sample pays; measured.
LONG_PRODUCT = 128


@kernel("netc.ConvWeightGrad", out=True, spreads=True)
def conv_weight_grad(
    x: Array, dy: Array, *, group: int, out: Array | None = None, **attributes: Any
) -> Array:
    """X (N, C, *S), dy (N, M, *O) => dw (M, C / group, *K)."""
    window = window_of(attributes)
    channels = x.shape[1] // group
    dw = np.empty((dy.shape[1], channels, *window.kernel), x.dtype) if out is None else out
    if not x.size or not dy.size:
        dw[...] = 0
    elif is_batch_innermost(dy):
        weight_gradient(x, dy, dw, axes_of(window, dy.shape[2:]), group)
    elif _is_pointwise(window, x, dy):
        left, right = (a.reshape(len(a), group, a.shape[1] // group, -1) for a in (dy, x))
        correlate(left, right, dw.reshape(group, -1, channels), fresh=True)
    else:
        _by_columns(x, dy, dw, window, group)
    return dw


def _is_pointwise(window: Window, x: Array, dy: Array) -> bool:
    """Whether samples are matrices as they lie in memory, and long enough to be taken alone."""
    alone = set(window.kernel) == {1} and not any(window.pads)
    return alone and x.shape[2:] == dy.shape[2:] and prod(x.shape[2:]) >= LONG_PRODUCT


def _by_columns(x: Array, dy: Array, dw: Array, window: Window, group: int) -> None:
    """Products of gradients with copies of what their windows see, a block of windows at a time."""
    total = dw.reshape(group, dy.shape[1] // group, -1)
    parts = channel_shares(group, total.shape[1])

    def add(block: Block, *, fresh: bool) -> None:
        seen = columns_of(x, window, block).reshape(group, total.shape[2], -1)
        given = dy[block.samples, :, block.rows].swapaxes(0, 1).reshape(*total.shape[:2], -1)

        def take(part: slice) -> None:
            groups, some = within_groups(part, group, total.shape[1])
            left, right = given[groups, some], seen[groups]
            correlate(left[None], right[None], total[groups, some], fresh=fresh)

        spread(take, parts, of_product(given.size * total.shape[2]))

    for number, block in enumerate(blocks_of(len(x), dy.shape[2:])):
        add(block, fresh=not number)

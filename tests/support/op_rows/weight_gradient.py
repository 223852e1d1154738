"""The gradient of a convolution with respect to its weight."""

from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.op_rows import convolution, transposed_convolution
from support.ops import OpRow, Random, node_of, op_row
from support.windows import windows


def weight_gradient(x: Array, dy: Array, *, group: int = 1, **attributes: Any) -> Array:
    """Every output position adds what its window sees times its gradient, one after another."""
    kernel = attributes.pop("kernel_shape")
    _, positions = windows(x.shape[2:], kernel, **attributes)
    inputs, filters = x.shape[1] // group, dy.shape[1] // group
    dw = np.zeros((dy.shape[1], inputs, *kernel))
    for position, taps in positions:
        if any(p >= extent for p, extent in zip(position, dy.shape[2:], strict=True)):
            continue
        for tap, place, inside in taps:
            for g in range(group * inside):
                data: Any = (slice(None), slice(g * inputs, (g + 1) * inputs), *place)
                part = slice(g * filters, (g + 1) * filters)
                there: Any = (part, slice(None), *tap)
                given: Any = (slice(None), part, *position)
                dw[there] += dy[given].T @ x[data]
    return dw


def row_of(forward: OpRow) -> OpRow:
    """The row for a convolution's weight, given one of the convolution."""
    x, transposed = forward.arguments[0], forward.op_type == "ConvTranspose"
    assert isinstance(x, Random)
    extents = node_of(forward).outputs[0].shape[1:]
    dy = Random((None, *(int(str(extent)) for extent in extents)))
    seen, gradient = (dy, x) if transposed else (x, dy)
    attributes = {k: v for k, v in forward.attributes.items() if k != "output_padding"}
    return op_row(
        "netc.ConvWeightGrad",
        seen,
        gradient,
        formula=weight_gradient,
        no_engine="an operator of our own",
        **attributes,
    )


ROWS = [row_of(row) for row in (*convolution.ROWS, *transposed_convolution.ROWS)]

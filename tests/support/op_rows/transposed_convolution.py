"""Transposed convolutions."""

from itertools import product
from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Random, op_row

LINE, IMAGE, VOLUME = Random((None, 4, 6)), Random((None, 4, 5, 3)), Random((None, 2, 3, 4, 2))


def transposed(x: Array, w: Array, b: Array | None = None, **attributes: Any) -> Array:
    """Every input element adds its multiple of the kernel to the output, one after another."""
    rank = x.ndim - 2
    kernel, group = w.shape[2:], attributes.get("group", 1)
    strides = attributes.get("strides", (1,) * rank)
    dilations = attributes.get("dilations", (1,) * rank)
    pads = attributes.get("pads", (0,) * (2 * rank))
    extra = attributes.get("output_padding", (0,) * rank)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    full = [(n - 1) * s + r for n, s, r in zip(x.shape[2:], strides, reach, strict=True)]
    ends = [f - pads[rank + i] + extra[i] for i, f in enumerate(full)]
    filters = w.shape[1]
    y = np.zeros((len(x), filters * group, *map(max, full, ends)))
    for place in product(*map(range, x.shape[2:])):
        for tap in product(*map(range, kernel)):
            at = tuple(
                i * s + k * d for i, s, k, d in zip(place, strides, tap, dilations, strict=True)
            )
            for g in range(group):
                channels = slice(g * len(w) // group, (g + 1) * len(w) // group)
                seen: Any = (slice(None), channels, *place)
                weight: Any = (channels, slice(None), *tap)
                there: Any = (slice(None), slice(g * filters, (g + 1) * filters), *at)
                y[there] += x[seen] @ w[weight]
    kept: Any = (..., *(slice(pads[i], end) for i, end in enumerate(ends)))
    return np.asarray(y[kept] + (0.0 if b is None else b.reshape(-1, *(1,) * rank)))


# input, weight (C, M / group, *K), whether there is a bias, attributes
SETTINGS: list[tuple[Random, tuple[int, ...], bool, dict[str, Any]]] = [
    (LINE, (4, 3, 3), True, {}),
    (LINE, (4, 3, 4), False, {"strides": (2,), "pads": (1, 1)}),
    (LINE, (4, 3, 2), True, {"strides": (3,), "output_padding": (2,)}),
    (LINE, (4, 3, 2), True, {"group": 2, "strides": (2,), "dilations": (3,), "pads": (0, 2)}),
    (IMAGE, (4, 3, 2, 2), True, {"strides": (2, 2)}),
    (IMAGE, (4, 3, 2, 2), False, {"strides": (3, 4)}),  # leaves gaps of zeros
    (IMAGE, (4, 3, 4, 4), True, {"strides": (2, 2), "pads": (1, 1, 1, 1)}),
    (
        IMAGE,
        (4, 3, 3, 3),
        True,
        {"strides": (2, 2), "pads": (1, 1, 1, 1), "output_padding": (1, 1)},
    ),
    (IMAGE, (4, 3, 3, 2), False, {"strides": (1, 2), "pads": (0, 1, 2, 0), "dilations": (2, 1)}),
    (IMAGE, (4, 2, 3, 3), True, {"group": 2, "pads": (1, 1, 1, 1)}),
    (IMAGE, (4, 1, 3, 3), True, {"group": 4, "strides": (2, 2)}),
    (IMAGE, (4, 5, 1, 1), True, {"strides": (2, 1), "output_padding": (1, 0)}),
    (IMAGE, (4, 2, 2, 2), True, {"pads": (2, 1, 2, 1)}),  # crops whole taps away
    (Random((None, 3, 1, 1)), (3, 5, 4, 4), False, {}),
    (VOLUME, (2, 3, 2, 2, 2), True, {"strides": (2, 2, 2)}),
    (VOLUME, (2, 2, 3, 1, 2), True, {"group": 2, "strides": (2, 1, 3), "pads": (1, 0, 0, 1, 0, 1)}),
]

ROWS = [
    op_row(
        "ConvTranspose",
        x,
        Random(w),
        *([Random((w[1] * attributes.get("group", 1),))] if bias else []),
        formula=transposed,
        kernel_shape=w[2:],
        **attributes,
    )
    for x, w, bias, attributes in SETTINGS
]

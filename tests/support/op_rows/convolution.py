"""Convolutions."""

from typing import Any

from support.ops import Random, op_row
from support.windows import convolution

LINE, IMAGE, VOLUME = Random((None, 4, 11)), Random((None, 4, 9, 7)), Random((None, 2, 5, 6, 4))

# input, weight, whether there is a bias, attributes
SETTINGS: list[tuple[Random, tuple[int, ...], bool, dict[str, Any]]] = [
    (LINE, (6, 4, 3), True, {}),
    (LINE, (6, 4, 3), False, {"pads": (2, 0), "strides": (2,)}),
    (LINE, (6, 2, 3), True, {"group": 2, "dilations": (4,), "pads": (3, 4)}),
    (IMAGE, (5, 4, 3, 3), True, {"pads": (1, 1, 1, 1)}),
    (IMAGE, (5, 4, 3, 3), True, {"pads": (1, 1, 1, 1), "strides": (2, 2)}),
    (IMAGE, (5, 4, 2, 3), False, {"pads": (0, 1, 1, 2)}),
    (IMAGE, (5, 4, 3, 2), True, {"dilations": (2, 3), "pads": (2, 0, 3, 1), "strides": (1, 2)}),
    (IMAGE, (5, 4, 2, 2), True, {"strides": (3, 4)}),  # leaves rows and columns unseen
    (IMAGE, (5, 4, 9, 7), True, {}),
    (IMAGE, (5, 4, 1, 1), True, {}),
    (IMAGE, (5, 4, 1, 1), False, {"strides": (2, 2)}),
    (IMAGE, (5, 4, 1, 1), True, {"pads": (1, 0, 0, 2)}),
    (IMAGE, (6, 2, 1, 1), True, {"group": 2}),
    (IMAGE, (6, 2, 3, 3), True, {"group": 2, "pads": (1, 1, 1, 1)}),
    (IMAGE, (4, 1, 3, 3), True, {"group": 4, "pads": (1, 1, 1, 1)}),
    (IMAGE, (4, 1, 3, 3), False, {"group": 4, "strides": (2, 2), "pads": (0, 1, 1, 0)}),
    (IMAGE, (12, 1, 3, 2), True, {"group": 4, "dilations": (2, 1)}),
    (IMAGE, (8, 1, 1, 1), True, {"group": 4}),
    (Random((None, 1, 5, 5)), (3, 1, 3, 3), True, {}),
    (VOLUME, (3, 2, 2, 3, 2), True, {}),
    (VOLUME, (4, 1, 3, 3, 3), True, {"group": 2, "pads": (1, 0, 1, 0, 1, 1)}),
    (VOLUME, (3, 2, 2, 2, 2), False, {"strides": (2, 1, 2), "dilations": (1, 2, 1)}),
]

ROWS = [
    op_row(
        "Conv",
        x,
        Random(w),
        *([Random(w[:1])] if bias else []),
        formula=convolution,
        kernel_shape=w[2:],
        **attributes,
    )
    for x, w, bias, attributes in SETTINGS
]

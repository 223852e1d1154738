"""Windows whose kernels' extents and pads the types of their arguments determine."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from netc.runtime.kerneldef import Array
from support.op_rows.transposed_convolution import transposed
from support.ops import Random, op_row
from support.windows import max_pool

LINE, IMAGE = Random((None, 4, 11)), Random((None, 4, 8, 7))
SMALL, FILTERS = Random((None, 4, 3, 5)), Random((4, 2, 3, 2))


def lower(x: Array, auto_pad: str, **attributes: Any) -> Array:
    """MaxPool with as many pads before as make 4 x 3 windows fit, where onnx's reference errs."""
    return max_pool(x, pads=(1, 1, 0, 0), **attributes)


def given(
    pads: tuple[int, ...], extra: tuple[int, ...], x: Array, w: Array, **wanted: Any
) -> Array:
    """ConvTranspose with pads in numbers."""
    geometry = {"kernel_shape": (3, 2), "strides": wanted["strides"], "pads": pads}
    return transposed(x, w, **geometry, output_padding=extra)


SHAPES: Mapping[str, tuple[dict[str, Any], Any]] = {
    "smaller": ({"output_shape": (6, 9)}, partial(given, (1, 1, 0, 0), (0, 0))),
    "larger": (
        {"output_shape": (8, 11), "auto_pad": "SAME_UPPER"},
        partial(given, (0, 0, 0, 0), (1, 1)),
    ),
    "upper": ({"auto_pad": "SAME_UPPER"}, partial(given, (0, 0, 1, 0), (0, 0))),
    "lower": ({"auto_pad": "SAME_LOWER"}, partial(given, (1, 0, 0, 0), (0, 0))),
}

ROWS = [
    *(
        op_row("Conv", x, Random(w), auto_pad=auto, strides=strides)
        for x, w, strides in ((LINE, (6, 4, 3), (2,)), (IMAGE, (5, 4, 3, 2), (2, 3)))
        for auto in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    *(
        op_row(
            *(op_type, IMAGE),
            kernel_shape=(3, 2),
            strides=(2, 3),
            auto_pad=auto,
            formula=lower if (op_type, auto) == ("MaxPool", "SAME_LOWER") else None,
        )
        for op_type in ("AveragePool", "LpPool", "MaxPool")
        for auto in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    *(
        op_row("ConvTranspose", SMALL, FILTERS, strides=(2, 2), formula=formula, **wanted)
        for wanted, formula in SHAPES.values()
    ),
]

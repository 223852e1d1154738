"""The gradient of a max-pool."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.op_rows.pooling import DROPPED, IMAGE, SETTINGS
from support.ops import Known, OpRow, Random, node_of, op_row
from support.windows import max_pool, max_pool_with_places


@dataclass(frozen=True)
class Maxima(Random):
    """The maxima of the first argument of the same row."""

    attributes: Any = None

    def values(self, batch: int, seed: int) -> Array:
        """Its values for a batch."""
        x = self.attributes["x"].values(batch, 0)
        geometry = {key: value for key, value in self.attributes.items() if key != "x"}
        return np.asarray(max_pool(x, **geometry)).astype(self.dtype)


def max_pool_gradient(x: Array, y: Array, dy: Array, **attributes: Any) -> Array:
    """Window by window."""
    dx = np.zeros(x.shape)
    _, places = max_pool_with_places(x, **attributes)
    np.add.at(dx.reshape(-1), places.reshape(-1), dy.reshape(-1))
    return dx


def row_of(x: Random, kernel: tuple[int, ...], attributes: dict[str, Any]) -> OpRow:
    """A row with random numbers and their maxima."""
    geometry = {"kernel_shape": kernel, **attributes}
    extents = node_of(op_row("MaxPool", x, **geometry)).outputs[0].shape[1:]
    shape = (None, *(int(str(extent)) for extent in extents))
    return op_row(
        "netc.MaxPoolGrad",
        x,
        Maxima(shape, attributes={"x": x, **geometry}),
        Random(shape),
        formula=max_pool_gradient,
        no_engine="an operator of our own",
        no_gradient="nothing goes to x or y, which only say where the maxima are",
        **geometry,
    )


# Whole numbers, with ties; the gradient with respect to dy alone is compared with differences.
TIED = (((((1.0, 2.0, 2.0, 0.0), (2.0, 1.0, 0.0, 2.0), (0.0, 0.0, 2.0, 2.0)),)),)
TIED_SETTINGS: tuple[dict[str, Any], ...] = (
    {"kernel_shape": (2, 2), "strides": (1, 2)},
    {"kernel_shape": (2, 2), "strides": (2, 2), "ceil_mode": 1},
    {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)},
    {"kernel_shape": (2, 2), "dilations": (1, 2), "strides": (2, 1)},
)


def tied_row(geometry: dict[str, Any]) -> OpRow:
    """A row with equal maxima."""
    maxima = max_pool(np.array(TIED), **geometry)
    return op_row(
        "netc.MaxPoolGrad",
        Known(TIED, "float32"),
        Known(_nested(maxima), "float32"),
        Random(maxima.shape),
        formula=max_pool_gradient,
        no_engine="an operator of our own",
        **geometry,
    )


def _nested(numbers: Any) -> Any:
    return tuple(map(_nested, numbers)) if isinstance(numbers, np.ndarray) else float(numbers)


ROWS = [
    *(row_of(*setting) for setting in SETTINGS + DROPPED),
    row_of(IMAGE, (2, 2), {"strides": (3, 3)}),  # leaves gaps of zeros
    *map(tied_row, TIED_SETTINGS),
]

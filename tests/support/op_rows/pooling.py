"""Pools."""

from collections.abc import Callable
from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row
from support.windows import average_pool, max_pool, max_pool_with_places

LINE, IMAGE, VOLUME = Random((None, 3, 11)), Random((None, 3, 9, 7)), Random((None, 2, 5, 6, 4))
NEGATIVE = Random((None, 2, 5, 5), -9.0, -1.0)

# input, kernel, attributes
SETTINGS: list[tuple[Random, tuple[int, ...], dict[str, Any]]] = [
    (LINE, (2,), {"strides": (2,)}),
    (LINE, (3,), {"pads": (2, 0), "strides": (2,)}),
    (IMAGE, (2, 2), {"strides": (2, 2)}),  # leaves a row and a column unseen
    (IMAGE, (2, 2), {"strides": (2, 2), "ceil_mode": 1}),
    (IMAGE, (3, 3), {"strides": (2, 2), "pads": (1, 1, 1, 1)}),
    (IMAGE, (3, 3), {"pads": (1, 1, 1, 1)}),
    (IMAGE, (3, 2), {"strides": (1, 3), "pads": (0, 1, 2, 0)}),
    (IMAGE, (9, 7), {}),
    (IMAGE, (1, 1), {"strides": (2, 3)}),
    (IMAGE, (2, 3), {"dilations": (3, 2), "pads": (1, 1, 0, 1)}),
    (IMAGE, (3, 3), {"strides": (2, 2), "dilations": (2, 2), "ceil_mode": 1}),
    (VOLUME, (2, 3, 2), {"strides": (2, 1, 2), "pads": (0, 1, 1, 1, 1, 0)}),
    (VOLUME, (2, 2, 2), {"strides": (2, 2, 3), "ceil_mode": 1}),
    (NEGATIVE, (3, 3), {"strides": (2, 2), "pads": (1, 1, 1, 1)}),
    (NEGATIVE, (3, 3), {"strides": (2, 2), "pads": (2, 1, 2, 1), "ceil_mode": 1}),
]
# A window that would start in the padding behind the data, and is dropped.
DROPPED: list[tuple[Random, tuple[int, ...], dict[str, Any]]] = [
    (IMAGE, (2, 2), {"strides": (3, 3), "pads": (1, 1, 1, 1), "ceil_mode": 1}),
    (LINE, (2,), {"strides": (6,), "pads": (1, 1), "ceil_mode": 1}),
]
# Whose padding the formula of LpPool can put around the input.
PLAIN = [row for row in SETTINGS if not row[2].keys() & {"ceil_mode", "dilations"}]
POSITIVE = Random((None, 2, 9, 7), 0.0, 1.0)

WEIGHTED: list[tuple[Random | Given, tuple[int, ...], dict[str, Any]]] = [
    (POSITIVE, (3, 2), {"strides": (2, 3), "pads": (0, 1, 2, 0)}),
    (POSITIVE, (2, 2), {"strides": (2, 2), "ceil_mode": 1}),
    (Given([[[0.0, 0.0, 3.0, 0.0, 1.0, 4.0]]]), (2,), {"strides": (2,)}),
]


def lp_pool(x: Array, *, p: int = 2, **attributes: Any) -> Array:
    """From the mean of powers with padding as zeros: K mean |x|^p = sum |x|^p."""
    taps = float(np.prod(attributes["kernel_shape"]))
    pads = attributes.pop("pads", (0,) * 2 * (x.ndim - 2))
    sides = [(0, 0), (0, 0), *zip(pads[: x.ndim - 2], pads[x.ndim - 2 :], strict=True)]
    means: Array = average_pool(np.abs(np.pad(x, sides)) ** p, count_include_pad=1, **attributes)
    result: Array = (means * taps) ** (1 / p)
    return result


def stochastic_pool(x: Array, **attributes: Any) -> Array:
    """The mean weighted by the probabilities x / sum x (Zeiler and Fergus 2013, equation 6)."""
    squares: Array = average_pool(x * x, count_include_pad=0, **attributes)
    values: Array = average_pool(x, count_include_pad=0, **attributes)
    return np.where(values == 0, 0, squares / np.where(values == 0, 1, values))


def over_all(reduce: Callable[..., Array]) -> Callable[[Array], Array]:
    """A reduction of all positions; ONNX's reference is wrong beyond images."""
    return lambda x: reduce(x, axis=tuple(range(2, x.ndim)), keepdims=True)


def max_unpool(x: Array, indices: Array, shape: Array | None = None, **attributes: Any) -> Array:
    """Element by element."""
    fitting = [2 * extent for extent in x.shape[2:]]
    y: Array = np.zeros((*x.shape[:2], *fitting) if shape is None else tuple(shape))
    for place, index in np.ndenumerate(indices):
        y.flat[index] = x[place]
    return y


TIES = Given([[[[1, 2, 2, 0], [2, 1, 0, 2], [0, 0, 2, 2], [0, 0, 2, 1]]]])

ROWS = [
    *(
        op_row("MaxPool", x, formula=max_pool, kernel_shape=kernel, **attributes)
        for x, kernel, attributes in SETTINGS + DROPPED
    ),
    *(
        op_row(
            "MaxPool",
            x,
            outputs=2,
            formula=max_pool_with_places,
            kernel_shape=kernel,
            **attributes,
        )
        for x, kernel, attributes in SETTINGS + DROPPED
    ),
    *(
        op_row(
            "AveragePool",
            x,
            formula=average_pool,
            kernel_shape=kernel,
            count_include_pad=counted,
            # Before, padding behind the rows is not always counted.
            engine_from="1.25" if counted else "",
            **attributes,
        )
        for x, kernel, attributes in SETTINGS + DROPPED
        for counted in (0, 1)
    ),
    *(
        op_row(
            "MaxPool",
            TIES,
            outputs=2,
            formula=max_pool_with_places,
            no_gradient="equal maxima",
            kernel_shape=(3, 3),
            storage_order=order,
        )
        for order in (0, 1)
    ),
    op_row(
        "MaxPool",
        VOLUME,
        outputs=2,
        formula=max_pool_with_places,
        kernel_shape=(2, 2, 2),
        storage_order=1,
    ),
    *(
        op_row("LpPool", x, formula=lp_pool, kernel_shape=kernel, p=p, **attributes)
        for x, kernel, attributes in PLAIN
        for p in (1, 2, 3)
    ),
    *(
        op_row(
            "netc.StochasticPool",
            x,
            formula=stochastic_pool,
            no_engine="an operator of our own",
            kernel_shape=kernel,
            **attributes,
        )
        for x, kernel, attributes in WEIGHTED
    ),
    *(
        op_row(op, x, formula=formula)
        for op, formula in (
            ("GlobalAveragePool", over_all(np.mean)),
            ("GlobalMaxPool", over_all(np.max)),
        )
        for x in (LINE, IMAGE, VOLUME, NEGATIVE)
    ),
    op_row(
        "MaxUnpool",
        Random((1, 2, 3)),
        Given([[[0, 3, 5], [6, 9, 10]]], "int64"),
        formula=max_unpool,
        kernel_shape=(2,),
        strides=(2,),
    ),
    op_row(
        "MaxUnpool",
        Random((1, 1, 2, 2)),
        Given([[[[6, 3], [20, 18]]]], "int64"),
        Known((1, 1, 5, 5)),
        formula=max_unpool,
        kernel_shape=(2, 2),
        strides=(2, 2),
    ),
    op_row(
        "MaxUnpool",
        Random((1, 1, 1, 1, 2)),
        Given([[[[[7, 16]]]]], "int64"),
        Known((1, 1, 2, 2, 5)),
        formula=max_unpool,
        kernel_shape=(2, 2, 2),
        strides=(2, 2, 2),
    ),
]

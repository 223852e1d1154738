"""Operators that read or write single elements by their index on an axis."""

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

X = Random((None, 5, 4))


def indices(*shape: int | None, extent: int = 5, dtype: str = "int64") -> Random:
    """Indices that count from both ends."""
    return Random(shape, -extent, extent, dtype)


def hot(indices: Array, depth: Array, values: Array, axis: int = -1) -> Array:
    """OneHot by rows of a unit matrix, with a row of zeros for what is out of range."""
    count = int(np.ravel(depth)[0])
    known = (indices >= -count) & (indices < count)
    unit = np.eye(count + 1, count)[np.where(known, indices % count, count)]
    return np.moveaxis(np.where(unit > 0, values[1], values[0]), -1, axis)


def combined(x: Array, indices: Array, updates: Array, axis: int, reduction: str) -> Array:
    """ScatterElements with a reduction, update by update."""
    result = x.copy()
    places = list(np.indices(indices.shape))
    places[axis] = indices % x.shape[axis]
    combine = {"mul": np.multiply, "max": np.maximum, "min": np.minimum}[reduction]
    combine.at(result, tuple(places), updates)
    return result


ROWS = [
    op_row("GatherElements", X, indices(None, 3, 4), axis=1),
    op_row("GatherElements", X, indices(None, 1, 4), axis=1),
    op_row(
        "GatherElements",
        X,
        indices(None, 2, 7, extent=4, dtype="int32"),
        axis=-1,
        formula=lambda x, i, axis: np.take_along_axis(x[:, :2], i, axis),
    ),
    op_row("GatherElements", Random((6, 3)), indices(4, 3, extent=6)),
    op_row("GatherElements", Random((4,), 0, 9, "int64"), Known((3, -1, 0, 0, 2))),
    op_row("ScatterElements", X, indices(None, 1, 4), Random((None, 1, 4)), axis=1),
    op_row(
        "ScatterElements",
        Random((2, 3, 4)),
        Given([[[0, 2], [-1, -3]]], "int64"),
        Random((1, 2, 2)),
        axis=2,
    ),
    op_row("ScatterElements", Random((4,), 0, 9, "int64"), Known((3, 0)), Known((7, 8))),
    op_row(
        "ScatterElements", X, indices(None, 7, 4), Random((None, 7, 4)), axis=1, reduction="add"
    ),
    op_row(
        "ScatterElements",
        X,
        indices(None, 1, 3),
        Random((None, 1, 3)),
        axis=-2,
        reduction="add",
    ),
    *(
        op_row(
            "ScatterElements",
            X,
            indices(None, 6, 4),
            Random((None, 6, 4)),
            axis=1,
            reduction=reduction,
            formula=combined,  # of products, the reference of onnx 1.18 takes the last alone
            no_gradient="which update counts is left open where an index comes twice",
        )
        for reduction in ("mul", "max", "min")
    ),
    op_row("GatherND", Random((6, 4)), indices(3, 1)),
    op_row("GatherND", Random((3, 5, 4)), Given([[[1, -2], [0, 4]], [[2, 0], [-1, -1]]], "int64")),
    op_row("GatherND", Random((2, 5, 4)), indices(2, 3, 1), batch_dims=1),
    op_row("GatherND", Random((2, 3, 5)), indices(2, 3, 4, 1), batch_dims=2),
    op_row("ScatterND", Random((5, 4)), Given([[1], [-2]], "int64"), Random((2, 4))),
    op_row("ScatterND", Random((5, 4)), Given([[1, 2], [-2, 0]], "int64"), Random((2,))),
    op_row(
        *("ScatterND", Random((5, 4)), Given([[1], [3], [1]], "int64"), Random((3, 4))),
        reduction="add",
    ),
    *(
        op_row(
            *("ScatterND", Random((5, 4)), Given([[1], [3]], "int64"), Random((2, 4))),
            reduction=reduction,
            no_gradient="it passes through sums alone",
        )
        for reduction in ("mul", "max", "min")
    ),
    op_row("OneHot", indices(None, 3), Known(5), Random((2,)), formula=hot),
    op_row("OneHot", indices(None, 3), Known((4,)), Random((2,)), axis=1, formula=hot),
    op_row("OneHot", indices(None, 2, extent=9), Known(3), Given([0.0, 1.0]), axis=0, formula=hot),
    op_row("OneHot", indices(None), Known(5), Given([1, 0], "int64"), axis=-2, formula=hot),
]

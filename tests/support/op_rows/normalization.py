"""Normalizations, and dropout."""

from typing import Any

import numpy as np
from support.ops import Array, Given, Random, op_row

SCALE, SHIFT, MEAN = Random((3,)), Random((3,)), Random((3,))
VARIANCE = Random((3,), 0.1, 2.0)
STATISTICS = (SCALE, SHIFT, MEAN, VARIANCE)
INPUTS = [
    Random((None, 3)),
    Random((None, 3, 7), 2.0, 5.0),
    Random((None, 3, 4, 5), -3.0, 9.0),
    Random((None, 3, 2, 3, 4)),
]


def trained(
    x: Array, scale: Array, shift: Array, mean: Array, variance: Array, **attributes: Any
) -> tuple[Array, Array, Array]:
    """ONNX's definition of BatchNormalization in training, sample by sample."""
    epsilon, momentum = attributes.get("epsilon", 1e-5), attributes.get("momentum", 0.9)
    rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
    new_mean = rows.sum(0) / len(rows)
    new_variance = (rows**2).sum(0) / len(rows) - new_mean**2
    normal = (np.moveaxis(x, 1, -1) - new_mean) / np.sqrt(new_variance + epsilon)
    return (
        np.moveaxis(normal * scale + shift, -1, 1),
        momentum * mean + (1 - momentum) * new_mean,
        momentum * variance + (1 - momentum) * new_variance,
    )


ROWS = [
    *(op_row("BatchNormalization", x, *STATISTICS) for x in INPUTS),
    op_row("BatchNormalization", INPUTS[2], *STATISTICS, epsilon=0.1),
    op_row("BatchNormalization", INPUTS[2], SCALE, SHIFT, MEAN, Given([0.0, 1e-12, 1e6])),
    *(
        op_row(
            "BatchNormalization", x, *STATISTICS, outputs=3, formula=trained, training_mode=1
        )
        for x in INPUTS[1:]
    ),
    op_row(
        "BatchNormalization",
        INPUTS[2],
        *STATISTICS,
        outputs=3,
        formula=trained,
        training_mode=1,
        momentum=0.0,
        epsilon=1e-3,
    ),
    *(op_row("Softmax", Random((None, 3, 4, 5), -5, 5), axis=axis) for axis in (1, 2, 3, -1)),
    op_row("Softmax", Random((None, 10), -5, 5)),
    op_row("Softmax", Random((None, 1))),
    op_row("Softmax", Given([[1e30, -1e30, 1e30], [-1e4, -1e4 + 1, -1e4 + 2]])),
    op_row("Dropout", Random((None, 3, 4)), Given(0.5)),
    op_row("Dropout", Random((None, 3, 4)), Given(0.5), Given(False, "bool"), outputs=2),
    op_row("Dropout", Random((None, 3, 4))),
    op_row(
        "Dropout",
        Random((None, 3, 4)),
        Given(0.25),
        Given(True, "bool"),
        outputs=2,
        seed=7,
        no_engine="its noise is its own",
    ),
]

"""Normalizations, and dropout."""

from math import prod
from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

SCALE, SHIFT, MEAN = Random((3,)), Random((3,)), Random((3,))
VARIANCE = Random((3,), 0.1, 2.0)
STATISTICS = (SCALE, SHIFT, MEAN, VARIANCE)
INPUTS = [
    Random((None, 3)),
    Random((None, 3, 7), 2.0, 5.0),
    Random((None, 3, 4, 5), -3.0, 9.0),
    Random((None, 3, 2, 3, 4)),
]


def spectral_norm(weight: Array, u: Array, v: Array, *, axis: int, epsilon: float = 1e-12) -> Array:
    """W / (u W v), entry by entry."""
    rows = np.moveaxis(weight, axis, 0)
    total = sum(
        u[i] * v[j] * entry for i, row in enumerate(rows) for j, entry in enumerate(row.flat)
    )
    quotient: Array = weight / np.asarray(total)
    return quotient


def inferred(
    x: Array, scale: Array, shift: Array, mean: Array, variance: Array, *, epsilon: float = 1e-5
) -> Array:
    """The definition, with epsilon in float64, where ONNX's reference rounds it to float32."""
    normal = (np.moveaxis(x, 1, -1) - mean) / np.sqrt(variance + epsilon)
    return np.moveaxis(normal * scale + shift, -1, 1)


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


def batch_gradient(
    x: Array, dy: Array, scale: Array, mean: Array, variance: Array, *, epsilon: float
) -> tuple[Array, Array, Array]:
    """Ioffe and Szegedy 2015, section 3, with the mean and the variance of the batch."""
    channels = (-1,) + (1,) * (x.ndim - 2)
    axes = (0, *range(2, x.ndim))
    mean, deviation, scale = (
        each.reshape(channels) for each in (mean, np.sqrt(variance + epsilon), scale)
    )
    u, du = (x - mean) / deviation, dy * scale
    means = (each.mean(axes, keepdims=True).reshape(channels) for each in (du, u * du))
    first, second = means
    return (du - first - u * second) / deviation, (u * dy).sum(axes), dy.sum(axes)


def standardized(x: Array, axes: tuple[int, ...], epsilon: float) -> tuple[Array, Array, Array]:
    """The definition of every normalization by statistics of its own input."""
    mean = x.mean(axes, keepdims=True)
    factor = 1 / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + epsilon)
    return (x - mean) * factor, mean, factor


def layer(
    x: Array, scale: Array, shift: Array | None = None, *, axis: int = -1, epsilon: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Over the axes from `axis` on."""
    normal, mean, factor = standardized(x, tuple(range(axis % x.ndim, x.ndim)), epsilon)
    return normal * scale + (0 if shift is None else shift), mean, factor


def layer_alone(*arguments: Array, **attributes: Any) -> Array:
    """Without the statistics."""
    return layer(*arguments, **attributes)[0]


def instance(x: Array, scale: Array, shift: Array, *, epsilon: float = 1e-5) -> Array:
    """Over the positions."""
    normal, _, _ = standardized(x, tuple(range(2, x.ndim)), epsilon)
    result: Array = np.moveaxis(np.moveaxis(normal, 1, -1) * scale + shift, -1, 1)
    return result


def group(x: Array, scale: Array, shift: Array, *, num_groups: int, epsilon: float = 1e-5) -> Array:
    """Over a group's channels and the positions."""
    parts = np.split(x, num_groups, 1)
    axes = tuple(range(1, x.ndim))
    normal = np.concatenate([standardized(part, axes, epsilon)[0] for part in parts], 1)
    result: Array = np.moveaxis(np.moveaxis(normal, 1, -1) * scale + shift, -1, 1)
    return result


def response(
    x: Array, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Array:
    """Channel by channel."""
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        seen = x[:, max(0, c - (size - 1) // 2) : c + size // 2 + 1]
        y[:, c] = x[:, c] / (bias + alpha / size * (seen**2).sum(1)) ** beta
    return y


KINK = "at 0 lengths have a kink"


def normed(x: Array, p: int, axis: int) -> Array:
    """Shares of the sum of absolute values, or of the length."""
    return np.asarray(x / np.linalg.norm(x, p, axis, keepdims=True))


def spread(x: Array, axes: tuple[int, ...] = (0, 2, 3)) -> Array:
    """Distances from the mean, counted in deviations."""
    deviation = np.std(x, axes, keepdims=True) + 1e-9
    return np.asarray((x - np.mean(x, axes, keepdims=True)) / deviation)


def at_zeros(x: Array) -> Array:
    """Zeros stay zeros."""
    return np.array([[0.0, 0.0], [0.6, -0.8]])


RANK_4_ONLY = "it has rank 4 only"
RATE = "a rate is no weight"
IMAGE = Random((None, 6, 4, 5), -3.0, 9.0)
SIX = (Random((6,)), Random((6,)))

ROWS = [
    *(op_row("BatchNormalization", x, *STATISTICS, formula=inferred) for x in INPUTS),
    op_row("BatchNormalization", INPUTS[2], *STATISTICS, formula=inferred, epsilon=0.1),
    op_row(
        "BatchNormalization",
        INPUTS[2],
        *(SCALE, SHIFT, MEAN, Given([0.0, 1e-12, 1e6])),
        formula=inferred,
        no_gradient="a difference would make a variance negative",
    ),
    *(
        op_row("BatchNormalization", x, *STATISTICS, outputs=3, formula=trained, training_mode=1)
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
    *(
        op_row(
            "netc.BatchNormalizationGrad",
            *(x, x, SCALE, MEAN, VARIANCE),
            outputs=3,
            formula=batch_gradient,
            epsilon=1e-3,
            no_engine="an operator of our own",
        )
        for x in INPUTS[1:]
    ),
    *(op_row("Softmax", Random((None, 3, 4, 5), -5, 5), axis=axis) for axis in (1, 2, 3, -1)),
    op_row("Softmax", Random((None, 10), -5, 5)),
    op_row("Softmax", Random((None, 1))),
    op_row(
        "Softmax",
        Given([[1e30, -1e30, 1e30], [-1e4, -1e4 + 1, -1e4 + 2]]),
        no_gradient="a difference of numbers as large as these is 0",
    ),
    *(
        op_row(
            "LogSoftmax",
            Random((None, 3, 4, 5), -5, 5),
            formula=lambda x, axis: np.log(np.exp(x) / np.exp(x).sum(axis, keepdims=True)),
            axis=axis,
        )
        for axis in (1, 2, 3, -1)
    ),
    op_row("LogSoftmax", Random((None, 1))),
    op_row(
        "LogSoftmax",
        Given([[1e6, -1e6, 1e6], [-1e4, -1e4 + 1, -1e4]]),
        formula=lambda x: np.array(
            [
                [-np.log(2), -2e6 - np.log(2), -np.log(2)],
                [-np.log(2 + np.e), 1 - np.log(2 + np.e), -np.log(2 + np.e)],
            ]
        ),
        no_gradient="a difference of numbers as large as these is lost to rounding",
    ),
    op_row("Dropout", Random((None, 3, 4)), Given(0.5), no_gradient=RATE),
    op_row("Dropout", Random((None, 3, 4)), Known(0.5, "float32"), Known(False, "bool")),
    op_row(
        "Dropout",
        Random((None, 3, 4)),
        *(Given(0.5), Given(False, "bool")),
        outputs=2,
        no_gradient=RATE,
    ),
    op_row("Dropout", Random((None, 3, 4))),
    *(
        op_row(
            "netc.SpectralNorm",
            Random(shape),
            Random((shape[axis],)),
            Random((prod(shape) // shape[axis],)),
            formula=spectral_norm,
            no_engine="an operator of our own",
            axis=axis,
        )
        for shape, axis in (((4, 3), 0), ((4, 3, 2, 2), 0), ((3, 4, 2), 1))
    ),
    op_row(
        "netc.Detach",
        Random((None, 3)),
        formula=lambda x: x,
        no_engine="an operator of our own",
        no_gradient="it stops gradients",
    ),
    op_row(
        "netc.AllReduce",
        Random((None, 3)),
        formula=lambda x: x,
        no_engine="an operator of our own",
    ),
    op_row(
        "netc.Noise",
        Random((None, 3, 4)),
        Random((4,)),
        formula=lambda x, deviation, **_: x,
        no_engine="an operator of our own",
    ),
    op_row(
        "Dropout",
        Random((None, 3, 4)),
        Given(0.25),
        Given(True, "bool"),
        outputs=2,
        seed=7,
        no_engine="its noise is its own",
        no_gradient=RATE,
    ),
    *(
        op_row("LayerNormalization", IMAGE, *affine, formula=layer_alone, axis=axis)
        for axis, affine in [
            (-1, (Random((5,)), Random((5,)))),
            (-1, (Random((5,)),)),
            (2, (Random((4, 5)), Random((4, 5)))),
            (1, (Random((6, 4, 5)), Random((6, 4, 5)))),
        ]
    ),
    op_row(
        "LayerNormalization", Random((None, 7)), Random((7,)), Random((7,)), formula=layer_alone
    ),
    op_row(
        "LayerNormalization",
        Random((None, 5, 7), 99.0, 101.0),
        *(Random((7,)), Random((7,))),
        outputs=3,
        formula=layer,
        engine_from="1.28",  # before, the variance of such numbers was lost to cancellation
        epsilon=1e-3,
    ),
    *(op_row("InstanceNormalization", x, SCALE, SHIFT, formula=instance) for x in INPUTS[1:]),
    op_row("InstanceNormalization", INPUTS[2], SCALE, SHIFT, formula=instance, epsilon=0.1),
    *(
        op_row("GroupNormalization", x, *SIX, formula=group, num_groups=groups)
        for x in (Random((None, 6)), Random((None, 6, 7)), IMAGE, Random((None, 6, 2, 3, 4)))
        for groups in (1, 2, 3)
    ),
    op_row("GroupNormalization", IMAGE, *SIX, formula=group, num_groups=6, epsilon=0.1),
    *(
        op_row("LRN", IMAGE, formula=response, size=size, alpha=0.3, beta=beta, bias=2.0)
        for size, beta in [(1, 0.75), (3, 0.75), (3, 0.5), (5, 1.3), (99, 0.75)]
    ),
    *(
        op_row("LpNormalization", x, formula=normed, p=p, axis=axis)
        for x, axis in ((INPUTS[0], 1), (INPUTS[0], -1), (IMAGE, 1), (IMAGE, -1))
        for p in (1, 2)
    ),
    op_row("MeanVarianceNormalization", IMAGE, formula=spread),
    op_row("MeanVarianceNormalization", IMAGE, formula=spread, axes=(1, -1)),
    op_row("LpNormalization", Given([[0.0, 0.0], [3.0, -4.0]]), formula=at_zeros, no_gradient=KINK),
    op_row("LRN", IMAGE, formula=response, size=4, no_engine="it has odd sizes only"),
    *(
        op_row("LRN", x, formula=response, size=3, no_engine=RANK_4_ONLY)
        for x in (INPUTS[0], INPUTS[1], INPUTS[3])
    ),
]

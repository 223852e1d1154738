"""Gradients where there is no derivative, or where numbers are too large for differences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from support.gradients import Scalar, feeds_of
from support.ops import Given, Known, OpRow, op_row

from netc.compiler.ir.verify import verify
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

INFINITE = np.inf
SIXTH = float(np.float32(1 / 6))  # as PyTorch rounds it
BIG = 2.0**100
FAR = [-BIG, -200.0, 200.0, BIG]
TOLERANCES = {"float32": 1e-6, "float64": 1e-14}


@dataclass(frozen=True)
class Place:
    """An operator somewhere, and its gradients where that of each result is 1.

    Attributes:
        row: The operator.
        expected: Its gradients by argument, constants left out.
        pytorch: What PyTorch calls the operator, a function of the module and the arguments; None
            where PyTorch's gradient is no number.
    """

    row: OpRow
    expected: Sequence[Any]
    pytorch: Callable[..., Any] | None

    def __str__(self) -> str:
        return str(self.row)


def at(
    op_type: str,
    *arguments: Any,
    gives: Sequence[Any],
    pytorch: Callable[..., Any] | None,
    **attributes: Any,
) -> Place:
    """A place from numbers; a constant stands in a tuple, and None is an argument left out."""
    return Place(op_row(op_type, *map(_argument, arguments), **attributes), gives, pytorch)


def _argument(numbers: Any) -> Given | Known | None:
    if isinstance(numbers, tuple):
        return Known(numbers[0], "float32")
    return numbers if numbers is None or isinstance(numbers, Given) else Given(numbers)


ELEMENTWISE = [
    at("Abs", [-1, 0, 1], gives=[[-1, 0, 1]], pytorch=lambda t, a: t.abs(a)),
    at("Relu", [-1, 0, 1], gives=[[0, 0, 1]], pytorch=lambda t, a: t.relu(a)),
    at(
        "LeakyRelu",
        [-1, 0, 1],
        alpha=0.25,
        gives=[[0.25, 0.25, 1]],
        pytorch=lambda t, a: t.nn.functional.leaky_relu(a, 0.25),
    ),
    at("Elu", [0], alpha=0.25, gives=[[0.25]], pytorch=lambda t, a: t.nn.functional.elu(a, 0.25)),
    at("Celu", [0], alpha=0.25, gives=[[1]], pytorch=lambda t, a: t.celu(a, 0.25)),
    at(
        "Selu",
        [0],
        gives=[[1.0507009873554805 * 1.6732632423543772]],
        pytorch=lambda t, a: t.selu(a),
    ),
    at(
        "HardSigmoid",
        [-3, 0, 3],
        alpha=SIXTH,
        gives=[[0, SIXTH, 0]],
        pytorch=lambda t, a: t.nn.functional.hardsigmoid(a),
    ),
    at(
        "HardSwish",
        [-3, 0, 3],
        gives=[[0, 0.5, 1]],
        pytorch=lambda t, a: t.nn.functional.hardswish(a),
    ),
    at("Softsign", [0], gives=[[1]], pytorch=lambda t, a: t.nn.functional.softsign(a)),
    at(
        "PRelu",
        [-2, 0, 2],
        [0.25],
        gives=[[0.25, 0.25, 1], [-2]],
        pytorch=lambda t, a, b: t.nn.functional.prelu(a, b),
    ),
    at("Sqrt", [0, 4], gives=[[INFINITE, 0.25]], pytorch=lambda t, a: t.sqrt(a)),
]
BOUNDS = [
    at("Clip", [-1, 0, 1], (-1.0,), (1.0,), gives=[[1, 1, 1]], pytorch=lambda t, a: a.clamp(-1, 1)),
    at(
        "Clip",
        [-2, -1, 0, 1, 2, 3],
        -1.0,
        1.0,
        gives=[[0, 1, 1, 1, 0, 0], 1, 2],
        pytorch=lambda t, a, b, c: a.clamp(b, c),
    ),
    at("Clip", [-1, 0, 1], 0.0, gives=[[0, 1, 1], 1], pytorch=lambda t, a, b: a.clamp(b)),
    at("Clip", [-1, 0, 1], None, (0.0,), gives=[[1, 1, 0]], pytorch=lambda t, a: a.clamp(max=0)),
    at(
        "Clip",
        [-3, 0, 3],
        2.0,
        -1.0,
        gives=[[0, 0, 0], 0, 3],
        pytorch=lambda t, a, b, c: a.clamp(b, c),
    ),
    at(
        "Max",
        [0, 1, -1],
        [0, 0, 0],
        gives=[[0.5, 1, 0], [0.5, 0, 1]],
        pytorch=lambda t, a, b: t.maximum(a, b),
    ),
    at(
        "Min",
        [0, 1, -1],
        [0],
        gives=[[0.5, 0, 1], [1.5]],
        pytorch=lambda t, a, b: t.minimum(a, b),
    ),
    at(
        "Max",
        [1, 0],
        [1, 0],
        [1, -1],
        gives=[[1 / 3, 1 / 2], [1 / 3, 1 / 2], [1 / 3, 0]],
        pytorch=lambda t, *xs: t.stack(xs).amax(0),
    ),
]
REDUCTIONS = [
    at("ReduceMax", [1, 2, 2], gives=[[0, 0.5, 0.5]], pytorch=lambda t, a: a.amax(0)),
    at("ReduceMin", [1, 1, 2], gives=[[0.5, 0.5, 0]], pytorch=lambda t, a: a.amin(0)),
    at("ReduceProd", [2, 0, 3], gives=[[0, 6, 0]], pytorch=lambda t, a: a.prod(0)),
    at("ReduceProd", [0, 0, 3], gives=[[0, 0, 0]], pytorch=lambda t, a: a.prod(0)),
]
POWERS = [
    at(
        "Pow",
        [0, 0, 0, 0],
        [0, 1, 2, 0.5],
        gives=[[0, 1, 0, INFINITE], [0, 0, 0, 0]],
        pytorch=lambda t, a, b: a**b,
    ),
    at("Pow", [0, 4], (0.5,), gives=[[INFINITE, 0.25]], pytorch=lambda t, a: a**0.5),
    at("Pow", [0, -2], (0.0,), gives=[[0, 0]], pytorch=lambda t, a: a**0.0),
    at("Pow", [0, -2], (1.0,), gives=[[1, 1]], pytorch=lambda t, a: a**1.0),
    at("Pow", [0, -2], (2.0,), gives=[[0, -4]], pytorch=lambda t, a: a**2.0),
    at("Pow", [0, -2], (3.0,), gives=[[0, 12]], pytorch=lambda t, a: a**3.0),
]
# Where powers and exponentials overflow, but the gradient does not.
LIMITS = [
    at("Elu", FAR, gives=[[0, 0, 1, 1]], pytorch=lambda t, a: t.nn.functional.elu(a)),
    at("Erf", FAR, gives=[[0, 0, 0, 0]], pytorch=lambda t, a: t.erf(a)),
    at("Gelu", FAR, gives=[[0, 0, 1, 1]], pytorch=lambda t, a: t.nn.functional.gelu(a)),
    at("Gelu", FAR, approximate="tanh", gives=[[0, 0, 1, 1]], pytorch=None),
    at("HardSwish", FAR, gives=[[0, 0, 1, 1]], pytorch=lambda t, a: t.nn.functional.hardswish(a)),
    at("Mish", FAR, gives=[[0, 0, 1, 1]], pytorch=lambda t, a: t.nn.functional.mish(a)),
    at("Sigmoid", FAR, gives=[[0, 0, 0, 0]], pytorch=lambda t, a: t.sigmoid(a)),
    at("Softplus", FAR, gives=[[0, 0, 1, 1]], pytorch=lambda t, a: t.nn.functional.softplus(a)),
    at(
        "Softsign",
        FAR,
        gives=[[0, 201**-2, 201**-2, 0]],
        pytorch=lambda t, a: t.nn.functional.softsign(a),
    ),
    at("Softmax", [[BIG, -BIG]], gives=[[[0, 0]]], pytorch=lambda t, a: a.softmax(1)),
    at("LogSoftmax", [[BIG, -BIG]], gives=[[[-1, 1]]], pytorch=lambda t, a: a.log_softmax(1)),
    at("Tanh", FAR, gives=[[0, 0, 0, 0]], pytorch=lambda t, a: t.tanh(a)),
    at(
        "Where",
        Given([True, False], "bool"),
        [INFINITE, INFINITE],
        [INFINITE, INFINITE],
        gives=[[1, 0], [0, 1]],
        pytorch=None,
    ),
]
PLACES = [*ELEMENTWISE, *BOUNDS, *REDUCTIONS, *POWERS, *LIMITS]


def gradients_of(row: OpRow, dtype: str) -> list[Array]:
    """The gradients of the sum of the row's results."""
    scalar = Scalar(row)
    graph, found = scalar.build.graph, scalar.differentiate(list(scalar.arguments))
    graph.outputs = found
    verify(graph, after="differentiation")
    feeds = {
        name: np.ones_like(array) if name in scalar.weighed else array
        for name, array in feeds_of(row, scalar, 1).items()
    }
    cast = {k: a.astype(dtype) if a.dtype.kind == "f" else a for k, a in feeds.items()}
    return list(run(plan(graph, dtype=dtype), cast, {}).values())


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_subgradient(place: Place, dtype: str) -> None:
    """At ties the gradient is the one that is stated, and far out it is a number."""
    for array, numbers in zip(gradients_of(place.row, dtype), place.expected, strict=True):
        np.testing.assert_allclose(array, numbers, TOLERANCES[dtype], TOLERANCES[dtype])


@pytest.mark.oracle
@pytest.mark.parametrize("place", [p for p in PLACES if p.pytorch], ids=str)
def test_subgradient_is_that_of_pytorch(place: Place) -> None:
    """What is stated is what PyTorch chooses."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    arguments = [
        torch.tensor(argument.numbers, dtype=torch.float64, requires_grad=True)
        for argument in place.row.arguments
        if isinstance(argument, Given)
    ]
    assert place.pytorch is not None
    place.pytorch(torch, *arguments).sum().backward()
    for argument, numbers in zip(arguments, place.expected, strict=True):
        np.testing.assert_allclose(argument.grad.numpy(), numbers, 1e-14, 1e-14)

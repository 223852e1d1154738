"""Compares the gradients that the compiler builds with central differences, in float64."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import gradients
from netc.compiler.ops.opdef import OPS
from netc.runtime.engines.executor import run
from netc.runtime.engines.memory import known_extents
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array
from support.ops import Known, OpRow, apply, arguments_of, node_of, run_kernel

STEP = 1e-5  # the error of a difference is of the order of its square
TOLERANCE = 1e-7
MOST_ELEMENTS = 60  # of an argument are compared; of larger ones a random choice

Feeds = Mapping[str, Array]


class Scalar:
    """A scalar in a graph: an operator's real outputs, weighed by inputs `w0`, `w1`, ..., summed.

    Attributes:
        build: A builder on the graph.
        value: The scalar.
        arguments: The operator's arguments that hold real numbers, by name of their input.
    """

    def __init__(self, row: OpRow) -> None:
        self.build = Builder(Graph("gradient"))
        self.arguments: dict[str, Value] = {}
        values = [self._argument(i, argument) for i, argument in enumerate(row.arguments)]
        outputs = apply(self.build, row, values)
        self.weighed = {f"w{k}": v for k, v in enumerate(outputs) if v.dtype.is_float}
        self.value = self.weigh()

    def differentiate(self, names: Sequence[str]) -> dict[str, Value]:
        """The scalar's gradients by argument, which must be there."""
        found = gradients(self.build, self.value, [self.arguments[name] for name in names])
        values = {f"d{name}": v for name, v in zip(names, found, strict=True) if v is not None}
        assert len(values) == len(names), "an argument has no gradient"
        return values

    def _argument(self, position: int, argument: Any) -> Value | None:
        if argument is None:
            return None
        if isinstance(argument, Known):
            return self.build.constant(argument.numbers, DType(argument.dtype))
        value = self.build.input(f"a{position}", argument.type())
        if value.dtype.is_float:
            self.arguments[f"a{position}"] = value
        return value

    def weigh(self) -> Value:
        """The sum of all weighed outputs."""
        terms = []
        for name, value in self.weighed.items():
            weight = self.build.input(name, value.type)
            terms.append(self.build.ReduceSum(self.build.Mul(value, weight), keepdims=0))
        return reduce(self.build.Add, terms)


def feeds_of(row: OpRow, scalar: Scalar, batch: int) -> dict[str, Array]:
    """The row's arrays and random weights, in float64."""
    given = arguments_of(row, batch, wide=True)
    feeds = {
        f"a{i}": array
        for i, array in enumerate(given)
        if array is not None and not isinstance(row.arguments[i], Known)
    }
    for position, (name, value) in enumerate(scalar.weighed.items()):
        shape = known_extents(value.type, {"N": batch})
        if shape is None:  # what only the numbers tell
            shape = run_kernel(row, given)[int(name.removeprefix("w"))].shape
        feeds[name] = np.random.default_rng(90 + position).uniform(-1, 1, shape)
    return feeds


def evaluate(graph: Graph, outputs: Mapping[str, Value], feeds: Feeds) -> dict[str, Array]:
    """Values of a graph on NumPy, in float64."""
    graph.outputs = dict(outputs)
    verify(graph, after="differentiation")
    return run(plan(graph, dtype="float64"), feeds, {})


def check_gradient(row: OpRow) -> None:
    """The row's gradients are its central differences, for every batch."""
    scalar = Scalar(row)
    found = scalar.differentiate(list(scalar.arguments))
    for batch in row.batches:
        feeds = feeds_of(row, scalar, batch)
        expected = evaluate(scalar.build.graph, found, feeds)
        forward = _forward(scalar.build.graph, scalar.weighed)
        for name in scalar.arguments:
            compare(forward, feeds, name, expected[f"d{name}"], list(scalar.weighed))


def check_second_gradient(row: OpRow) -> None:
    """The gradient of a weighed sum of the row's gradients is its central differences."""
    scalar = Scalar(row)
    first = scalar.differentiate(list(scalar.arguments))
    scalar.weighed = {f"v{name}": value for name, value in first.items()}
    scalar.value = scalar.weigh()
    reached = [
        name
        for name, value in scalar.arguments.items()
        if gradients(scalar.build, scalar.value, [value])[0] is not None
    ]
    if not reached:  # of a linear operator, whose gradient is the same everywhere
        return
    found = scalar.differentiate(reached)
    batch = row.batches[-1]
    feeds = {**_weights(row, batch), **feeds_of(row, scalar, batch)}
    expected = evaluate(scalar.build.graph, found, feeds)
    forward = _forward(scalar.build.graph, scalar.weighed)
    for name in reached:
        compare(forward, feeds, name, expected[f"d{name}"], list(scalar.weighed))


def _weights(row: OpRow, batch: int) -> dict[str, Array]:
    """The weights of the row's own outputs."""
    return feeds_of(row, Scalar(row), batch)


def _forward(graph: Graph, values: Mapping[str, Value]) -> Callable[[Feeds], dict[str, Array]]:
    graph.outputs = dict(values)
    planned = plan(graph, dtype="float64")

    def forward(feeds: Feeds) -> dict[str, Array]:
        return run(planned, feeds, {})

    return forward


def compare(
    forward: Callable[[Feeds], dict[str, Array]],
    feeds: Feeds,
    name: str,
    gradient: Array,
    weights: Sequence[str],
) -> None:
    """Compare a gradient with differences of the weighed outputs, norm-wise within 1e-7."""
    array = feeds[name]
    assert gradient.shape == array.shape
    random = np.random.default_rng(7)
    places = random.permutation(array.size)[:MOST_ELEMENTS]
    differences = np.zeros(len(places))
    for position, place in enumerate(places):
        high, low = (_moved(feeds, name, place, sign * STEP) for sign in (1, -1))
        above, below = forward(high), forward(low)
        differences[position] = sum(
            float(np.vdot(feeds[key], above[key] - below[key])) for key in weights
        ) / (2 * STEP)
    analytic = gradient.ravel()[places]
    scale = max(np.max(np.abs(differences), initial=0.0), 1.0)
    assert np.max(np.abs(analytic - differences), initial=0.0) <= TOLERANCE * scale


def _moved(feeds: Feeds, name: str, place: int, step: float) -> Feeds:
    moved = feeds[name].copy()
    moved.ravel()[place] += step
    return {**feeds, name: moved}


def has_gradient(row: OpRow) -> bool:
    """Whether the row's operator has a rule, and its numbers are real, finite and at no tie."""
    known = OPS.named(row.op_type)
    if (known.vjp is None and known.function is None) or row.no_gradient:
        return False
    if not row.is_of_tensors:
        return False
    real = [
        array
        for array, given in zip(arguments_of(row, 1), row.arguments, strict=True)
        if array is not None and array.dtype.kind == "f" and not isinstance(given, Known)
    ]
    yields_real = any(type.dtype.is_float for type in node_of(row).outputs)
    return yields_real and bool(real) and all(np.isfinite(array).all() for array in real)

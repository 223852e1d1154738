"""Values that depend on no input and no weight -> their numbers; open extents are a few."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ...ir.graph import CONSTANT, PARAMETER, Graph, Node, Value
from .movements import MOST_ELEMENTS, MOVES, extents, move
from .trail import NoMatch

Array = np.ndarray[Any, Any]
MOST_STEPS = 60  # operators that numbers are computed with

COMPUTED: Mapping[str, Callable[..., Array]] = {
    "Add": np.add,
    "Cos": np.cos,
    "Div": np.divide,
    "Exp": np.exp,
    "MatMul": np.matmul,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Pow": np.power,
    "Range": np.arange,
    "Reciprocal": np.reciprocal,
    "Sin": np.sin,
    "Sub": np.subtract,
}


@dataclass(eq=False)
class Evaluation:
    """The numbers of values of a graph, each of which is computed once.

    Weights are evaluated where a sine or a cosine is taken of them: exporters store rates so.
    """

    graph: Graph
    known: dict[tuple[Value, bool], Array | None] = field(default_factory=dict)

    def of(self, value: Value) -> Array:
        """What a value holds whatever the inputs and the weights are.

        Raises:
            NoMatch: It depends on them, or is computed by operators that are not in the table.
        """
        found = self._of(value, MOST_STEPS)
        if found is None:
            raise NoMatch
        return found

    def is_known(self, value: Value) -> bool:
        """Whether it is the same whatever the inputs and the weights are."""
        return self._of(value, MOST_STEPS) is not None

    def _of(self, value: Value, steps: int, of_angle: bool = False) -> Array | None:
        key = value, of_angle
        if key not in self.known:
            try:
                self.known[key] = self._computed(value, steps, of_angle)
            except (NoMatch, ArithmeticError, LookupError, TypeError, ValueError):
                self.known[key] = None
        return self.known[key]

    def _computed(self, value: Value, steps: int, of_angle: bool) -> Array | None:
        node, shape = self.graph.producer(value), extents(value.shape)
        if not steps or prod(shape) > MOST_ELEMENTS:
            return None
        if node.op_type == CONSTANT:
            tensor = node.attributes["value"]
            return np.array(tensor.numbers() or (), value.dtype.value).reshape(shape)
        if node.op_type == PARAMETER and of_angle:
            return np.asarray(node.attributes["literal"])
        if node.op_type == "Shape":
            held = node.input(0)
            return np.array(extents(held.shape))[node.attributes["start"] : node.attributes["end"]]
        if node.op_type not in {*COMPUTED, *MOVES, "Cast", "Concat"}:
            return None
        of_angle = of_angle or node.op_type in ("Cos", "Sin")
        given = [None if x is None else self._of(x, steps - 1, of_angle) for x in node.inputs]
        if any(g is None and x is not None for g, x in zip(given, node.inputs, strict=True)):
            return None
        found = self._applied(value, node, given)
        return found if found.shape == shape else None

    def _applied(self, value: Value, node: Node, given: list[Any]) -> Array:
        if node.op_type in COMPUTED:
            return COMPUTED[node.op_type](*given)
        if node.op_type == "Cast":
            return np.asarray(given[0]).astype(value.dtype.value)
        if node.op_type == "Concat":
            return np.concatenate(given, node.attributes["axis"])
        if node.op_type == "Slice":
            return _cut(*given)
        return move(self.graph, value, given[0])


def _cut(x: Array, starts: Array, ends: Array, axes: Any = None, steps: Any = None) -> Array:
    places = [slice(None)] * x.ndim
    axes = range(len(starts)) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places[axis] = slice(start, end, step)
    return x[tuple(places)]

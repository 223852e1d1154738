"""What a rule sees of a graph: the way back from an operator to those that lead to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isclose, prod
from typing import Any

from ...ir.graph import CONSTANT, PARAMETER, Graph, Node, Value
from ...ir.tensor import Tensor
from ...passes.cancel_reshapes import RESHAPES

Layout = tuple[int, ...]


class NoMatch(Exception):
    """The operators are not what the rule is for."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A stored tensor as a layer has it.

    Attributes:
        value: The parameter.
        axes: The order of its axes in the layer, where that is another one.
        shape: Its extents in the layer, where these are others.
        part: The first and the last but one of the rows that it is, where it is not all.
        dims: Its extents before its axes are moved, where these are others than what is stored.
    """

    value: Value
    axes: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None
    part: tuple[int, int] | None = None
    dims: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        rows, *others = self.value.type.extents or (1,)
        return prod(others) * (rows if self.part is None else self.part[1] - self.part[0])

    def moved(self, axes: Sequence[int]) -> "Weight":
        """The tensor with its axes in another order.

        Raises:
            NoMatch: It is in another shape already.
        """
        if self.shape is not None:
            raise NoMatch
        before = self.axes or identity(len(axes))
        order = tuple(before[axis] for axis in axes)
        return replace(self, axes=None if order == identity(len(axes)) else order)


@dataclass(frozen=True, slots=True)
class Stack:
    """Rows of stored tensors, one below the other; rows of none hold the number `fill`."""

    parts: tuple[tuple[Weight | None, tuple[int, ...]], ...]
    fill: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """A tensor that an argument names.

    Attributes:
        value: The tensor.
        is_inverse: Whether the layer takes for true what it holds for false.
    """

    value: Value
    is_inverse: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Operators that are a layer.

    Attributes:
        kind: The layer's name in the language.
        operands: What it takes.
        arguments: What it is called with, where that is not the default.
        weights: Its parameters by the name within the layer; empty for the layer's own name.
        layout: How its operands and results lie: axis i of the model's tensor is axis `layout[i]`
            of the layer's. None where it takes them as they are.
        axis: The axis of the model's tensors that the argument `axis` names, or the axes.
        dropped: The axes of the model's operand that its result lacks.
        labels: Arguments that name a layer, by what it yields, or a tensor.
        strict: Whether it is the layer only where its operands lie so already.
        result: How its result lies, where that does not follow from how its operands do.
        others: The same for operands that lie otherwise: the first that does not need them moved.
        lies: How operands lie that do not lie as the others do; heads apart are put side by side.
        ends: What it yields as the model has it, by number, where that is not what its last
            operator does: operators after that one are part of the layer.
    """

    kind: str
    operands: tuple[Value, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Weight | Stack] = field(default_factory=dict)
    layout: Layout | None = None
    axis: int | tuple[int, ...] | None = None
    dropped: tuple[int, ...] = ()
    labels: Mapping[str, Value | Label] = field(default_factory=dict)
    strict: bool = False
    result: Layout | None = None
    others: "tuple[Match, ...]" = ()
    lies: Mapping[Value, Layout] = field(default_factory=dict)
    ends: Mapping[int, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Trail:
    """The operators that a rule went through, from the last one back."""

    graph: Graph
    last: int
    passed: set[int] = field(default_factory=set)

    @property
    def node(self) -> Node:
        """The operator that the rule begins with."""
        return self.graph[self.last]

    def need(self, condition: object) -> None:
        """Go on only if it holds.

        Raises:
            NoMatch: It does not.
        """
        if not condition:
            raise NoMatch

    def argument(self, node: Node, place: int) -> Value:
        """A required argument."""
        value = node.inputs[place] if place < len(node.inputs) else None
        if value is None:
            raise NoMatch
        return value

    def arguments(self, node: Node, count: int | None = None) -> list[Value]:
        """The first arguments, or all of them, which are required."""
        places = range(len(node.inputs) if count is None else count)
        return [self.argument(node, place) for place in places]

    def back(self, value: Value, *op_types: str) -> Node:
        """The operator that yields a value, which must be one of these."""
        node = self.graph.producer(value)
        if node.op_type not in op_types or value.output:
            raise NoMatch
        self.passed.add(value.node)
        return node

    def is_by(self, value: Value, *op_types: str) -> bool:
        """Whether one of these operators yields a value."""
        return self.graph.producer(value).op_type in op_types

    def weight(self, value: Value) -> Weight:
        """The parameter that a value is, or that it shows in another order or shape."""
        found = weight_of(self.graph, value)
        if found is None:
            raise NoMatch
        return found

    def is_learned(self, value: Value) -> bool:
        """Whether a value is a parameter, as it is or in another order or shape."""
        return weight_of(self.graph, value) is not None

    def is_stored(self, value: Value) -> bool:
        """Whether a value is a parameter or a constant."""
        return self.is_by(value, CONSTANT) or self.is_learned(value)

    def tensor(self, value: Value | None) -> Tensor:
        """What a constant holds."""
        node = None if value is None else self.graph.producer(value)
        if node is None or node.op_type != CONSTANT:
            raise NoMatch
        held: Tensor = node.attributes["value"]
        return held

    def number(self, value: Value | None) -> float:
        """The one number that a constant holds."""
        number = self.tensor(value).number()
        self.need(isinstance(number, int | float))
        return float(number)

    def numbers(self, value: Value | None) -> tuple[Any, ...]:
        """The few numbers that a constant holds."""
        tensor = self.tensor(value)
        self.need(tensor.size <= 1_000)
        return tensor.numbers() or ()

    def few(self, value: Value | None, count: int) -> tuple[Any, ...]:
        """A constant of a given number of numbers."""
        numbers = self.numbers(value)
        self.need(len(numbers) == count)
        return numbers

    def is_uniform(self, value: Value, wanted: float) -> bool:
        """Whether a value is a constant whose elements are all one number."""
        try:
            return set(self.numbers(value)) == {wanted}
        except NoMatch:
            return False

    def is_number(self, value: Value, wanted: float) -> bool:
        """Whether a value is a constant of one number, to the precision of float32."""
        try:
            return isclose(self.number(value), wanted, rel_tol=1e-6)
        except NoMatch:
            return False

    def with_number(self, node: Node, wanted: float) -> Value:
        """The other argument of a commutative operator that takes a number."""
        a, b = self.argument(node, 0), self.argument(node, 1)
        if self.is_number(b, wanted):
            return a
        self.need(self.is_number(a, wanted))
        return b

    def factors(self, value: Value) -> tuple[list[Value], float]:
        """The factors of a product of products, and the product of the numbers among them."""
        found, scale, pending = [], 1.0, [value]
        while pending:
            each = pending.pop()
            if self.is_by(each, "Mul") and self._is_own(each):
                pending += self.back(each, "Mul").inputs  # type: ignore[arg-type]  # it takes two
            elif self.is_by(each, "Div") and self._is_own(each) and self._divides(each):
                node = self.back(each, "Div")
                scale /= self.number(node.inputs[1])
                pending.append(self.argument(node, 0))
            elif self.is_by(each, "Neg") and self._is_own(each):
                scale = -scale
                pending += self.back(each, "Neg").inputs  # type: ignore[arg-type]  # it takes one
            elif self.is_by(each, CONSTANT) and self.tensor(each).size == 1:
                scale *= self.number(each)
            else:
                found.append(each)
        return found, scale

    def need_one_output(self) -> None:
        """Go on only if nothing reads the operator's outputs after the first."""
        for output, type in enumerate(self.node.outputs[1:], 1):
            self.need(not self.graph.consumers(Value(self.last, output, type)))

    def has_one_reader(self, value: Value) -> bool:
        """Whether exactly one operator reads a value."""
        return len(self.graph.consumers(value)) == 1

    def _is_own(self, value: Value) -> bool:
        """Whether a value is what the rule begins with, or nothing but one operator reads it."""
        return value.node == self.last or self.has_one_reader(value)

    def _divides(self, value: Value) -> bool:
        divisor = self.argument(self.graph.producer(value), 1)
        return self.is_by(divisor, CONSTANT) and self.tensor(divisor).size == 1


Rule = Callable[[Trail], Match]

RULES: dict[str, list[Rule]] = {}
FIRST: set[Rule] = set()


def rule(*op_types: str, first: bool = False) -> Callable[[Rule], Rule]:
    """Enter the decorated rule for what ends in one of these operators.

    Args:
        op_types: The operators.
        first: Whether it is tried before rules that would take a part of the same for a layer.
    """

    def register(function: Rule) -> Rule:
        for op_type in op_types:
            rules = RULES.setdefault(op_type, [])
            rules.insert(sum(each in FIRST for each in rules) if first else len(rules), function)
        if first:
            FIRST.add(function)
        return function

    return register


def identity(rank: int) -> Layout:
    """The layout of a tensor that lies in the layer as in the model."""
    return tuple(range(rank))


def with_channels_on(rank: int, axis: int) -> Layout:
    """The layout in which a model's axis is what the language calls channels.

    These are axis 1 of images and volumes, and the last axis of sequences and vectors.

    Raises:
        NoMatch: It is neither axis 1 nor the last one.
    """
    axis %= rank
    if rank < 2 or axis not in (1, rank - 1):
        raise NoMatch
    if rank == 3:
        return (0, 1, 2) if axis == 2 else (0, 2, 1)
    return identity(rank) if axis == 1 else (0, *range(2, rank), 1)


def vector_along(shape: Sequence[Any], rank: int) -> int:
    """The axis of a tensor of a rank along which a broadcast vector lies.

    Raises:
        NoMatch: It has several extents.
    """
    wide = [place for place, extent in enumerate(shape) if extent != 1]
    if len(wide) > 1 or not 0 < len(shape) <= rank or (not wide and len(shape) > 1):
        raise NoMatch
    if not wide:
        return rank - 1
    return rank - len(shape) + wide[0]


def as_vector(weight: Weight) -> Weight:
    """A broadcast vector as a layer has it."""
    return replace(weight, axes=None, shape=(weight.size,))


# What shows the elements of a tensor in their order, in another shape.
SHAPING = ("Identity", *RESHAPES)
PARTS = ("Gather", "Slice", "Split")
MOST_VIEWS = 4  # operators between a parameter and the layer that has it


def weight_of(graph: Graph, value: Value) -> Weight | None:
    """The parameter that a value is, or that it shows in another order or shape."""
    views: list[Value] = []
    while (node := graph.producer(value)).op_type != PARAMETER:
        if node.op_type not in (*SHAPING, *PARTS, "Transpose") or len(views) == MOST_VIEWS:
            return None
        before = node.inputs[0]
        if before is None:
            return None
        views.append(value)
        value = before
    found = Weight(value)
    for view in reversed(views):
        node = graph.producer(view)
        if node.op_type == "Transpose":
            if found.shape is not None:
                return None
            found = found.moved(node.attributes["perm"])
        elif node.op_type in PARTS:
            rows = _rows(graph, view, value.type.extents) if found == Weight(value) else None
            if rows is None:
                return None
            shape = view.type.extents
            found = replace(found, part=None if rows == (0, value.type.extents[0]) else rows)
            found = replace(found, shape=None if len(shape) == value.type.rank else shape)
        elif node.op_type != "Identity":
            found = replace(found, shape=view.type.extents)
    return found


def _rows(graph: Graph, view: Value, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """The first row of a parameter that an operator takes, and the one after the last."""
    node = graph.producer(view)
    trail = Trail(graph, view.node)
    try:
        if node.op_type == "Split":
            sizes = [type.extents[0] for type in node.outputs]
            first = sum(sizes[: view.output])
            return None if node.attributes["axis"] else (first, first + sizes[view.output])
        if node.op_type == "Gather":
            taken = trail.numbers(node.inputs[1])
            run = tuple(range(taken[0], taken[0] + len(taken))) if taken else ()
            plain = run and taken == run and taken[0] >= 0 and not node.attributes["axis"]
            return (taken[0], taken[0] + len(taken)) if plain else None
        axes, steps = (node.inputs[p] if p < len(node.inputs) else None for p in (3, 4))
        (start,), (stop,) = trail.numbers(node.inputs[1]), trail.numbers(node.inputs[2])
        plain = axes is None or trail.numbers(axes) == (0,)
        plain = plain and (steps is None or trail.numbers(steps) == (1,)) and start >= 0 < stop
        return (start, min(stop, shape[0])) if plain and start < min(stop, shape[0]) else None
    except (NoMatch, ValueError):
        return None


def is_view(graph: Graph, identifier: int) -> bool:
    """Whether an operator shows a parameter in another order or shape."""
    node = graph[identifier]
    if node.row is None:
        return False
    return weight_of(graph, Value(identifier, 0, node.outputs[0])) is not None

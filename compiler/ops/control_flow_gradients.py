"""Gradients of If, Loop and Scan: operators of the same kind, whose subgraphs hold the gradients.

A loop is run again, to note what each turn started from. A Scan then goes through the turns from
the last to the first: its body computes what the turn computed and, from the gradients of that,
those of what the turn took. What subgraphs capture gets its gradient from every turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple

from ..ir.builder import Builder
from ..ir.graph import INPUT, LEAVES, Graph, Value, own_arguments, required
from ..ir.types import DType, TensorType
from .building import zeros_like
from .gradient import pullback
from .opdef import Cotangents, VjpCall


class Rows(NamedTuple):
    """What turns took or yielded, one by one, along an axis; backwards with the direction 1."""

    values: Value
    axis: int = 0
    direction: int = 0


def if_(build: Builder, call: VjpCall) -> Cotangents:
    """What the branch that ran passes on; to what only the other one reads, zeros."""
    seeds = {i: dy for i, dy in enumerate(call.cotangents) if dy is not None}
    wanted = [i for i, want in enumerate(call.wanted) if want and i]
    arguments = [call.input(0), *call.inputs[1:], *seeds.values()]
    places = dict(zip(seeds, range(len(call.inputs), len(arguments)), strict=True))
    branches = {}
    for name, branch in call.subgraphs.items():
        inner = build.inner(branch.name)
        seen = sorted({*branch.captures.values(), *wanted})
        outer = {i: inner.capture(call.input(i), i) for i in seen}
        given = {n: outer[i] for n, i in branch.captures.items()}
        found = list(inline(inner, branch, given).values())
        ends = [(found[i], inner.capture(dy, places[i])) for i, dy in seeds.items()]
        parts = _sums(inner, ends, [outer[i] for i in wanted])
        branches[name] = _yields(inner, parts)
    gradients: list[Value | None] = [None] * len(call.inputs)
    values = build.op("If", arguments, outputs=len(wanted), subgraphs=branches)
    for position, value in zip(wanted, values, strict=True):
        gradients[position] = value
    return gradients


def scan(build: Builder, call: VjpCall) -> Cotangents:
    """What arrives at the last states and at all rows, through the elements backwards."""
    body, taken = call.subgraphs["body"], call.attributes
    own = own_arguments(len(call.inputs), call.subgraphs)
    carried = own - taken["num_scan_inputs"]
    names = _own_inputs(body)
    note = build.inner(body.name)
    given = _inputs(note, body, names, call.inputs)
    found = list(inline(note, body, given).values())
    before = [note.Identity(given[name]) for name in names[:carried]]
    inside = {"body": _yields(note, [*found[:carried], *before])}
    kept = ("num_scan_inputs", "scan_input_axes", "scan_input_directions")
    attributes = {name: taken[name] for name in kept}
    noted = build.op("Scan", call.inputs, attributes, outputs=2 * carried, subgraphs=inside)
    axes, ways = _layout(taken, "input", own - carried)
    elements = map(Rows, map(call.input, range(carried, own)), axes, ways)
    took = dict(zip(names, (*map(Rows, noted[carried:]), *elements), strict=True))
    axes, ways = _layout(taken, "output", len(call.outputs) - carried)
    arrived = zip(call.cotangents[carried:], axes, ways, strict=True)
    rows = [None if dy is None else Rows(dy, *place) for dy, *place in arrived]
    turns = Turns(build, call, body, own, names[:carried], took, rows)
    return turns.gradients(dict(zip(names, range(own), strict=True)))


def loop(build: Builder, call: VjpCall) -> Cotangents:
    """What arrives at the last states and at all rows, through as many turns as there were."""
    body = call.subgraphs["body"]
    own = own_arguments(len(call.inputs), call.subgraphs)
    number, going, *states = names = _own_inputs(body)
    note = build.inner(body.name)
    given = _inputs(note, body, names, call.inputs)
    found = list(inline(note, body, given).values())
    before = [note.Identity(given[name]) for name in (number, *states)]
    inside = {"body": _yields(note, [*found[: 1 + len(states)], *before])}
    outputs = 1 + 2 * len(states)
    noted = build.op("Loop", call.inputs, outputs=outputs, subgraphs=inside)[len(states) :]
    took = dict(zip((number, *states), map(Rows, noted), strict=True))
    rows = [None if dy is None else Rows(dy) for dy in call.cotangents[len(states) :]]
    turns = Turns(build, call, body, own, states, took, rows, going=going)
    return turns.gradients(dict(zip(states, range(2, own), strict=True)))


@dataclass(frozen=True)
class Turns:
    """The turns of a loop, to go through from the last to the first.

    Attributes:
        build: A builder on the graph that the loop is in.
        call: The loop; its first outputs are the last states.
        body: What each turn runs; its last outputs are states and rows.
        own: How many arguments of the loop are its own.
        states: The body's inputs that each turn hands to the next.
        took: What each turn took, states included, by the body's inputs.
        rows: What arrives at each row that turns yield; None where nothing does.
        going: The body's input that says that there is a turn.
    """

    build: Builder
    call: VjpCall
    body: Graph
    own: int
    states: Sequence[str]
    took: Mapping[str, Rows]
    rows: Sequence[Rows | None]
    going: str = ""

    def gradients(self, arguments: Mapping[str, int]) -> Cotangents:
        """The gradients, given which arguments of the loop the body's inputs stem from."""
        real = {n: rows for n, rows in self.took.items() if rows.values.dtype.is_float}
        states = [name for name in self.states if name in real]
        elements = [n for n in real if n not in states and self.call.wanted[arguments[n]]]
        captured = [i for i in range(self.own, len(self.call.inputs)) if self.call.wanted[i]]
        arrived = [rows for rows in self.rows if rows is not None]
        sequences = [*self.took.values(), *arrived]
        starts = [
            *(self._last(n, arguments[n]) for n in states),
            *(zeros_like(self.build, self.call.input(i)) for i in captured),
        ]
        inside = self._body(states, elements, captured, len(starts) + len(sequences))
        results = [real[name] for name in elements]
        values = self.build.op(
            "Scan",
            (*starts, *(rows.values for rows in sequences), *self.call.inputs[self.own :]),
            {
                "num_scan_inputs": len(sequences),
                "scan_input_axes": tuple(rows.axis for rows in sequences),
                "scan_input_directions": tuple(1 - rows.direction for rows in sequences),
                "scan_output_axes": tuple(rows.axis for rows in results),
                "scan_output_directions": tuple(1 - rows.direction for rows in results),
            },
            outputs=len(starts) + len(results),
            subgraphs={"body": inside},
        )
        places = [*(arguments[n] for n in states), *captured, *(arguments[n] for n in elements)]
        found = dict(zip(places, values, strict=True))
        return [found.get(position) for position in range(len(self.call.inputs))]

    def _last(self, state: str, argument: int) -> Value:
        """What arrives at a last state; of nothing as much as the first has, if known."""
        place = self.states.index(state)
        if arrived := self.call.cotangents[place]:
            return arrived
        first, last = self.call.input(argument), self.call.outputs[place]
        return zeros_like(self.build, first if first.type == last.type else last)

    def _body(
        self, states: Sequence[str], elements: Sequence[str], captured: Sequence[int], own: int
    ) -> Graph:
        """Gradients after a turn, and what it took => those before it, and of its elements.

        What it captures stands after as many arguments as are the operator's own.
        """
        inner = self.build.inner(self.body.name)
        after = [_input(inner, f"d{name}", self.body.inputs[name].type) for name in states]
        sums = [_input(inner, f"sum{i}", self.call.input(i).type) for i in captured]
        given = {n: _input(inner, n, self.body.inputs[n].type) for n in self.took}
        ends = list(self.body.outputs.values())[len(self.body.outputs) - self._yielded :]
        arrived = [
            None if rows is None else _input(inner, f"row{i}", end.type)
            for i, (rows, end) in enumerate(zip(self.rows, ends[len(self.states) :], strict=True))
        ]
        outer = {i: inner.capture(self.call.input(i), own + i - self.own) for i in self._places}
        given |= {name: outer[i] for name, i in self.body.captures.items()}
        if self.going:
            given[self.going] = inner.constant(True, DType.BOOL)
        found = list(inline(inner, self.body, given).values())[-self._yielded :]
        seeds = dict(zip(states, after, strict=True))
        cotangents = [*(seeds.get(name) for name in self.states), *arrived]
        wrt = [given[n] for n in states] + [outer[i] for i in captured]
        wrt += [given[n] for n in elements]
        parts = _sums(inner, zip(found, cotangents, strict=True), wrt)
        for place, total in enumerate(sums, start=len(states)):
            parts[place] = inner.Add(total, parts[place])
        return _yields(inner, parts)

    @property
    def _yielded(self) -> int:
        """How many states and rows a turn yields."""
        return len(self.states) + len(self.rows)

    @property
    def _places(self) -> range:
        """Which arguments of the loop its body captures."""
        return range(self.own, len(self.call.inputs))


def inline(build: Builder, graph: Graph, given: Mapping[str, Value]) -> dict[str, Value]:
    """Append the operators of a graph, given its inputs; returns its outputs by name."""
    scope, span = build.scope, build.span
    mapped: list[tuple[Value, ...]] = []
    for _, node in graph.nodes():
        build.scope, build.span = node.scope, node.span
        if node.op_type == INPUT:
            mapped.append((given[node.attributes["name"]],))
            continue
        operands = tuple([None if v is None else mapped[v.node][v.output] for v in node.inputs])
        leaf = node.op_type in LEAVES
        mapped.append(build.graph.add(node) if leaf else build.again(node, operands))
    build.scope, build.span = scope, span
    return {name: mapped[v.node][v.output] for name, v in graph.outputs.items()}


def _sums(
    build: Builder, ends: Iterable[tuple[Value, Value | None]], wrt: Sequence[Value]
) -> list[Value]:
    """The gradients of values that have some; zeros where there are none.

    A value may be several ends at once.
    """
    seeds: dict[Value, Value] = {}
    for value, seed in ends:
        if seed is not None:
            seeds[value] = build.Add(seeds[value], seed) if value in seeds else seed
    found = pullback(build, seeds, wrt)
    return [part or zeros_like(build, x) for part, x in zip(found, wrt, strict=True)]


def _inputs(
    build: Builder, body: Graph, names: Sequence[str], arguments: Sequence[Value | None]
) -> dict[str, Value]:
    """A body's inputs on another graph."""
    given = {name: build.input(name, body.inputs[name].type) for name in names}
    for name, place in body.captures.items():
        given[name] = build.capture(required(arguments[place]), place)
    return given


def _input(build: Builder, name: str, type: TensorType) -> Value:
    """An input whose name is free: bodies of gradients are differentiated again."""
    taken = build.graph.inputs
    free = next(n for n in chain([name], (f"{name}_{i}" for i in count(2))) if n not in taken)
    return build.input(free, type)


def _own_inputs(body: Graph) -> list[str]:
    captured = body.captures
    return [name for name in body.inputs if name not in captured]


def _layout(
    attributes: Mapping[str, object], what: str, count: int
) -> tuple[Sequence[int], Sequence[int]]:
    """Axes and directions of a scan's inputs or outputs."""
    none = (0,) * count
    axes, ways = (attributes[f"scan_{what}_{word}"] or none for word in ("axes", "directions"))
    return axes, ways  # type: ignore[return-value]


def _yields(build: Builder, values: Sequence[Value]) -> Graph:
    """The builder's graph with these outputs."""
    build.graph.outputs = {f"y{i}": value for i, value in enumerate(values)}
    return build.graph

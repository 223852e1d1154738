"""Recurrent operators as scans over their steps, in standard operators that have gradients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Value, required
from ..ir.types import DType
from .building import extent, number, plus, times, vector
from .opdef import Operands
from .recurrent_kinds import (
    BIAS,
    DIRECTIONS,
    GATE_FUNCTIONS,
    LENGTHS,
    PEEPHOLES,
    STATE,
    Function,
    Kind,
    R,
    W,
    X,
    functions_of,
)

Values = Sequence[Value]


def in_steps(
    build: Builder, kind: Kind, inputs: Operands, attributes: Mapping[str, Any]
) -> list[tuple[Value, ...]]:
    """For each direction of a recurrent operator y (S, N, H) and the last states (N, H).

    Steps beyond a sequence's end leave the states as they are, and yield zeros.
    """
    given = (*inputs, *(None,) * (PEEPHOLES + 1 - len(inputs)))
    layout = attributes["layout"]
    x = required(given[X])
    x = build.Transpose(x, perm=(1, 0, 2)) if layout else x
    lengths = given[LENGTHS]
    within = None if lengths is None else _within(build, x, lengths)
    functions = functions_of(kind, attributes)
    axes = [layout if STATE <= i < PEEPHOLES else 0 for i in range(len(given))]  # of directions
    found = []
    for place, backwards in enumerate(DIRECTIONS[attributes["direction"]]):
        parts = tuple(
            None if v is None or i in (X, LENGTHS) else _part(build, v, place, axis=axis)
            for i, (v, axis) in enumerate(zip(given, axes, strict=True))
        )
        turns = _Turns(build, kind, parts, attributes, functions[place], backwards)
        found.append(turns.scanned(x, within))
    return found


def arrived_in_steps(
    build: Builder, arrived: Operands, attributes: Mapping[str, Any]
) -> list[tuple[Value | None, ...]]:
    """What arrives at y and the last states, for each direction as `in_steps` yields them."""
    layout = attributes["layout"]
    y, *last = arrived
    y = build.Transpose(y, perm=(1, 2, 0, 3)) if layout and y is not None else y
    axes = (1, *(layout for _ in last))
    return [
        tuple(
            None if v is None else _part(build, v, place, axis=axis)
            for v, axis in zip((y, *last), axes, strict=True)
        )
        for place in range(len(DIRECTIONS[attributes["direction"]]))
    ]


def _within(build: Builder, x: Value, lengths: Value) -> Value:
    """Whether each element of each sequence is one, (S, N, 1)."""
    length = build.Gather(build.Shape(x), build.index_constant(0), axis=0)
    numbers = build.Range(build.index_constant(0), length, build.index_constant(1))
    column = build.Unsqueeze(numbers, build.index_constant((1, 2)))
    ends = build.Unsqueeze(build.Cast(lengths, to=DType.INT64), build.index_constant((0, 2)))
    return build.Less(column, ends)


def _part(build: Builder, x: Value, place: int, *, axis: int) -> Value:
    return build.Gather(x, build.index_constant(place), axis=axis)


@dataclass(frozen=True)
class _Turns:
    """One direction of a recurrent operator.

    Attributes:
        build: A builder on the graph that it is appended to.
        kind: The operator.
        parts: Its arguments' parts for this direction, without lengths and sequences.
        attributes: The operator's attributes.
        functions: The activation functions.
        backwards: Whether it goes from the last element to the first.
    """

    build: Builder
    kind: Kind
    parts: Operands
    attributes: Mapping[str, Any]
    functions: tuple[Function, ...]
    backwards: int

    @property
    def hidden(self) -> int:
        """The number of units."""
        extent = required(self.parts[R]).shape[1]
        assert isinstance(extent, int)
        return extent

    def scanned(self, x: Value, within: Value | None) -> tuple[Value, ...]:
        """y (S, N, H) and the last states (N, H)."""
        z, inside = self._products(x)
        first = [required(self.parts[STATE + i] or self._zeros(x)) for i in range(self.kind.states)]
        elements = [z] if within is None else [z, within]
        body = self.build.inner("step")
        states = [body.input(f"state{i}", value.type) for i, value in enumerate(first)]
        taken = [
            body.input(name, value.type.with_shape(value.shape[1:]))
            for name, value in zip(("z", "within"), elements, strict=False)
        ]
        place = len(first) + len(elements)
        held = [body.capture(value, i) for i, value in enumerate(inside, start=place)]
        cell = Cell(body, self.hidden, self.functions, self.attributes, held)
        after = STEPS[self.kind.name](cell, taken[0], states)
        y = after[0]
        if within is not None:
            mask = taken[1]
            after = [body.Where(mask, *pair) for pair in zip(after, states, strict=True)]
            y = body.Where(mask, y, number(body, 0.0, y))
        body.graph.outputs = {f"y{i}": value for i, value in enumerate((*after, y))}
        *last, rows = self.build.op(
            "Scan",
            (*first, *elements, *inside),
            {
                "num_scan_inputs": len(elements),
                "scan_input_directions": (self.backwards,) * len(elements),
                "scan_output_directions": (self.backwards,),
            },
            outputs=len(first) + 1,
            subgraphs={"body": body.graph},
        )
        return (rows, *last)

    def _zeros(self, x: Value) -> Value:
        zero = number(self.build, 0.0, x)
        return self.build.Expand(zero, vector(self.build, [extent(x, 1), self.hidden]))

    def _products(self, x: Value) -> tuple[Value, list[Value]]:
        """x W with the biases that are added to it, and what each step captures.

        That is R, of a GRU in two parts; the bias that a GRU resets; and peepholes.
        """
        build, hidden = self.build, self.hidden
        w, r, b, p = (self.parts[i] for i in (W, R, BIAS, PEEPHOLES))
        z = build.MatMul(x, build.Transpose(required(w), perm=(1, 0)))
        rows = self.kind.gates * hidden
        inside = [required(r)]
        if self.kind.name == "GRU":
            inside = self._split(required(r), (2 * hidden, hidden))
        if b is not None and self.attributes.get("linear_before_reset"):
            given, outer, reset = self._split(b, (rows, rows - hidden, hidden))
            nothing = build.constant((0.0,) * hidden, b.dtype)
            z = build.Add(z, build.Add(given, build.Concat(outer, nothing, axis=0)))
            inside.append(reset)
        elif b is not None:
            z = build.Add(z, build.Add(*self._split(b, (rows, rows))))
        if p is not None:
            inside += self._split(p, (hidden,) * self.kind.peepholes)
        return z, inside

    def _split(self, x: Value, extents: tuple[int, ...]) -> list[Value]:
        """Parts of the first axis."""
        sizes = self.build.index_constant(extents)
        return list(self.build.op("Split", (x, sizes), {"axis": 0}, outputs=len(extents)))


@dataclass(frozen=True)
class Cell:
    """What a step is built with.

    Attributes:
        build: A builder on the body of the scan.
        hidden: The number of units.
        functions: The activation functions.
        attributes: The operator's attributes.
        held: What the body captures.
    """

    build: Builder
    hidden: int
    functions: tuple[Function, ...]
    attributes: Mapping[str, Any]
    held: Values

    def active(self, x: Value, place: int) -> Value:
        """An activation function of x, which is clipped before where it is a gate's."""
        most, function = self.attributes["clip"], self.functions[place]
        if most is not None and place < GATE_FUNCTIONS:
            x = self.build.Clip(x, *(number(self.build, bound, x) for bound in (-most, most)))
        return FUNCTIONS[function.name](self.build, x, function)

    def gates(self, z: Value) -> Values:
        """Parts of H columns."""
        columns = z.shape[1]
        assert isinstance(columns, int)
        count = columns // self.hidden
        sizes = self.build.index_constant((self.hidden,) * count)
        return self.build.op("Split", (z, sizes), {"axis": 1}, outputs=count)


def lstm_step(cell: Cell, z: Value, states: Values) -> list[Value]:
    """c <- f c + i g and h <- o tanh c, with gates i, o, f and g of W x + R h + b + P c."""
    build, (h, c) = cell.build, states
    r, *peepholes = cell.held
    i, o, f, g = cell.gates(build.Gemm(h, r, z, transB=1))
    if peepholes:
        i, f = (
            build.Add(gate, build.Mul(p, c)) for gate, p in ((i, peepholes[0]), (f, peepholes[2]))
        )
    i = cell.active(i, 0)
    coupled = cell.attributes["input_forget"]
    f = build.Sub(number(build, 1.0, i), i) if coupled else cell.active(f, 0)
    c = build.Add(build.Mul(f, c), build.Mul(i, cell.active(g, 1)))
    o = build.Add(o, build.Mul(peepholes[1], c)) if peepholes else o
    return [build.Mul(cell.active(o, 0), cell.active(c, 2)), c]


def gru_step(cell: Cell, z: Value, states: Values) -> list[Value]:
    """h <- (1 - z) g + z h with g of W x + R (r h) + b or, with the product first, r (R h + b)."""
    build, (h,) = cell.build, states
    outer, inner, *bias = cell.held
    sizes = build.index_constant((2 * cell.hidden, cell.hidden))
    before, x = build.op("Split", (z, sizes), {"axis": 1}, outputs=2)
    update, reset = (
        cell.active(gate, 0) for gate in cell.gates(build.Gemm(h, outer, before, transB=1))
    )
    if cell.attributes["linear_before_reset"]:
        product = build.Gemm(h, inner, *bias, transB=1)
        total = build.Add(x, build.Mul(reset, product))
    else:
        total = build.Gemm(build.Mul(reset, h), inner, x, transB=1)
    g = cell.active(total, 1)
    return [build.Add(g, build.Mul(update, build.Sub(h, g)))]


def rnn_step(cell: Cell, z: Value, states: Values) -> list[Value]:
    """h <- f(W x + R h + b)."""
    (h,), (r,) = states, cell.held
    return [cell.active(cell.build.Gemm(h, r, z, transB=1), 0)]


STEPS: Mapping[str, Callable[[Cell, Value, Values], list[Value]]] = {
    "LSTM": lstm_step,
    "GRU": gru_step,
    "RNN": rnn_step,
}

FUNCTIONS: Mapping[str, Callable[[Builder, Value, Function], Value]] = {
    "Affine": lambda build, x, f: plus(build, times(build, x, f.alpha), f.beta),
    "Elu": lambda build, x, f: build.Elu(x, alpha=f.alpha),
    "HardSigmoid": lambda build, x, f: build.HardSigmoid(x, alpha=f.alpha, beta=f.beta),
    "LeakyRelu": lambda build, x, f: build.LeakyRelu(x, alpha=f.alpha),
    "Relu": lambda build, x, f: build.Relu(x),
    "ScaledTanh": lambda build, x, f: times(build, build.Tanh(times(build, x, f.beta)), f.alpha),
    "Sigmoid": lambda build, x, f: build.Sigmoid(x),
    "Softplus": lambda build, x, f: build.Softplus(x),
    "Softsign": lambda build, x, f: build.Softsign(x),
    "Tanh": lambda build, x, f: build.Tanh(x),
    "ThresholdedRelu": lambda build, x, f: build.ThresholdedRelu(x, alpha=f.alpha),
}

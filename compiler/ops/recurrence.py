"""Recurrent operators: LSTM, GRU and RNN, and their gradients, which are operators of our own.

With a batch N, S elements, I inputs and H units in each of D directions, x is (S, N, I), or with
`layout` 1 (N, S, I). Weights W (D, G H, I) and R (D, G H, H) hold G gates, of an LSTM i, o, f and
c, of a GRU z, r and h; b (D, 2 G H) has a part for either.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from ..ir.builder import Builder
from ..ir.dim import equal
from ..ir.graph import Node, Value, required
from ..ir.signature import InferenceError, OpCall
from ..ir.types import Shape, TensorType
from .building import extent, number, vector, zeros_like
from .gradient import pullback
from .opdef import Cost, Cotangents, OpDef, Operands, Precision, Role, VjpCall, define
from .receptive_field import Field, everything, spread
from .recurrence_steps import arrived_in_steps, in_steps
from .recurrent_kinds import (
    BIAS,
    CELL,
    DIRECTIONS,
    GRADIENT,
    KINDS,
    LENGTHS,
    NUMBERS,
    OURS,
    PEEPHOLES,
    REAL,
    STATE,
    Kind,
    R,
    W,
    X,
    kind_of,
)


def infer_recurrence(call: OpCall) -> Sequence[TensorType]:
    """x, W, R and optional b, lengths (N), first states, peepholes => y, last states.

    y is (S, D, N, H) and states are (D, N, H), or with `layout` 1 (N, S, D, H) and (N, D, H).
    """
    _check_attributes(call)
    shapes = _shapes(call)
    for position, shape in enumerate(shapes[: kind_of(call.op_type).inputs]):
        if call.has(position):
            _check(call, position, shape)
    return _yielded(call, shapes)[: call.outputs]


def _yielded(call: OpCall, shapes: Sequence[Shape]) -> list[TensorType]:
    """All outputs, given the shapes of arguments."""
    x, state = call.type(X), shapes[STATE]
    first, second = x.shape[:2]
    y = (first, second, *state[1:]) if call.attributes["layout"] else (first, *state)
    return [x.with_shape(y), *(x.with_shape(state) for _ in range(kind_of(call.op_type).states))]


def _shapes(call: OpCall) -> Sequence[Shape]:
    """The shapes of arguments, given those of x and R."""
    kind, x, r = kind_of(call.op_type), call.type(X), call.type(R)
    directions, hidden = len(DIRECTIONS[call.attributes["direction"]]), r.shape[-1]
    if x.rank != 3 or not x.dtype.is_float or not isinstance(hidden, int):
        raise InferenceError(f"{call.op_type} cannot take {x} with weights {r}")
    if call.attributes["hidden_size"] not in (None, hidden):
        units = call.attributes["hidden_size"]
        raise InferenceError(f"{call.op_type} has {units} units, but weights of {hidden}")
    layout = call.attributes["layout"]
    batch, rows = x.shape[0 if layout else 1], kind.gates * hidden
    state = (batch, directions, hidden) if layout else (directions, batch, hidden)
    return (
        *(x.shape, (directions, rows, x.shape[2]), (directions, rows, hidden)),
        *((directions, 2 * rows), (batch,), state, state),
        (directions, kind.peepholes * hidden),
    )


def _check(call: OpCall, position: int, shape: Shape) -> None:
    """An argument has a shape, and the element type of x, or is a vector of lengths."""
    found = call.type(position)
    fits = found.rank == len(shape) and not any(
        equal(a, b) is False for a, b in zip(found.shape, shape, strict=True)
    )
    is_lengths = position == LENGTHS
    is_right = found.dtype.is_integer if is_lengths else found.dtype == call.type(X).dtype
    if not fits or not is_right:
        wanted = call.type(X).with_shape(shape)
        raise InferenceError(f"{call.op_type} needs {wanted} for argument {position}, not {found}")


def _check_attributes(call: OpCall) -> None:
    """There is a direction, and a known function for each place of each direction."""
    kind, word, names = (
        kind_of(call.op_type),
        *map(call.attributes.get, ("direction", "activations")),
    )
    if word not in DIRECTIONS:
        raise InferenceError(f"{call.op_type} has no direction `{word}`")
    wanted = len(DIRECTIONS[word]) * len(kind.functions)
    if names is not None and len(names) != wanted:
        raise InferenceError(f"{call.op_type} takes {wanted} activations, not {len(names)}")
    for name in names or ():
        if name not in NUMBERS:
            raise InferenceError(f"{call.op_type} has no activation `{name}`")


def recurrence_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each element takes W x and R h: G H (I + H) products per sample and direction."""
    return _cost(call, 1)


def gradient_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """The operator again, and for each of its products two."""
    return _cost(call, 3)


def _cost(call: OpCall, times: int) -> Cost:
    kind, x, w, r = kind_of(call.op_type), *map(call.type, (X, W, R))
    directions, rows, inputs = w.shape
    turns = x.shape[0] * x.shape[1] * directions
    seen = 2 * kind.peepholes if kind.peepholes and call.has(PEEPHOLES) else 0
    work = turns * r.shape[2] * (kind.work + seen)
    return Cost(macs=times * turns * rows * (inputs + r.shape[2]), elementwise=times * work)


def recurrent(node: Node, operands: Sequence[Field]) -> Field:
    """Every element depends on others along the sequence: it sees the whole input."""
    return tuple(map(spread, operands[0]))


def as_engines_take_it(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value] | None:
    """With the batch second, and the number of units as an attribute."""
    layout, units = call.attributes["layout"], call.attributes["hidden_size"]
    if not layout and units is not None:
        return None
    taken = list(operands)
    for position in (X, STATE, CELL):
        if layout and call.has(position):
            taken[position] = build.Transpose(required(taken[position]), perm=(1, 0, 2))
    attributes = {**call.attributes, "layout": 0, "hidden_size": call.type(R).shape[2]}
    y, *states = build.op(call.row, taken, attributes, outputs=call.outputs)
    if not layout:
        return (y, *states)
    last = (build.Transpose(state, perm=(1, 0, 2)) for state in states)
    return (build.Transpose(y, perm=(2, 0, 1, 3)), *last)


def recurrence(build: Builder, call: VjpCall) -> Cotangents:
    """Backpropagation through time, as one operator (Werbos 1990)."""
    kind = kind_of(call.op_type)
    given = [*call.inputs, *(None,) * (kind.inputs - len(call.inputs))]
    arrived = [*call.cotangents, *(None,) * (1 + kind.states - len(call.cotangents))]
    places = _places(kind)
    count = 1 + max(i for i, p in enumerate(places) if p < len(call.wanted) and call.wanted[p])
    name = f"{OURS}{kind.name}{GRADIENT}"
    values = build.op(name, (*given, *arrived), call.attributes, outputs=count)
    found = dict(zip(places, values, strict=False))
    return [found.get(position) for position in range(len(call.inputs))]


def _places(kind: Kind) -> Sequence[int]:
    """The arguments that have gradients, in order."""
    return [p for p in REAL if p < kind.inputs]


def infer_gradient(call: OpCall) -> Sequence[TensorType]:
    """The operator's arguments, and gradients of its outputs => those of its real arguments.

    Of biases, first states and peepholes that are left out, they are those at zeros.
    """
    kind = kind_of(call.op_type)
    shapes = _shapes(call)
    yielded = _yielded(call, shapes)
    infer_recurrence(replace(call, inputs=call.inputs[: kind.inputs]))
    for position, type in enumerate(yielded, start=kind.inputs):
        if call.has(position):
            _check(call, position, type.shape)
    return [call.type(X).with_shape(shapes[p]) for p in _places(kind)][: call.outputs]


def gradient_in_steps(build: Builder, operands: Operands, call: OpCall) -> list[Value]:
    """What arrives at the operator's outputs, through its steps backwards.

    Arguments are copied first: where one is computed from another, that is not asked here.
    """
    kind = kind_of(call.op_type)
    given = [None if v is None else build.Identity(v) for v in operands[: kind.inputs]]
    places = _places(kind)[: call.outputs]
    for position in places:
        if given[position] is None:
            given[position] = _nothing(build, call, required(given[X]), position)
    yielded = in_steps(build, kind, tuple(given), call.attributes)
    arrived = arrived_in_steps(build, operands[kind.inputs :], call.attributes)
    pairs = zip(chain(*yielded), chain(*arrived), strict=True)
    seeds = {value: dy for value, dy in pairs if dy is not None}
    wrt = [required(given[position]) for position in places]
    parts = pullback(build, seeds, wrt)
    return [part or zeros_like(build, x) for part, x in zip(parts, wrt, strict=True)]


def _nothing(build: Builder, call: OpCall, x: Value, position: int) -> Value:
    """Zeros in place of an argument that is left out."""
    shape = _shapes(call)[position]
    batch = 0 if call.attributes["layout"] else 1
    extents = [dim if isinstance(dim, int) else extent(x, batch) for dim in shape]
    return build.Expand(number(build, 0.0, x), vector(build, extents))


def gradient_of_gradient(build: Builder, call: VjpCall) -> Cotangents:
    """That of the gradient in steps."""
    copies = tuple(None if v is None else build.Identity(v) for v in call.inputs)
    row = build.call(call.op_type, copies, call.attributes, outputs=len(call.outputs))
    found = gradient_in_steps(build, copies, row)
    pairs = zip(found, call.cotangents, strict=True)
    seeds = {value: dy for value, dy in pairs if dy is not None}
    wanted = [i for i, want in enumerate(call.wanted) if want]
    parts = pullback(build, seeds, [required(copies[i]) for i in wanted])
    placed = dict(zip(wanted, parts, strict=True))
    return [placed.get(i) for i in range(len(call.inputs))]


ATTRIBUTES = {
    "activation_alpha": None,
    "activation_beta": None,
    "activations": None,
    "clip": None,
    "direction": "forward",
    "hidden_size": None,
    "layout": 0,
}
OWN = {"LSTM": {"input_forget": 0}, "GRU": {"linear_before_reset": 0}, "RNN": {}}
ROLES = {W: Role.WEIGHT, R: Role.WEIGHT, BIAS: Role.BIAS, PEEPHOLES: Role.SCALE}

for kind in KINDS:
    define(
        OpDef(
            kind.name,
            22,
            infer=infer_recurrence,
            cost=recurrence_cost,
            sees=recurrent,
            precision=Precision.FULL,
            attributes={**ATTRIBUTES, **OWN[kind.name]},
            optional_outputs=True,
            vjp=recurrence,
            decompose=as_engines_take_it,
            roles=tuple(ROLES.get(i, Role.OTHER) for i in range(PEEPHOLES + 1)),
        ),
        OpDef(
            f"{OURS}{kind.name}{GRADIENT}",
            1,
            domain="netc",
            infer=infer_gradient,
            cost=gradient_cost,
            sees=everything,
            precision=Precision.FULL,
            attributes={**ATTRIBUTES, **OWN[kind.name]},
            optional_outputs=True,
            vjp=gradient_of_gradient,
            decompose=gradient_in_steps,
        ),
    )

"""Operators that run subgraphs: If, Loop and Scan."""

from collections.abc import Sequence
from typing import Any

from ..ir.dim import Dim, equal, unknown
from ..ir.signature import REQUIRED, BodyType, InferenceError, MissingAttributeError, OpCall
from ..ir.types import DType, HolderType, OptionalType, TensorType
from . import control_flow_gradients as gradients
from .cuts import UnknownValueError
from .opdef import OpDef, Precision, define, free
from .receptive_field import everything


def infer_if(call: OpCall) -> Sequence[TensorType]:
    """A truth value, then_branch and else_branch => what both branches may yield."""
    condition = call.type(0)
    if not _is_one(condition, DType.BOOL):
        raise InferenceError(f"If takes one truth value, not {condition}")
    first, second = _body(call, "then_branch", 0), _body(call, "else_branch", 0)
    if len(first.outputs) != len(second.outputs):
        counts = f"{len(first.outputs)} and {len(second.outputs)}"
        raise InferenceError(f"If has branches with {counts} outputs")
    return tuple(_either(call, a, b) for a, b in zip(first.outputs, second.outputs, strict=True))


def infer_loop(call: OpCall) -> Sequence[TensorType]:
    """How many turns at most, whether any, states => states, and a row of each further output.

    The body takes the number of the turn, a truth value and states, and yields a truth value,
    states and further outputs.
    """
    carried = len(call.inputs) - 2
    body = _body(call, "body", 2 + carried)
    for index, dtype, what in ((0, DType.INT64, "a number"), (1, DType.BOOL, "a truth value")):
        if call.has(index) and not _is_one(call.type(index), dtype):
            raise InferenceError(f"Loop takes {what} for argument {index}, not {call.type(index)}")
    if not body.outputs or not _is_one(body.outputs[0], DType.BOOL):
        raise InferenceError("Loop needs a `body` whose first output is a truth value")
    states = _carried(call, 2, body.inputs[2:], body.outputs[1 : 1 + carried])
    rows = (_grown(call, type, 0, unknown()) for type in body.outputs[1 + carried :])
    return (*states, *rows)


def _is_one(type: TensorType, dtype: DType) -> bool:
    """Whether it is a tensor of one element of a type, as far as extents are known."""
    is_tensor = type.dtype is dtype and not isinstance(type, HolderType)
    return is_tensor and not any(equal(extent, 1) is False for extent in type.shape)


def loop_turns(call: OpCall) -> Dim:
    """As many as it takes at most, where that is a constant; the body may end it earlier."""
    most: Any = call.known(0)
    return int(most) if isinstance(most, int) else unknown()


def infer_scan(call: OpCall) -> Sequence[TensorType]:
    """States and sequences => states, and a row of each further output.

    The body takes states and an element of each sequence.
    """
    carried = len(call.inputs) - call.attributes["num_scan_inputs"]
    body = _body(call, "body", len(call.inputs))
    states = _carried(call, 0, body.inputs[:carried], body.outputs[:carried])
    rows = body.outputs[carried:]
    places = call.attributes["scan_output_axes"] or (0,) * len(rows)
    length = scan_turns(call)
    grown = (_grown(call, type, axis, length) for axis, type in zip(places, rows, strict=True))
    return (*states, *grown)


def scan_turns(call: OpCall) -> Dim:
    """The length of the first sequence, which all others have, too."""
    count = call.attributes["num_scan_inputs"]
    sequences = [call.type(position) for position in range(len(call.inputs))[-count:]]
    axes = call.attributes["scan_input_axes"] or (0,) * count
    for axis, type in zip(axes, sequences, strict=True):
        if not -type.rank <= axis < type.rank:
            raise InferenceError(f"Scan has no axis {axis} in {type}")
    length: Dim = sequences[0].shape[axes[0]]
    return length


def _body(call: OpCall, name: str, inputs: int) -> BodyType:
    """The types of a subgraph that takes this number of inputs."""
    if name not in call.bodies:
        raise MissingAttributeError(f"{call.op_type} needs `{name}`")
    body = call.bodies[name]
    if len(body.inputs) != inputs:
        what = f"{inputs} inputs, not {len(body.inputs)}"
        raise InferenceError(f"{call.op_type} needs a `{name}` of {what}")
    return body


def _carried(
    call: OpCall, first: int, taken: Sequence[TensorType], yielded: Sequence[TensorType]
) -> Sequence[TensorType]:
    """The types of states, which each turn hands to the next."""
    if len(yielded) < len(taken):
        raise InferenceError(f"{call.op_type} needs a `body` that yields {len(taken)} states")
    given = [call.type(first + position) for position in range(len(taken))]
    for before, inner in zip(given, taken, strict=True):
        _either(call, before, inner)
    ends = zip(map(_begun, given, yielded), yielded, strict=True)
    return [_either(call, before, after) for before, after in ends]


def _begun(given: TensorType, yielded: TensorType) -> TensorType:
    """What a state may be at the end if no turn changes it: of an optional value, what it holds."""
    if isinstance(given, OptionalType) and not isinstance(yielded, OptionalType):
        return given.element or given
    return given


def _either(call: OpCall, a: TensorType, b: TensorType) -> TensorType:
    """A type that is one of two: extents that differ are unknown."""
    found = a.joined(b)
    if found is None:
        alike = a.__class__ is b.__class__ and a.dtype is b.dtype
        failure = UnknownValueError if alike else InferenceError  # a model may declare the rank
        raise failure(f"{call.op_type} cannot yield both {a} and {b}")
    return found


def _grown(call: OpCall, type: TensorType, axis: int, extent: Dim) -> TensorType:
    """The type of a row of each turn."""
    if isinstance(type, HolderType):
        raise InferenceError(f"{call.op_type} stacks no {type}")
    place = axis % (type.rank + 1)
    return type.with_shape((*type.shape[:place], extent, *type.shape[place:]))


define(
    OpDef(
        "If",
        21,
        infer=infer_if,
        cost=free,
        sees=everything,
        precision=Precision.FULL,
        vjp=gradients.if_,
        takes_holders=True,
    ),
    OpDef(
        "Loop",
        21,
        infer=infer_loop,
        cost=free,
        turns=loop_turns,
        sees=everything,
        precision=Precision.FULL,
        vjp=gradients.loop,
        takes_holders=True,
    ),
    OpDef(
        "Scan",
        21,
        infer=infer_scan,
        cost=free,
        turns=scan_turns,
        sees=everything,
        precision=Precision.FULL,
        vjp=gradients.scan,
        takes_holders=True,
        attributes={
            "num_scan_inputs": REQUIRED,
            "scan_input_axes": None,
            "scan_input_directions": None,
            "scan_output_axes": None,
            "scan_output_directions": None,
        },
    ),
)

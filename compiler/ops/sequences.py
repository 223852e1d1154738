"""Sequences of tensors, and optional values: what makes them, changes them and takes them apart.

A sequence's type holds one type of all its elements; none where their ranks differ.
"""

from collections.abc import Sequence
from functools import partial

from ..ir.dim import Dim, is_unknown, unknown
from ..ir.signature import REQUIRED, InferenceError, MissingAttributeError, OpCall
from ..ir.types import DType, HolderType, OptionalType, SequenceType, TensorType
from .cuts import UnknownValueError
from .elementwise import spelled
from .opdef import OpDef, Precision, define, free
from .receptive_field import everything

LENGTH = TensorType(DType.INT64, ())
TRUTH = TensorType(DType.BOOL, ())


def sequence(call: OpCall, index: int) -> SequenceType:
    """The type of an argument that is a sequence."""
    type = call.type(index)
    if not isinstance(type, SequenceType):
        raise InferenceError(f"{call.op_type} needs a sequence for argument {index}, not {type}")
    return type


def element(call: OpCall, type: HolderType) -> TensorType:
    """The type of a tensor that is taken out; an extent that is unknown is that of it alone."""
    if type.element is None:
        raise UnknownValueError(f"{call.op_type} cannot tell how many axes there are in {type}")
    if isinstance(type.element, HolderType):
        return type.element
    extents = type.element.shape
    return type.element.with_shape(unknown() if is_unknown(dim) else dim for dim in extents)


def infer_construct(call: OpCall) -> Sequence[TensorType]:
    """Tensors => a sequence of them."""
    found: TensorType = SequenceType(call.type(0).dtype, (), empty=True)
    for index in range(len(call.inputs)):
        found = _with(call, found, call.type(index))
    return (found,)


def infer_empty(call: OpCall) -> Sequence[TensorType]:
    """Nothing => a sequence of no tensors of the element type `dtype`."""
    return (SequenceType(call.attributes["dtype"], (), empty=True),)


def infer_insert(call: OpCall) -> Sequence[TensorType]:
    """A sequence, a tensor and, optionally, a place => the sequence with the tensor in it."""
    _check_place(call, 2)
    return (_with(call, sequence(call, 0), call.type(1)),)


def infer_erase(call: OpCall) -> Sequence[TensorType]:
    """A sequence and, optionally, a place => the sequence without the tensor there."""
    _check_place(call, 1)
    return (sequence(call, 0),)


def infer_at(call: OpCall) -> Sequence[TensorType]:
    """A sequence and a place => the tensor there."""
    call.type(1)
    _check_place(call, 1)
    return (element(call, sequence(call, 0)),)


def infer_length(call: OpCall) -> Sequence[TensorType]:
    """A sequence => how many tensors it holds."""
    sequence(call, 0)
    return (LENGTH,)


def infer_split(call: OpCall) -> Sequence[TensorType]:
    """A tensor and, optionally, the extents of its parts along `axis` => the parts.

    One extent is that of all parts but the last. Without extents each part is 1 long, and loses
    its axis unless `keepdims`.
    """
    x, axis = call.type(0), _axis(call, call.attributes["axis"], call.type(0).rank)
    part: tuple[Dim, ...] = ()
    if call.has(1) and not _are_whole(call.type(1)):
        raise InferenceError(f"SplitToSequence needs whole numbers, not {call.type(1)}")
    if call.has(1):
        part = (_part(x.shape[axis], call.known(1)),)
    elif call.attributes["keepdims"]:
        part = (1,)
    return (SequenceType.of(x.with_shape((*x.shape[:axis], *part, *x.shape[axis + 1 :]))),)


def _part(extent: Dim, sizes: object) -> Dim:
    """The extent that all parts have; unknown where they differ or are unknown."""
    if isinstance(sizes, tuple):
        return sizes[0] if len(set(sizes)) == 1 and isinstance(sizes[0], int) else unknown()
    whole = isinstance(sizes, int) and isinstance(extent, int) and sizes > 0 and extent % sizes == 0
    return sizes if whole and isinstance(sizes, int) else unknown()


def infer_concat(call: OpCall) -> Sequence[TensorType]:
    """A sequence => its tensors side by side along `axis`, which with `new_axis` is another one."""
    type = element(call, sequence(call, 0))
    new = int(call.attributes["new_axis"])
    axis = _axis(call, call.attributes["axis"], type.rank + new)
    rest = type.shape[axis + 1 - new :]
    return (type.with_shape((*type.shape[:axis], unknown(), *rest)),)


def infer_map(call: OpCall) -> Sequence[TensorType]:
    """A sequence, and further sequences or tensors => a sequence of each output of `body`.

    The body takes an element of each sequence, and the tensors as they are.
    """
    sequence(call, 0)
    if "body" not in call.bodies:
        raise MissingAttributeError("SequenceMap needs `body`")
    body = call.bodies["body"]
    if len(body.inputs) != len(call.inputs):
        counts = f"{len(call.inputs)} inputs, not {len(body.inputs)}"
        raise InferenceError(f"SequenceMap needs a `body` of {counts}")
    for index, taken in enumerate(body.inputs):
        type = call.type(index)
        handed = type.element if isinstance(type, SequenceType) else type
        if isinstance(type, OptionalType) or (handed and handed.joined(taken) is None):
            raise InferenceError(f"SequenceMap cannot hand {type} to a `body` that takes {taken}")
    if held := [type for type in body.outputs if isinstance(type, HolderType)]:
        raise InferenceError(f"SequenceMap makes no sequence of {held[0]}")
    return tuple(map(SequenceType.of, body.outputs))


def infer_optional(call: OpCall) -> Sequence[TensorType]:
    """A value => that value; nothing => no value of the type that the attribute `type` states."""
    given = call.type(0) if call.has(0) else call.attributes["type"]
    if given is None or isinstance(given, OptionalType):
        raise InferenceError(f"Optional takes a tensor or a sequence, not {given or 'nothing'}")
    return (OptionalType.of(given),)


def infer_has_element(call: OpCall) -> Sequence[TensorType]:
    """A value, or nothing => whether it holds one."""
    return (TRUTH,)


def infer_get_element(call: OpCall) -> Sequence[TensorType]:
    """An optional value => what it holds; what is not optional stays as it is."""
    x = call.type(0)
    return (element(call, x) if isinstance(x, OptionalType) else x,)


def _with(call: OpCall, held: TensorType, tensor: TensorType) -> TensorType:
    """The type of a sequence that a tensor is put into."""
    if isinstance(tensor, HolderType):
        raise InferenceError(f"{call.op_type} puts no {tensor} into a sequence")
    found = held.joined(SequenceType.of(tensor))
    if found is None:
        raise InferenceError(
            f"{call.op_type} takes one element type, not {spelled([held, tensor])}"
        )
    return found


def _check_place(call: OpCall, index: int) -> None:
    """Refuse what is not one whole number."""
    if call.has(index) and not _are_whole(call.type(index)):
        raise InferenceError(f"{call.op_type} needs a whole number, not {call.type(index)}")


def _are_whole(type: TensorType) -> bool:
    """Whether it is a whole number, or a vector of them."""
    return type.dtype.is_integer and type.rank <= 1 and not isinstance(type, HolderType)


def _axis(call: OpCall, axis: int, rank: int) -> int:
    """An axis, counted from the first."""
    if not -rank <= axis < rank:
        raise InferenceError(f"{call.op_type} has no axis {axis} among {rank}")
    return axis % rank


# Operators that move tensors as they are, in the types that they have.
_row = partial(OpDef, cost=free, sees=everything, precision=Precision.FULL, takes_holders=True)

define(
    _row("SequenceConstruct", 11, infer=infer_construct),
    _row("SequenceEmpty", 11, infer=infer_empty, attributes={"dtype": DType.FLOAT32}),
    _row("SequenceInsert", 11, infer=infer_insert),
    _row("SequenceErase", 11, infer=infer_erase),
    _row("SequenceAt", 11, infer=infer_at),
    _row("SequenceLength", 11, infer=infer_length, constant=True),
    _row("SplitToSequence", 11, infer=infer_split, attributes={"axis": 0, "keepdims": 1}),
    _row(
        "ConcatFromSequence", 11, infer=infer_concat, attributes={"axis": REQUIRED, "new_axis": 0}
    ),
    _row("SequenceMap", 17, infer=infer_map),
    _row("Optional", 15, infer=infer_optional, attributes={"type": None}),
    _row("OptionalHasElement", 18, infer=infer_has_element, constant=True),
    _row("OptionalGetElement", 18, infer=infer_get_element),
)

"""Graph -> Graph: replaces what is the same for all inputs by constants."""

import operator
import struct
from collections.abc import Callable, Mapping, Sequence
from math import prod, sqrt
from typing import Any

from ..ir.builder import MOST_KNOWN, Builder
from ..ir.dim import is_unknown
from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from ..ops.opdef import Operands, row_of
from .rewrite import RewriteRule, rewrite_if_any

# What IEEE 754 rounds correctly, so that Python agrees with every engine.
ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Cast": operator.pos,
    "Div": operator.truediv,
    "Mul": operator.mul,
    "Neg": operator.neg,
    "Sqrt": sqrt,
    "Sub": operator.sub,
}
# What Python raises where there is no result, or the type does not hold it.
REFUSALS = (ArithmeticError, ValueError, struct.error)

Numbers = Sequence[Any]


def fold_constants(graph: Graph) -> Graph:
    """Replace operators that yield the same few numbers for all inputs by constants.

    These are extents that are known, and arithmetic of constants. Constants have the digits of
    float64, and engines compute in it or in float32: what these disagree on is left to them.
    """
    nodes = {node.op_type: node for _, node in graph.nodes() if node.row is not None}
    known = (op_type for op_type, node in nodes.items() if row_of(node).known is not None)
    rules: dict[str, RewriteRule] = dict.fromkeys(known, _fold_extents)
    rules |= dict.fromkeys(ARITHMETIC.keys() & nodes.keys(), _fold_arithmetic)
    return rewrite_if_any(graph, rules)


def known_extents(build: Builder, node: Node, operands: Operands) -> Any:
    """The extent that an operator yields, or a tuple of them, as far as that is known; or None."""
    row, type = node.row, node.outputs[0]
    if row is None or row.known is None or not type.dtype.is_integer or type.rank > 1:
        return None
    known = row.known(build.call(row, operands, node.attributes))
    extents = known if isinstance(known, tuple) else (known,)
    return None if any(map(is_unknown, filter(None, extents))) else known


def _fold_extents(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Extents without symbols."""
    known = known_extents(build, node, operands)
    extents = known if isinstance(known, tuple) else (known,)
    if len(extents) > MOST_KNOWN or not all(isinstance(extent, int) for extent in extents):
        return None
    return (build.constant(known, node.outputs[0].dtype),)


def _fold_arithmetic(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """The operation on each element; a single one goes with all elements of the others."""
    (type,) = node.outputs
    tensors = [None if value is None else _constant(build, value, type) for value in operands]
    held = [(tensor, v.dtype) for tensor, v in zip(tensors, operands, strict=True) if tensor and v]
    if len(held) < len(operands):
        return None
    function = ARITHMETIC[node.op_type]
    try:
        wide = list(map(function, *(_spread(t, _wide(d), type) for t, d in held)))
        own = list(map(function, *(_spread(t, d, type) for t, d in held)))
        if _packed(wide, type.dtype) != _packed(own, type.dtype):
            return None
        stored = _wide(type.dtype)
        tensor = Tensor(stored, type.extents, _packed(wide, stored))
    except REFUSALS:
        return None
    return (build.constant(tensor, type.dtype),)


def _constant(build: Builder, value: Value, type: TensorType) -> Tensor | None:
    """What a constant holds, if it goes element by element with a result of a type."""
    node = build.graph.producer(value)
    if node.op_type != CONSTANT:
        return None
    tensor: Tensor = node.attributes["value"]
    is_plain = tensor.size == 1 or (tensor.shape == type.shape and tensor.size <= MOST_KNOWN)
    return tensor if is_plain and tensor.dtype.letter and type.dtype.letter else None


def _wide(dtype: DType) -> DType:
    """The type that holds all digits of a constant."""
    return DType.FLOAT64 if dtype.is_float else dtype


def _spread(tensor: Tensor, dtype: DType, type: TensorType) -> Numbers:
    """A constant's numbers in an element type, as many as the result has."""
    numbers = struct.unpack(f"<{tensor.size}{dtype.letter}", _packed(tensor.numbers() or (), dtype))
    return numbers * prod(type.extents) if tensor.size == 1 else numbers


def _packed(numbers: Numbers, dtype: DType) -> bytes:
    return struct.pack(f"<{len(numbers)}{dtype.letter}", *numbers)

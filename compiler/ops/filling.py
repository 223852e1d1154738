"""Operators that make tensors of a shape: of one number, or with ones on a diagonal."""

from collections.abc import Sequence
from typing import Any

from ..ir.dim import unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from .cuts import length_of
from .opdef import OpDef, Precision, define, free
from .receptive_field import everything


def infer_constant_of_shape(call: OpCall) -> Sequence[TensorType]:
    """A shape => a tensor of it that holds the number `value`, by default 0 in float32."""
    value: Tensor | None = call.attributes["value"]
    if value is not None and value.size != 1:
        raise InferenceError(f"ConstantOfShape needs one number, not {value.shape}")
    shape = call.vector(0)
    if shape is None:
        shape = tuple(unknown() for _ in range(length_of(call, 0)))
    if any(isinstance(extent, int) and extent < 0 for extent in shape):
        raise InferenceError(f"ConstantOfShape cannot make a tensor of {shape}")
    return (TensorType(DType.FLOAT32 if value is None else value.dtype, shape),)


def filled_values(call: OpCall) -> Any:
    """The number, as often as the shape says."""
    shape, value = call.vector(0), call.attributes["value"]
    if shape is None or not all(isinstance(extent, int) for extent in shape) or value is None:
        return None
    if len(shape) > 1 and 0 in shape:  # nested tuples have no such shape
        return None
    found = value.number()
    for extent in reversed(shape):
        found = (found,) * extent
    return found


def infer_eye_like(call: OpCall) -> Sequence[TensorType]:
    """x (M, N) => ones on the diagonal `k`, else zeros, of x's element type or `dtype`."""
    x, dtype = call.type(0), call.attributes["dtype"]
    if x.rank != 2:
        raise InferenceError(f"EyeLike takes a matrix, not {x}")
    return (TensorType(dtype or x.dtype, x.shape),)


define(
    OpDef(
        "ConstantOfShape",
        21,
        infer=infer_constant_of_shape,
        cost=free,
        sees=everything,
        attributes={"value": None},
        known=filled_values,
        constant=True,
    ),
    OpDef(
        "EyeLike",
        22,
        precision=Precision.FULL,
        infer=infer_eye_like,
        cost=free,
        sees=everything,
        attributes={"dtype": None, "k": 0},
        constant=True,
    ),
)

"""Types and attributes as ONNX's protobuf messages."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import (
    AttributeProto,
    TensorProto,
    TensorShapeProto,
    TypeProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from ..ir.dim import Dim, is_unknown, unknown
from ..ir.signature import Signature
from ..ir.tensor import Tensor
from ..ir.types import DType, HolderType, OptionalType, SequenceType, TensorType
from .schemas import attribute_type

PRODUCER = "netc"  # what models that netc writes say that they come from
# What a stored tensor of real numbers says of itself that is a constant, and no weight.
CONSTANT_NOTE = "constant"


def value_info(name: str, type: TensorType) -> ValueInfoProto:
    """A typed name."""
    return helper.make_value_info(name, type_proto(type))


def type_proto(type: TensorType) -> TypeProto:
    """A type; extents that are not numbers are named, the batch `N`, unless unknown."""
    if isinstance(type, HolderType):
        held = type_proto(type.element) if type.element else _of_any_rank(type.dtype)
        return HOLDERS[type.__class__](held)
    shape = [
        dim if isinstance(dim, int) else None if is_unknown(dim) else str(dim) for dim in type.shape
    ]
    return helper.make_tensor_type_proto(element_type(type.dtype), shape)


def _of_any_rank(dtype: DType) -> TypeProto:
    return helper.make_tensor_type_proto(element_type(dtype), None)


HOLDERS: Mapping[type[HolderType], Callable[[TypeProto], TypeProto]] = {
    SequenceType: helper.make_sequence_type_proto,
    OptionalType: helper.make_optional_type_proto,
}


def known_extent(dim: TensorShapeProto.Dimension, axis: int) -> Dim:
    """The extent of an axis, unknown where it is no number."""
    return dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else unknown()


def type_of(
    proto: TypeProto,
    extent: Callable[[TensorShapeProto.Dimension, int], Dim] = known_extent,
) -> TensorType | None:
    """A type as ONNX writes it; None for one that a graph cannot hold, or of no known rank.

    Args:
        proto: The type.
        extent: Gives the extent of an axis. What sequences and optional values hold has unknown
            ones instead of those that are no numbers.
    """
    kind = proto.WhichOneof("value")
    if kind == "tensor_type":
        dtype, dims = DType.of_code(proto.tensor_type.elem_type), proto.tensor_type.shape.dim
        if dtype is None or not proto.tensor_type.HasField("shape"):
            return None
        return TensorType(dtype, tuple(extent(dim, axis) for axis, dim in enumerate(dims)))
    if kind not in HELD:
        return None
    holder, inner = HELD[kind], getattr(proto, kind).elem_type
    held = type_of(inner)
    if held is not None and not (isinstance(held, HolderType) and holder is SequenceType):
        return holder.of(held)
    dtype = DType.of_code(inner.tensor_type.elem_type)
    return None if dtype is None else holder(dtype, ())


HELD: Mapping[str, type[HolderType]] = {
    "sequence_type": SequenceType,
    "optional_type": OptionalType,
}


def element_type(dtype: DType) -> int:
    """ONNX's number of an element type."""
    return dtype.code


def tensor_proto(tensor: Tensor, dtype: DType, name: str) -> TensorProto:
    """A constant of an element type."""
    if isinstance(tensor.data, tuple):
        strings = [text.encode() for text in tensor.data]
        return TensorProto(name=name, data_type=dtype.code, dims=tensor.shape, string_data=strings)
    if tensor.dtype is not dtype:
        rounded = np.asarray(tensor).astype(helper.tensor_dtype_to_np_dtype(dtype.code))
        return numpy_helper.from_array(rounded, name)
    return TensorProto(name=name, data_type=dtype.code, dims=tensor.shape, raw_data=tensor.data)


def constant_of(proto: TensorProto) -> Tensor:
    """A constant as ONNX writes it.

    Raises:
        ValueError: It is of a type that a graph cannot hold.
    """
    dtype = DType.of_code(proto.data_type)
    if dtype is None:
        raise ValueError(f"no element type is numbered {proto.data_type}")
    if dtype is DType.STRING:
        texts = tuple(text.decode() for text in proto.string_data)
        return Tensor(dtype, tuple(proto.dims), texts)
    if proto.HasField("raw_data"):
        return Tensor(dtype, tuple(proto.dims), proto.raw_data)
    return Tensor.of(numpy_helper.to_array(proto), dtype)


def attributes_of(
    row: Signature, attributes: Mapping[str, Any], version: int
) -> list[AttributeProto]:
    """An operator's attributes that are set, as a version of its domain types them."""
    return [
        attribute(name, value, attribute_type(row, name, version) or _type_by_value(value))
        for name, value in sorted(attributes.items())
        if value is not None
    ]


def _type_by_value(value: Any) -> int:
    """The type of an attribute of an operator that onnx does not know."""
    first = value[0] if isinstance(value, tuple) and value else value
    one, several = next(kinds for kind, kinds in BY_VALUE.items() if isinstance(first, kind))
    return several if isinstance(value, tuple) else one


def attribute(name: str, value: Any, kind: int) -> AttributeProto:
    """An attribute of the type that the operator's schema gives it."""
    proto = AttributeProto(name=name, type=AttributeProto.AttributeType.Name(kind))
    PUT[kind](proto, value)
    return proto


def _put_int(proto: AttributeProto, value: Any) -> None:
    proto.i = element_type(value) if isinstance(value, DType) else int(value)


def _put_float(proto: AttributeProto, value: Any) -> None:
    proto.f = float(value)


def _put_string(proto: AttributeProto, value: Any) -> None:
    proto.s = str(value).encode()


def _put_ints(proto: AttributeProto, value: Any) -> None:
    proto.ints.extend(map(int, value))


def _put_floats(proto: AttributeProto, value: Any) -> None:
    proto.floats.extend(map(float, value))


def _put_strings(proto: AttributeProto, value: Any) -> None:
    proto.strings.extend(str(item).encode() for item in value)


def _put_tensor(proto: AttributeProto, value: Any) -> None:
    proto.t.CopyFrom(tensor_proto(value, value.dtype, ""))


def _put_type(proto: AttributeProto, value: Any) -> None:
    proto.tp.CopyFrom(type_proto(value))


# What values are as attributes, alone and in a tuple.
BY_VALUE: Mapping[Any, tuple[int, int]] = {
    (int, DType): (AttributeProto.INT, AttributeProto.INTS),
    float: (AttributeProto.FLOAT, AttributeProto.FLOATS),
    str: (AttributeProto.STRING, AttributeProto.STRINGS),
    tuple: (AttributeProto.INTS, AttributeProto.INTS),
}
PUT: Mapping[int, Callable[[AttributeProto, Any], None]] = {
    AttributeProto.INT: _put_int,
    AttributeProto.FLOAT: _put_float,
    AttributeProto.STRING: _put_string,
    AttributeProto.INTS: _put_ints,
    AttributeProto.FLOATS: _put_floats,
    AttributeProto.STRINGS: _put_strings,
    AttributeProto.TENSOR: _put_tensor,
    AttributeProto.TYPE_PROTO: _put_type,
}

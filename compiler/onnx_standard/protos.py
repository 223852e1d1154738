"""Types and attributes as ONNX's protobuf messages."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import AttributeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from ..ir.dim import is_unknown
from ..ir.signature import Signature
from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from .schemas import attribute_type


def value_info(name: str, type: TensorType) -> ValueInfoProto:
    """A typed name; extents that are not numbers are named, the batch `N`, unless unknown."""
    shape = [
        dim if isinstance(dim, int) else None if is_unknown(dim) else str(dim) for dim in type.shape
    ]
    return helper.make_tensor_value_info(name, element_type(type.dtype), shape)


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
}

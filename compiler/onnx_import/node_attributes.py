"""Attributes of a node, as nodes of a graph hold them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from onnx import AttributeProto, NodeProto

from ..ir.tensor import Tensor
from ..ir.types import DType
from ..onnx_standard.protos import type_of
from .faults import fault
from .stored import constant, stored

# Attributes that ONNX types as numbers of element types.
ELEMENT_TYPES = ("dtype", "output_dtype", "to")


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """A node's attributes by name, without subgraphs."""
    return {a.name: _value(a) for a in node.attribute if a.type in READ}


def _value(proto: AttributeProto) -> Any:
    if proto.name in ELEMENT_TYPES and proto.type == AttributeProto.INT:
        return DType.of_code(proto.i)
    return READ[proto.type](proto)


def _real(number: float) -> float:
    """The shortest number that float32 rounds to the same: 0.1, where it stores 0.10000000149."""
    return float(str(np.float32(number)))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


READ: Mapping[int, Callable[[AttributeProto], Any]] = {
    AttributeProto.FLOAT: lambda proto: _real(proto.f),
    AttributeProto.INT: lambda proto: proto.i,
    AttributeProto.STRING: lambda proto: _text(proto.s),
    AttributeProto.TENSOR: lambda proto: constant(stored(proto.t, "")),
    AttributeProto.FLOATS: lambda proto: tuple(map(_real, proto.floats)),
    AttributeProto.INTS: lambda proto: tuple(proto.ints),
    AttributeProto.STRINGS: lambda proto: tuple(map(_text, proto.strings)),
    AttributeProto.TYPE_PROTO: lambda proto: type_of(proto.tp),
}

# The forms in which ONNX's `Constant` holds what it yields.
_TYPES: Mapping[str, DType] = {
    "value_float": DType.FLOAT32,
    "value_floats": DType.FLOAT32,
    "value_int": DType.INT64,
    "value_ints": DType.INT64,
    "value_string": DType.STRING,
    "value_strings": DType.STRING,
}


def constant_of(node: NodeProto) -> Tensor:
    """What a `Constant` yields.

    Raises:
        NetError: E576, it holds nothing, or nothing that ONNX knows.
    """
    for name, value in attributes_of(node).items():
        if name == "value" and isinstance(value, Tensor):
            return value
        dtype = _TYPES.get(name)
        if dtype is DType.STRING and name.endswith("s"):
            return Tensor(dtype, (len(value),), tuple(map(str, value)))
        if dtype is DType.STRING:
            return Tensor(dtype, (), (str(value),))
        with suppress(TypeError, ValueError):
            if dtype is not None:
                return Tensor.of(np.asarray(value, dtype.value), dtype)
    raise fault("a `Constant` holds no value")

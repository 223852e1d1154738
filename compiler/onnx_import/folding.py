"""Operators whose arguments are constants -> what they yield, by onnx's reference."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, Value
from ..ir.tensor import Tensor
from ..ir.types import DType
from ..onnx_standard.protos import tensor_proto

MOST_FOLDED = 10**6  # elements of a result
# What draws new numbers at each run.
RANDOM = frozenset(
    {
        *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"),
        *("RandomUniformLike", "Dropout"),
    }
)


def held(build: Builder, value: Value) -> Tensor | None:
    """What a value holds for all inputs, as a tensor; None where it depends on them."""
    producer = build.graph.producer(value)
    if producer.op_type == CONSTANT:
        tensor: Tensor = producer.attributes["value"]
        return tensor
    known = build.known(value)
    return Tensor.of(known, value.dtype) if _is_settled(known) else None


def _is_settled(known: Any) -> bool:
    """Whether all numbers are known."""
    if isinstance(known, tuple):
        return all(map(_is_settled, known))
    return isinstance(known, int | float)


def folded(
    node: NodeProto, opsets: Mapping[str, int], operands: Sequence[Tensor | None], few: bool
) -> list[Tensor] | None:
    """What a node yields on constants; None where the reference cannot compute it.

    Args:
        node: The operator, without subgraphs.
        opsets: The versions of the domains.
        operands: What it takes.
        few: Whether its results are known to be small.
    """
    if not few or node.op_type in RANDOM:
        return None
    names = ["" if tensor is None else f"x{place}" for place, tensor in enumerate(operands)]
    copied = NodeProto()
    copied.CopyFrom(node)
    del copied.input[:]
    copied.input.extend(names)
    given = {n: _array(t) for n, t in zip(names, operands, strict=True) if t is not None}
    infos = [helper.make_empty_tensor_value_info(name) for name in given]
    results = [helper.make_empty_tensor_value_info(name) for name in copied.output]
    graph = helper.make_graph([copied], node.op_type, infos, results)
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, opset_imports=imports)
    try:
        arrays = ReferenceEvaluator(model).run(None, given)
        return [_tensor(np.asarray(array)) for array in arrays]
    except Exception:  # anything that a reference implementation raises on what it does not take
        return None


def _array(tensor: Tensor) -> "np.ndarray[Any, Any]":
    proto = tensor_proto(tensor, tensor.dtype, "")
    return numpy_helper.to_array(proto)


def _tensor(array: "np.ndarray[Any, Any]") -> Tensor:
    proto: TensorProto = numpy_helper.from_array(array)
    dtype = DType.of_code(proto.data_type)
    assert dtype is not None
    if dtype is DType.STRING:
        texts = tuple(text.decode("utf-8", "replace") for text in proto.string_data)
        return Tensor(dtype, tuple(proto.dims), texts)
    return Tensor(dtype, tuple(proto.dims), proto.raw_data)

"""ONNX's own test cases of operators as graphs: what each yields on given arrays."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, helper, numpy_helper

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import Dim, symbol, unknown
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.opdef import OPS

Array = np.ndarray[Any, Any]
NUMBER, TRUTH = TensorType(DType.INT64, ()), TensorType(DType.BOOL, ())  # of a loop's turn
AXES = ("Squeeze", "Unsqueeze")  # which took their axes as an attribute before opset 13


@dataclass(frozen=True)
class Case:
    """A test case.

    Attributes:
        name: ONNX's name of it, without `test_`.
        model: A model of one operator, or of what it expands to.
        feeds, expected: Pairs of arrays, in the order of the model's inputs and outputs.
        rtol: How far results may be off, relative to the largest.
    """

    name: str
    model: ModelProto
    sets: Sequence[tuple[Sequence[Any], Sequence[Any]]]

    def __str__(self) -> str:
        return self.name

    def inputs(self) -> list[str]:
        """The names of the model's inputs."""
        return [info.name for info in self.model.graph.input]


@cache
def all_cases() -> Mapping[str, Case]:
    """ONNX's cases of single operators, by name."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that overflow on purpose
        found = load_model_tests(kind="node")
    given = ((c.name.removeprefix("test_"), c.model, c.data_sets) for c in found)
    cases = (Case(name, model, sets) for name, model, sets in given if model and sets)
    return {case.name: case for case in cases}


def graph_of(model: ModelProto) -> Graph:
    """A model as a graph of operators that the table has."""
    build = Builder(Graph(model.graph.name))
    _fill(build, model.graph, {})
    return build.graph


def _fill(
    build: Builder,
    proto: GraphProto,
    captured: Mapping[str, Value],
    states: Sequence[TensorType] = (),
) -> None:
    """Build a graph's inputs, nodes and outputs, given what it captures by name.

    Bodies of loops may leave out the types of their states.
    """
    known = dict(captured)
    for position, info in enumerate(proto.input):
        declared = info.type.tensor_type
        type = _type(declared) if declared.elem_type else states[position]
        known[info.name] = build.input(info.name, type)
    for tensor in proto.initializer:
        known[tensor.name] = _constant(build, numpy_helper.to_array(tensor))
    for node in proto.node:
        for name, value in zip(node.output, _node(build, node, known), strict=True):
            known[name] = value
    build.graph.outputs = {info.name: known[info.name] for info in proto.output}


def _node(build: Builder, node: NodeProto, known: Mapping[str, Value]) -> tuple[Value, ...]:
    attributes = {each.name: _attribute(each) for each in node.attribute}
    if node.op_type == "Constant":
        (value,) = attributes.values()
        return (_constant(build, np.asarray(value)),)
    inputs: list[Value | None] = [known[name] if name else None for name in node.input]
    if node.op_type in AXES and "axes" in attributes:
        inputs.append(build.index_constant(attributes.pop("axes")))
    if node.op_type == "Cast":
        attributes["to"] = DType.of_code(attributes["to"])
    bodies = {name: g for name, g in attributes.items() if isinstance(g, GraphProto)}
    own = {name: value for name, value in attributes.items() if name not in bodies}
    free = list(dict.fromkeys(name for g in bodies.values() for name in _free(g) if name in known))
    subgraphs = {}
    for name, proto in bodies.items():
        inner = build.inner(proto.name)
        places = {n: len(inputs) + i for i, n in enumerate(free) if n in set(_free(proto))}
        outer = {n: inner.capture(known[n], place) for n, place in places.items()}
        states = [value.type for value in inputs[2:] if value is not None]
        _fill(inner, proto, outer, [NUMBER, TRUTH, *states])
        subgraphs[name] = inner.graph
    inputs += [known[name] for name in free]
    row = OPS.named(node.op_type)
    return build.op(row, inputs, own, outputs=len(node.output), subgraphs=subgraphs)


def _free(proto: GraphProto) -> Iterator[str]:
    """The names that a graph reads and does not define."""
    defined = {each.name for each in (*proto.input, *proto.initializer)}
    for node in proto.node:
        inner = (a.g for a in node.attribute if a.type == AttributeProto.GRAPH)
        for name in (*node.input, *(n for g in inner for n in _free(g))):
            if name and name not in defined:
                yield name
        defined.update(node.output)
    yield from (info.name for info in proto.output if info.name not in defined)


def _constant(build: Builder, array: Array) -> Value:
    return build.constant(array.tolist() if array.ndim == 0 else _nested(array), _dtype(array))


def _nested(array: Array) -> Any:
    return tuple(map(_nested, array)) if array.ndim else array.item()


def _dtype(array: Array) -> DType:
    return DType(array.dtype.name)


def _type(proto: Any) -> TensorType:
    shape: list[Dim] = [
        dim.dim_value
        if dim.HasField("dim_value")
        else symbol(dim.dim_param)
        if dim.dim_param
        else unknown()
        for dim in proto.shape.dim
    ]
    dtype = DType.of_code(proto.elem_type)
    assert dtype is not None
    return TensorType(dtype, tuple(shape))


def _attribute(proto: AttributeProto) -> Any:
    value = helper.get_attribute_value(proto)
    if proto.type == AttributeProto.TENSOR:
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return tuple(item.decode() if isinstance(item, bytes) else item for item in value)
    return value

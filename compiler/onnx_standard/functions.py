"""Operators that ONNX defines by others: types, costs and builders, all from these definitions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from onnx import AttributeProto, FunctionProto, NodeProto, TypeProto, helper

from ..ir.builder import Builder
from ..ir.graph import LEAVES, Graph, Value
from ..ir.signature import OPSETS, InferenceError, OpCall, Signature
from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from ..ops.opdef import OPS, Cost, OpDef, Operands, row_of
from .protos import attributes_of, constant_of, value_info
from .schemas import schema_of

Find = Callable[[str, int], OpDef | None]
"""An operator's name and the version of its domain to its row."""

# Attributes that name an element type by ONNX's number of it.
ELEMENT_TYPES = frozenset({"dtype", "output_dtype", "to"})
# What a body must not hold: subgraphs, which only onnx's reference runs, and random numbers.
OTHERS = frozenset({"If", "Loop", "Scan", "SequenceMap", "RandomUniformLike"})
# The operators whose bodies, which onnx makes for the operands, hold such.
NOT_BUILT = frozenset({"Bernoulli", "LinearAttention", "Range", "SequenceMap"})


def is_function(schema: Any) -> bool:
    """Whether ONNX defines an operator by others, and these are such as a graph builds."""
    if schema.has_function:
        return not any(node.op_type in OTHERS for node in schema.function_body.node)
    return bool(schema.has_context_dependent_function) and schema.name not in NOT_BUILT


def infer_by_function(find: Find, call: OpCall) -> Sequence[TensorType]:
    """The types of what an operator's body yields."""
    return tuple(value.type for value in _apart(find, call)[1])


def cost_of_function(find: Find, call: OpCall) -> Cost:
    """What the operators of its body cost together."""
    total = Cost()
    build, _ = _apart(find, call)
    for _, node in build.graph.nodes():
        if node.op_type not in LEAVES:
            row = row_of(node)
            inner = build.call(row, node.inputs, node.attributes, outputs=len(node.outputs))
            cost = row.cost(inner, node.outputs)
            total = Cost(total.macs + cost.macs, total.elementwise + cost.elementwise)
    return total


def _apart(find: Find, call: OpCall) -> tuple[Builder, Sequence[Value]]:
    """The body in a graph of its own; arguments that are known are constants."""
    build = Builder(Graph(call.op_type, opsets=_opsets(call.row)))
    operands: list[Value | None] = []
    constants = call.constants or (None,) * len(call.inputs)
    for position, (type, value) in enumerate(zip(call.inputs, constants, strict=True)):
        if type is None:
            operands.append(None)
        elif isinstance(value, Tensor):
            operands.append(build.constant(value, type.dtype))
        else:
            operands.append(build.input(f"x{position}", type))
    return build, build_function(find, build, tuple(operands), call)


def build_function(find: Find, build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """The operator's body on its operands, as `OpDef.function` has it.

    Args:
        find: Gives the rows of operators that the op table does not have.
        build: What it builds with.
        operands: The arguments.
        call: The application.

    Raises:
        InferenceError: Its body does not take them.
    """
    body = _body(call)
    given = dict(zip(body.input, operands, strict=False))
    values: dict[str, Value | None] = {"": None, **dict.fromkeys(body.input), **given}
    opsets = _opsets(call.row)
    for node in body.node:
        attributes = dict(_attributes(node, call.attributes))
        if node.op_type == "Constant":
            values[node.output[0]] = build.constant(*_constant(attributes))
            continue
        inputs = [values[name] for name in node.input]
        while inputs and inputs[-1] is None:
            inputs.pop()
        row = OPS.find(node.op_type, opsets) or find(node.op_type, opsets[""])
        if row is None or not attributes.keys() <= row.attributes.keys():
            raise InferenceError(f"{call.op_type} is defined by a {node.op_type} that is not known")
        results = build.op(row, inputs, attributes, outputs=len(node.output))
        values |= zip(node.output, results, strict=True)
    found = (values[name] for name in body.output[: call.outputs])
    return [value for value in found if value is not None]


def _opsets(row: Signature) -> Mapping[str, int]:
    """What a body's operators are of: our opset, or that of the operator where it is newer."""
    return {**OPSETS, "": max(OPSETS[""], row.since_version)}


def _attributes(node: NodeProto, outer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A node's attributes; those that refer to the operator's get its values, where it has any."""
    for proto in node.attribute:
        if proto.ref_attr_name:
            value = outer.get(proto.ref_attr_name)
        elif proto.type == AttributeProto.TENSOR:
            value = constant_of(proto.t)
        else:
            value = helper.get_attribute_value(proto)
        if isinstance(value, bytes):
            value = value.decode()
        elif isinstance(value, list):
            value = tuple(value)
        if proto.name in ELEMENT_TYPES and isinstance(value, int):
            value = DType.of_code(value)
        if value is not None:
            yield proto.name, value


def _constant(attributes: Mapping[str, Any]) -> tuple[Any, DType]:
    """The value of a `Constant`, and its type."""
    ((name, value),) = attributes.items()
    if isinstance(value, Tensor):
        return value, value.dtype
    return value, DType.FLOAT32 if "float" in name else DType.INT64


def _body(call: OpCall) -> FunctionProto:
    """The operator's definition for its attributes and the types of its arguments."""
    row = call.row
    names = ["" if type is None else f"x{i}" for i, type in enumerate(call.inputs)]
    node = NodeProto(op_type=row.name, domain=row.domain, input=names)
    node.output.extend(f"y{i}" for i in range(call.outputs))
    node.attribute.extend(attributes_of(row, call.attributes, row.since_version))
    types = tuple(
        (TypeProto() if type is None else value_info("", type).type).SerializeToString()
        for type in call.inputs
    )
    return _definition(row.name, row.since_version, row.domain, node.SerializeToString(), types)


@lru_cache(maxsize=1_000)
def _definition(
    name: str, version: int, domain: str, node: bytes, types: tuple[bytes, ...]
) -> FunctionProto:
    schema = schema_of(name, version, domain)
    body = schema.function_body if schema.has_function else None
    if body is not None:
        return _parsed(body.SerializeToString())
    return _parsed(schema.get_context_dependent_function(node, list(types)))


def _parsed(body: bytes) -> FunctionProto:
    proto = FunctionProto()
    proto.ParseFromString(body)
    return proto

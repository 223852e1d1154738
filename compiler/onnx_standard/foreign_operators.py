"""Operators that we do not define: their signatures and types, from onnx itself."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from onnx import ModelProto, NodeProto, ValueInfoProto, checker, defs, helper, shape_inference

from ..ir.builder import MOST_KNOWN
from ..ir.dim import Dim, unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from ..ops.cuts import UnknownValueError
from ..ops.opdef import Cost, OpDef, Precision
from ..ops.receptive_field import everything
from .functions import build_function, cost_of_function, infer_by_function, is_function
from .ml_types import ML_TYPES
from .protos import attributes_of, tensor_proto, value_info
from .schemas import IR_VERSION, OPSET, schema_of

OpSchema = defs.OpSchema


@cache
def operators() -> Mapping[str, OpSchema]:
    """ONNX's operators of our opset by name, without those that it advises against."""
    known: dict[str, OpSchema] = {}
    for schema in defs.get_all_schemas_with_history():
        newer = known[schema.name].since_version if schema.name in known else 0
        if not schema.domain and newer < schema.since_version <= OPSET:
            known[schema.name] = schema
    return {name: known[name] for name in sorted(known) if not known[name].deprecated}


def newest_operators() -> frozenset[str]:
    """The names of operators that come with a newer opset than ours."""
    schemas = [schema for schema in defs.get_all_schemas_with_history() if not schema.domain]
    old = {schema.name for schema in schemas if schema.since_version <= OPSET}
    return frozenset({schema.name for schema in schemas} - old)


def attribute_kinds(schema: OpSchema) -> Mapping[str, str]:
    """The attributes of an operator with ONNX's names of their types: `INT`, `FLOATS`."""
    return {name: str(a.type).rpartition(".")[2] for name, a in schema.attributes.items()}


def yields_many(schema: OpSchema) -> bool:
    """Whether an operator has as many outputs as are asked for, as `Split` has."""
    option = schema.outputs[-1].option if schema.outputs else None
    return option == OpSchema.FormalParameterOption.Variadic


# How onnx refuses operands, or trips over them: the last two for numbers that it does not expect.
REFUSALS = (shape_inference.InferenceError, checker.ValidationError, ValueError, IndexError)

DEPENDS = "the shape of its result depends on more than its inputs' shapes"

# What else is known of some: their types, or that they yield the same if their input changes a
# little.
KNOWN_FACTS: Mapping[str, Mapping[str, Any]] = {
    "EyeLike": {"constant": True},
    "Hardmax": {"constant": True},
}


def _is_complex(call: OpCall) -> bool:
    """Whether the last axis holds real, or real and imaginary parts."""
    x = call.type(0)
    return x.rank >= 2 and (x.shape[-1] in (1, 2) or not isinstance(x.shape[-1], int))


# What operators demand that onnx does not check: its inference ends the process where it is not so.
DEMANDS: Mapping[str, Callable[[OpCall], bool]] = {"DFT": _is_complex}


def default_of(schema: OpSchema, name: str) -> Any:
    """An attribute's default as a node holds it; None where there is none."""
    proto = schema.attributes[name].default_value
    if not proto.name:
        return None
    value = helper.get_attribute_value(proto)
    if isinstance(value, bytes):
        return value.decode()
    return tuple(value) if isinstance(value, list) else value


@cache
def foreign_row(name: str, version: int = OPSET, domain: str = "") -> OpDef | None:
    """The row of an operator that the table does not have, from what onnx knows of it.

    Returns:
        The row, or None where onnx does not have the operator in that version of the domain.
    """
    schema = schema_of(name, version, domain)
    if schema is None:
        return None
    kinds = attribute_kinds(schema)
    facts = {
        "infer": infer_by_onnx,
        "cost": one_per_element,
        "sees": everything,
        "precision": Precision.FULL,
        "attributes": {a: default_of(schema, a) for a in kinds if kinds[a] != "GRAPH"},
        **(_by_function() if is_function(schema) else {}),
        **_known_facts(name, domain),
    }
    op_type = f"{domain}.{name}" if domain else name
    return OpDef(op_type, schema.since_version, domain=domain, **facts)


def _known_facts(name: str, domain: str) -> Mapping[str, Any]:
    if domain == "ai.onnx.ml":
        return {"infer": ML_TYPES[name]} if name in ML_TYPES else {}
    return {} if domain else KNOWN_FACTS.get(name, {})


def _by_function() -> Mapping[str, Any]:
    """What is known of an operator that ONNX defines by others."""
    return {
        "infer": partial(infer_by_function, foreign_row),
        "cost": _cost_of_body,
        "function": partial(build_function, foreign_row),
    }


def _cost_of_body(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """What the body costs; one operation per element where one sample is too few for it."""
    try:
        return cost_of_function(foreign_row, call)
    except InferenceError:
        return one_per_element(call, outputs)


def one_per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """What an operator computes is not known: one operation per output element."""
    return Cost(elementwise=sum((y.size for y in outputs[1:]), outputs[0].size))


def infer_by_onnx(call: OpCall) -> Sequence[TensorType]:
    """The types of an operator's outputs by onnx's own shape inference.

    Extents that depend on data are unknown.

    Raises:
        InferenceError: onnx refuses the operands, or cannot tell how many axes the outputs have.
    """
    symbols = {str(d): d for t in call.inputs if t for d in t.shape if not isinstance(d, int)}
    return tuple(_type(info, symbols) for info in outputs_by_onnx(call))


def outputs_by_onnx(call: OpCall) -> Sequence[ValueInfoProto]:
    """What onnx knows of an operator's outputs, which may be less than their shapes.

    Raises:
        InferenceError: onnx refuses the operands or the attributes.
    """
    for type in filter(None, call.inputs):
        if any(extent < 0 for extent in type.extents):  # onnx may end the process
            raise InferenceError(f"{call.op_type} takes no {type}")
    demand = DEMANDS.get(call.op_type)
    if demand is not None and not demand(call):
        raise InferenceError(f"{call.op_type} does not take {call.type(0)}")
    model = _model(call)
    try:
        inferred = shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=_is_followed(call)
        )
    except REFUSALS as failure:
        raise InferenceError(_reason(failure)) from None
    return tuple(inferred.graph.output)


def _is_followed(call: OpCall) -> bool:
    """Whether onnx may follow what vectors hold: it keeps a record of each entry."""
    vectors = [type.size for type in call.inputs if type is not None and type.rank <= 1]
    return not any(isinstance(size, int) and size > MOST_KNOWN for size in vectors)


def _model(call: OpCall) -> ModelProto:
    """A model of one node; arguments that are known, and few, are initializers."""
    names = ["" if type is None else f"x{i}" for i, type in enumerate(call.inputs)]
    outputs = [f"y{i}" for i in range(call.outputs)]
    row = call.row
    node = NodeProto(op_type=row.name, domain=row.domain, input=names, output=outputs)
    node.attribute.extend(attributes_of(row, call.attributes, row.since_version))
    inputs, initializers = [], []
    constants = call.constants or (None,) * len(names)
    for name, type, constant in zip(names, call.inputs, constants, strict=True):
        if type is None:
            continue
        few = isinstance(type.size, int) and type.size <= MOST_KNOWN
        if few and _is_settled(constant):
            initializers.append(tensor_proto(Tensor.of(constant, type.dtype), type.dtype, name))
        else:
            inputs.append(value_info(name, type))
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph([node], call.op_type, inputs, results, initializers)
    opset = helper.make_opsetid(row.domain, row.since_version)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def _is_settled(value: Any) -> bool:
    """Whether all numbers of an argument are known, and no symbol is among them."""
    if isinstance(value, tuple):
        return all(map(_is_settled, value))
    return isinstance(value, Tensor | int | float)


def _type(info: ValueInfoProto, symbols: Mapping[str, Dim]) -> TensorType:
    """An output's type; the symbols of its extents are the arguments'."""
    tensor = info.type.tensor_type
    if not info.type.HasField("tensor_type") or not tensor.HasField("shape"):
        raise UnknownValueError(DEPENDS)
    extents: list[Dim] = []
    for dim in tensor.shape.dim:
        if dim.HasField("dim_value"):
            extents.append(dim.dim_value)
        else:
            extents.append(symbols.get(dim.dim_param) or unknown())
    dtype = DType.of_code(tensor.elem_type)
    if dtype is None:
        raise InferenceError("its result is of a type that a graph cannot hold")
    return TensorType(dtype, tuple(extents))


def _reason(failure: Exception) -> str:
    """The last sentence of onnx's message, without the tags in front of it."""
    lines = [line for line in str(failure).splitlines() if line.strip()]
    text = lines[0] if lines else "onnx refuses it"
    for separator in ("] ", "): "):
        text = text.rpartition(separator)[2]
    return text.strip().rstrip(".")

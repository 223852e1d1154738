"""What the installed onnx knows: opsets, the names of arguments, the types of attributes."""

from functools import cache
from typing import Any

from onnx import AttributeProto, defs, helper

from ...grammar.diagnostics import error
from ..ir.signature import OPSETS, Signature

OPSET = OPSETS[""]
OLDEST = 13
IR_VERSION = 10
MAX_IR_VERSION = 13  # the newest that onnxruntime reads


def ir_version(opset: int) -> int:
    """The IR version of a model: 10 with the graph's own opset, else the least that it demands.

    Raises:
        NetError: E509, the opset is older or newer than what can be written.
    """
    newest = max(known for known in range(OPSET, defs.onnx_opset_version() + 1) if _fits(known))
    if not OLDEST <= opset <= newest:
        raise error(
            "E509",
            f"cannot write ONNX opset {opset}",
            help=f"choose an opset from {OLDEST} to {newest}",
        )
    least = _minimal_ir_version(opset)
    return least if opset < OPSET else max(IR_VERSION, least)


def _fits(opset: int) -> bool:
    return _minimal_ir_version(opset) <= MAX_IR_VERSION


def _minimal_ir_version(opset: int) -> int:
    return helper.find_min_ir_version_for([helper.make_opsetid("", opset)])


@cache
def argument_name(row: Signature, position: int) -> str:
    """ONNX's name of an operator's argument, such as `shape` of Reshape."""
    schema = schema_of(row.name, row.since_version, row.domain)
    formal = schema.inputs if schema else ()
    return formal[min(position, len(formal) - 1)].name if formal else f"argument{position}"


@cache
def schema_of(name: str, version: int, domain: str = "") -> Any:
    """The operator as a version of its domain has it; None where it does not."""
    try:
        return defs.get_schema(name, version, domain)
    except (defs.SchemaError, TypeError):  # the latter of versions that no int32 holds
        return None


def default_of(op_type: str, name: str) -> Any:
    """What our opset takes for an attribute that is left out; None for nothing or a newer one."""
    attributes = defs.get_schema(op_type, OPSET).attributes
    if name not in attributes:
        return None
    default = attributes[name].default_value
    value = helper.get_attribute_value(default) if default.type else None
    return value.decode() if isinstance(value, bytes) else value


@cache
def attribute_type(row: Signature, name: str, version: int) -> int | None:
    """The type of an attribute, as `AttributeProto` numbers it; None where onnx knows none."""
    schema = schema_of(row.name, version, row.domain)
    if schema is None or name not in schema.attributes:
        return None
    return int(AttributeProto.AttributeType.Value(schema.attributes[name].type.name))

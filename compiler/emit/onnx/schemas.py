"""What the installed onnx knows: opsets, the names of arguments, the types of attributes."""

from functools import cache
from typing import Any

from onnx import AttributeProto, defs, helper

from ....grammar.diagnostics import error

OPSET = 22
IR_VERSION = 10
MAX_IR_VERSION = 13  # the newest that onnxruntime reads


def ir_version(opset: int) -> int:
    """The IR version of a model of this opset: 10, or above where the opset demands it.

    Raises:
        NetError: E509, the opset is older than the graph's, or newer than what can be written.
    """
    newest = max(known for known in range(OPSET, defs.onnx_opset_version() + 1) if _fits(known))
    if not OPSET <= opset <= newest:
        raise error(
            "E509",
            f"cannot write ONNX opset {opset}",
            help=f"choose an opset from {OPSET} to {newest}",
        )
    return max(IR_VERSION, _minimal_ir_version(opset))


def _fits(opset: int) -> bool:
    return _minimal_ir_version(opset) <= MAX_IR_VERSION


def _minimal_ir_version(opset: int) -> int:
    return helper.find_min_ir_version_for([helper.make_opsetid("", opset)])


@cache
def argument_name(op_type: str, position: int, opset: int) -> str:
    """ONNX's name of an operator's argument, such as `shape` of Reshape."""
    formal = defs.get_schema(op_type, opset).inputs
    return formal[min(position, len(formal) - 1)].name


@cache
def attribute_type(op_type: str, name: str, opset: int) -> int:
    """The type of an operator's attribute, as `AttributeProto` numbers it."""
    kind: Any = defs.get_schema(op_type, opset).attributes[name].type
    return int(AttributeProto.AttributeType.Value(kind.name))

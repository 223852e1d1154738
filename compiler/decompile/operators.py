"""Operators of ONNX as calls of `op`."""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack
from typing import Any

from ..ir.graph import CONSTANT, PARAMETER, Graph, Node, Value
from ..ir.tensor import Tensor
from ..ir.types import DType, HolderType, TensorType
from ..lower.operators import FLAGS, LEFT_OUT, OUTPUTS, RANDOM, TYPES
from ..onnx_standard.foreign_operators import OpSchema, operators, yields_many
from ..onnx_standard.keyword_operands import MOST_NUMBERS, is_text, keyword_operands
from .spelling import listed, quoted, unsayable
from .tree import Argument, Call, Text
from .tree import Value as Spelled

CONSTANT_TYPES = (DType.FLOAT32, DType.INT64)
PARAMETER_TYPES = (DType.FLOAT32, DType.FLOAT64)
LARGEST_WHOLE = 2**24  # up to which a float32 holds all whole numbers
_SUBGRAPHS = "export the model without control flow, or read it as it is: `netc summary MODEL.onnx`"


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor that an operator takes and no layer yields.

    Attributes:
        type: Its type.
        name: The parameter that it is, or None.
        constant: The arguments of the `Constant` that it is, or None.
        table: The place in the graph of the constant that it is, which is no text; or None.
    """

    type: TensorType
    name: str | None = None
    constant: tuple[Argument, ...] | None = None
    table: int | None = None


def operator_call(
    graph: Graph, path: str, node: Node, read: int
) -> tuple[Call, tuple[Value | Held, ...], int]:
    """The call of an operator, what it takes from chains, and how many tensors it yields.

    Args:
        graph: The graph.
        path: The path of the operator's layer.
        node: The operator.
        read: How many of its results something takes, counted to the last that is.

    Raises:
        NetError: E579, `op` does not have the operator, or its attributes or constants.
    """
    name = node.op_type
    if node.subgraphs:
        raise unsayable(f"`{name}`, which runs subgraphs", _SUBGRAPHS)
    if name not in operators() or name in RANDOM:
        raise unsayable(f"the operator `{name}`")
    if held := next((type for type in node.outputs if isinstance(type, HolderType)), None):
        raise unsayable(f"`{name}`, which yields {held}")
    schema = operators()[name]
    inputs = node.inputs
    keywords = keyword_operands(graph, node, schema)
    given = inputs[: min(keywords, default=len(inputs))]
    while given and given[-1] is None:
        given = given[:-1]
    operands = tuple(operand(graph, x) for x in given if x is not None)
    left_out = [
        Argument(formal.name, Text(LEFT_OUT))
        for formal, x in zip(schema.inputs, given, strict=False)
        if x is None
    ]
    constants = [
        Argument(schema.inputs[place].name, _keyword(graph, schema, place, x))
        for place, x in keywords.items()
    ]
    named = Argument("", Text(quoted(name)), bare=True)
    least = max(schema.min_output, 1)
    count = len(node.outputs) if yields_many(schema) else max(least, read)
    outputs = [Argument(OUTPUTS, count)] if count > least and not yields_many(schema) else []
    arguments = (named, *_attributes(node, schema), *left_out, *constants, *outputs)
    return Call("op", arguments, path), operands, count


def operand(graph: Graph, value: Value) -> Value | Held:
    """What an operator or a layer takes, told apart from what layers yield."""
    node = graph.producer(value)
    if node.op_type == PARAMETER:
        return Held(value.type, name=node.attributes["name"])
    if node.op_type == CONSTANT:
        if not is_text(value):
            return Held(value.type, table=value.node)
        return Held(value.type, constant=_constant(value, node))
    return value


def _constant(value: Value, node: Node) -> tuple[Argument, ...]:
    """The arguments of a `Constant`, which holds whole numbers or those of float32."""
    whole = not value.dtype.is_float
    text = listed(_nested(value, node.attributes["value"]), whole=whole)
    return Argument("", Text('"Constant"'), bare=True), Argument("value", Text(text))


def converted_call(dtype: DType) -> Call:
    """The operator that makes a type of what is held in another."""
    named = Argument("", Text('"Cast"'), bare=True)
    return Call("op", (named, Argument("to", Text(dtype.value))))


def table_of(value: Value, held: Tensor) -> Tensor:
    """What a `PARAM` holds of a constant that is no text: real numbers.

    Raises:
        NetError: E579, it holds others than a float32 does.
    """
    if value.dtype is held.dtype in PARAMETER_TYPES:
        return held
    dtype = value.dtype if value.dtype in PARAMETER_TYPES else DType.FLOAT32
    numbers = held.numbers() or ()
    if not numbers or (dtype is not value.dtype and any(map(_is_beyond, numbers))):
        what = f"a constant of {held.size:,} numbers of {value.dtype.value}"
        raise unsayable(what, f"in the text it can hold {MOST_NUMBERS:,}")
    return Tensor(dtype, held.shape, pack(f"<{held.size}{dtype.letter}", *numbers))


def _is_beyond(number: Any) -> bool:
    return isinstance(number, str) or abs(number) > LARGEST_WHOLE


def _keyword(graph: Graph, schema: OpSchema, place: int, value: Value) -> Spelled:
    """A constant operand, which takes its element type from the first operand or the schema."""
    formal = schema.inputs[place]
    numbers = _nested(value, graph.producer(value).attributes["value"])
    alike = formal.type_str == schema.inputs[0].type_str
    return Text(listed(numbers, whole=alike))


def _nested(value: Value, held: Any) -> Any:
    """The numbers of a constant in nested tuples, of the type that the graph gives it."""
    nested = held.nested() if isinstance(held, Tensor) else held
    if nested is None or value.dtype is DType.STRING:
        raise unsayable(f"a constant of {value.dtype.value}")
    return _converted(nested, float if value.dtype.is_float else int)


def _converted(value: Any, convert: type) -> Any:
    if isinstance(value, tuple):
        return tuple(_converted(item, convert) for item in value)
    return convert(value)


def _attributes(node: Node, schema: OpSchema) -> Sequence[Argument]:
    defaults = {} if node.row is None else getattr(node.row, "attributes", {})
    required = {name for name, formal in schema.attributes.items() if formal.required}
    return [
        Argument(name, _attribute(node.op_type, name, value))
        for name, value in node.attributes.items()
        if value is not None and (name in required or value != defaults.get(name))
    ]


def _attribute(operator: str, name: str, value: Any) -> Spelled:
    if name in TYPES:
        kind = value if isinstance(value, DType) else DType(value)
        return Text(kind.value)
    if name in FLAGS and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return Text(quoted(value))
    if isinstance(value, Tensor) and value.dtype in CONSTANT_TYPES and value.size <= MOST_NUMBERS:
        return Text(listed(value.nested()))
    if isinstance(value, int | float):
        return Text(listed(value))
    if isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
        return Text(listed(value))
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return Text(f"[{', '.join(map(quoted, value))}]")
    raise unsayable(f"the attribute `{name}` of `{operator}`")

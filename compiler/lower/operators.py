"""`op("Name", ...)`: any ONNX operator as a layer whose table row is ONNX's own schema of it.

Attributes are keywords. So are inputs, which then are constants: `op("Clip", min=0, max=6)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from struct import pack
from typing import Any

from ...grammar.diagnostics import did_you_mean, error
from ..expressions.arguments import INFINITE, Kind, Mismatch, Real, Word, kind_of, spell
from ..expressions.binding import GivenArgument
from ..ir.dim import is_unknown
from ..ir.graph import CONSTANT, Value
from ..ir.signature import InferenceError, MissingAttributeError
from ..ir.tensor import Tensor, shape_of
from ..ir.types import DType, HolderType
from ..layers.layer_builder import LayerBuilder
from ..layers.layerdef import COMMON, LayerDef
from ..layers.spatial import describe
from ..onnx_standard.foreign_operators import (
    DEPENDS,
    OpSchema,
    attribute_kinds,
    foreign_row,
    newest_operators,
    operators,
    outputs_by_onnx,
    yields_many,
)
from ..onnx_standard.keyword_operands import operand_type
from ..onnx_standard.schemas import OPSET
from ..onnx_standard.words import WORDS
from ..ops.opdef import OPS
from ..ops.window_attributes import AUTO_PADS
from .arity import MERGE
from .calls import OPERATOR, call_layer
from .evaluated_call import EvaluatedCall
from .state import Lowering, Site, Tensors

MAX_OUTPUTS = 10_000


def call_operator(state: Lowering, call: EvaluatedCall, site: Site) -> Tensors:
    """Call an ONNX operator on its input.

    Raises:
        NetError: ONNX does not have the operator (E107), or it does not take these tensors,
            attributes or constants.
    """
    name, others = _named(call)
    definition = _definition(name.value, name)
    spelling = f'{OPERATOR}("{name.value}")'
    return call_layer(state, replace(call, spelling=spelling, given=others), site, definition)


def _named(call: EvaluatedCall) -> tuple[GivenArgument, Sequence[GivenArgument]]:
    """The argument that names the operator, and the others."""
    if not call.given or call.given[0].name is not None:
        message = f"{OPERATOR} needs the name of an ONNX operator"
        raise error("E105", message, call.name_span, help=f'write `{OPERATOR}("Erf")`')
    first, *others = call.given
    if not isinstance(first.value, str) or isinstance(first.value, Word):
        raise error(
            "E103",
            f"{OPERATOR} takes an ONNX operator's name as a string, not `{spell(first.value)}`",
            first.span,
            help=f'write `{OPERATOR}("{first.value}")`' if isinstance(first.value, Word) else None,
        )
    return first, others


def _definition(name: str, argument: GivenArgument) -> LayerDef:
    if name not in operators():
        newer = f"`{name}` belongs to a newer opset" if name in newest_operators() else None
        raise error(
            "E107",
            f"ONNX has no operator `{name}` in opset {OPSET}",
            argument.span,
            help=newer or did_you_mean(name, operators()),
        )
    if name in RANDOM:
        message = f"`{name}` draws new random numbers on each run, so a network cannot use it"
        raise error("E103", message, argument.span, help=RANDOM_HELP)
    schema = operators()[name]
    for attribute, kind in attribute_kinds(schema).items():
        if schema.attributes[attribute].required and kind not in ATTRIBUTES:
            what = f"`{attribute}`, a {kind.lower()}, which a program cannot give"
            raise error("E103", f"`{name}` needs {what}", argument.span)
    return _layer_of(name)


@cache
def _layer_of(name: str) -> LayerDef:
    """An operator as a row of the table of layers."""
    schema = operators()[name]
    own = OPS.find(name)
    known = own.attributes if own else schema.attributes
    kinds = {formal.name: OPERANDS for formal in schema.inputs[1:]}
    kinds |= {
        attribute: BY_OPERATOR.get((name, attribute)) or BY_NAME.get(attribute, ATTRIBUTES[kind])
        for attribute, kind in attribute_kinds(schema).items()
        if attribute in known and kind in ATTRIBUTES
    }
    if schema.max_output > max(schema.min_output, 1) and not yields_many(schema):
        kinds[OUTPUTS] = POSITIVE
    if name == CONSTANT:
        kinds = dict(CONSTANTS)
    required = {a.name for a in schema.attributes.values() if a.required}
    return LayerDef(
        name=name,
        function=_constant_of if name == CONSTANT else _function(name),
        kinds=kinds,
        defaults={keyword: None for keyword in kinds if keyword not in required},
        common=COMMON,
        takes="any" if schema.max_input else "nothing",
    )


def _function(name: str) -> Callable[..., Any]:
    def apply(build: LayerBuilder, *xs: Value, **arguments: Any) -> Value | tuple[Value, ...]:
        """Adds the operator."""
        schema = operators()[name]
        inputs = _inputs(build, schema, xs, arguments)
        attributes = {
            keyword: DType(arguments[keyword]) if keyword in TYPES else arguments[keyword]
            for keyword in schema.attributes
            if arguments.get(keyword) is not None
        }
        outputs = _outputs(build, schema, arguments)
        values = _apply(build, name, inputs, attributes, outputs)
        return values if len(values) > 1 else values[0]

    return apply


def _constant_of(build: LayerBuilder, **given: Any) -> Value:
    """ONNX's `Constant`: a number, or numbers, of its graph's own."""
    found = [(name, value) for name, value in given.items() if value is not None]
    if len(found) != 1:
        raise build.fail("E105", f"needs one of {', '.join(f'`{name}`' for name in CONSTANTS)}")
    ((name, value),) = found
    real = name.startswith("value_float") or not _whole(value)
    dtype = DType.FLOAT32 if real else DType.INT64
    return build.constant(_converted(value, float if real else int), dtype)


def _apply(
    build: LayerBuilder,
    name: str,
    inputs: Sequence[Value | None],
    attributes: Mapping[str, Any],
    outputs: int,
) -> tuple[Value, ...]:
    """The operator's outputs, once both onnx and the op table take its operands."""
    own = OPS.find(name)
    row = own or foreign_row(name)
    assert row is not None
    try:
        outputs_by_onnx(build.call(row, inputs, attributes, outputs=outputs))
        values = build.op(row, inputs, attributes, outputs=outputs)
        if held := next((v.type for v in values if isinstance(v.type, HolderType)), None):
            raise InferenceError(f"it yields {held}, and a program has tensors only")
        if any(is_unknown(extent) for value in values for extent in value.shape):
            raise InferenceError(DEPENDS)
    except MissingAttributeError as missing:
        raise build.fail("E105", str(missing).removeprefix(f"{name} ")) from None
    except InferenceError as failure:
        taken = " and ".join(describe(x) for x in inputs if x is not None) or "nothing"
        raise build.fail("E201", f"cannot take {taken}: {failure}") from None
    for value in values:
        if any(isinstance(extent, int) and extent <= 0 for extent in value.shape):
            message = f"leaves a tensor without elements: {' x '.join(map(str, value.shape))}"
            raise build.fail("E201", message)
    if row.function is None and own is None:
        build.warn(
            "W104",
            "has no rules of netc's own: onnx's reference implementation runs it, and it counts as "
            "one operation per element, without MACs",
        )
    return values


def _inputs(
    build: LayerBuilder, schema: OpSchema, xs: Sequence[Value], arguments: Mapping[str, Any]
) -> list[Value | None]:
    """The branches as the first inputs that are not left out, constants for what keywords give."""
    left_out = [f.name for f in schema.inputs if arguments.get(f.name) == LEFT_OUT]
    most = schema.max_input - len(left_out)
    if len(xs) > most:
        message = f"takes at most {most} tensors, but {len(xs)} branches lead to it"
        raise build.fail("E113", message, help=MERGE)
    inputs: list[Value | None] = [*xs]
    for position, formal in enumerate(schema.inputs):
        given = arguments.get(formal.name)
        if given == LEFT_OUT:
            inputs.insert(position, None)
        elif given is None:
            inputs += [None] if position == len(inputs) else []
        elif position < len(inputs):
            message = f"already gets `{formal.name}` from a branch"
            raise build.fail("E106", message, at=formal.name)
        else:
            inputs.append(_constant(build, schema, position, inputs, given))
    while inputs and inputs[-1] is None:
        inputs.pop()
    for position in range(schema.min_input):
        if position >= len(inputs) or inputs[position] is None:
            wanted = schema.inputs[min(position, len(schema.inputs) - 1)].name
            raise build.fail(
                "E105",
                f"needs a tensor for `{wanted}`",
                help=f"add a branch for it, or write `{wanted}=` with numbers",
            )
    return inputs


def _constant(
    build: LayerBuilder,
    schema: OpSchema,
    position: int,
    inputs: Sequence[Value | None],
    given: Any,
) -> Value:
    """An input that a keyword gives, of an element type that the operator takes there."""
    formal = schema.inputs[position]
    whole = _whole(given)
    types = [None if value is None else value.dtype for value in inputs]
    dtype = operand_type(schema, position, types, whole)
    if not dtype.is_float and not whole:
        message = f"takes whole numbers as its `{formal.name}`"
        raise build.fail("E103", message, at=formal.name)
    if not dtype.is_float and not _within(given, *dtype.range):
        least, most = dtype.range
        message = f"takes numbers from {least:_} to {most:_} as its `{formal.name}`"
        raise build.fail("E103", message, at=formal.name)
    return build.constant(_converted(given, float if dtype.is_float else int), dtype)


def _whole(value: Any) -> bool:
    if not isinstance(value, tuple):
        return isinstance(value, int)
    return _are(value, int) or all(map(_whole, value))


def _within(value: Any, least: int, most: int) -> bool:
    if not isinstance(value, tuple):
        return bool(least <= value <= most)
    if _are(value, int):
        return bool(least <= min(value) and max(value) <= most)
    return all(_within(item, least, most) for item in value)


def _are(items: Sequence[Any], kind: type) -> bool:
    """Whether all items are of one kind; lists may be long, and this must be fast."""
    return set(map(type, items)) == {kind}


def _converted(value: Any, convert: type[int] | type[float]) -> Any:
    if not isinstance(value, tuple):
        return convert(value)
    if _are(value, convert):
        return value
    return tuple(_converted(item, convert) for item in value)


def _outputs(build: LayerBuilder, schema: OpSchema, arguments: Mapping[str, Any]) -> int:
    """How many outputs there are: all that an operator must have, or as many as it splits into.

    `outputs=` asks for more, where an operator has some that it need not yield.
    """
    least = max(schema.min_output, 1)
    if not yields_many(schema):
        asked = arguments.get(OUTPUTS) or least
        if not least <= asked <= schema.max_output:
            message = f"yields {least} to {schema.max_output} tensors, not {asked}"
            raise build.fail("E103", message, at=OUTPUTS)
        return int(asked)
    parts = arguments.get("split")
    count = arguments.get("num_outputs") or (len(parts) if isinstance(parts, tuple) else 1)
    if not 0 < count <= MAX_OUTPUTS:
        raise build.fail("E103", f"yields 1 to {MAX_OUTPUTS:_} tensors, not {count}")
    return int(count)


def _require(condition: bool) -> None:
    if not condition:
        raise Mismatch


def _integer(value: Any) -> int:
    _require(isinstance(value, int) and -(2**63) <= value < 2**63)
    return int(value)


def _positive(value: Any) -> int:
    _require(_integer(value) > 0)
    return int(value)


def _natural(value: Any) -> int:
    _require(_integer(value) >= 0)
    return int(value)


def _not_zero(value: Any) -> float:
    _require(_real(value) != 0)
    return float(value)


def _flag(value: Any) -> int:
    _require(value in (0, 1))
    return int(value)


def _words(*words: str) -> Kind:
    """One of some words."""

    def convert(value: Any) -> str:
        _require(value in words)
        return str(value)

    return Kind(f"one of {', '.join(f'`{word}`' for word in words)}", convert, words)


def _text(value: Any) -> str:
    _require(isinstance(value, str))
    return str(value)


def _several(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def apply(value: Any) -> tuple[Any, ...]:
        return tuple(map(convert, value if isinstance(value, list | tuple) else (value,)))

    return apply


def _element_type(value: Any) -> str:
    _require(value in ELEMENT_TYPES)
    return str(value)


def _tensor(value: Any) -> Tensor:
    """A tensor of `int64` or `float32`."""
    made = Tensor.of(_numbers(value), DType.INT64)
    if made.dtype is not DType.FLOAT64:
        return made
    return Tensor(DType.FLOAT32, made.shape, pack(f"<{made.size}f", *made.numbers() or ()))


def _operand(value: Any) -> Any:
    return LEFT_OUT if value == LEFT_OUT else _numbers(value)


def _numbers(value: Any) -> Any:
    """A number, or nested lists of numbers in which integers stay integers."""
    if isinstance(value, list | tuple):
        if _are(value, int):
            return tuple(value)
        items = tuple(map(_numbers, value))
        _require(len({shape_of(item) for item in items}) <= 1)
        return items
    return value if isinstance(value, int) else _real(value)


def _real(value: Any) -> float:
    """A number that a float32 holds, infinite ones as the words for them."""
    infinite = isinstance(value, Word) and value.removeprefix("-") == INFINITE
    return float(value if infinite else kind_of(Real).convert(value))


# What attributes of ONNX's types accept.
ATTRIBUTES: Mapping[str, Kind] = {
    "INT": Kind("an integer", _integer),
    "FLOAT": Kind(kind_of(Real).expected, _real),
    "STRING": Kind("a string", _text),
    "INTS": Kind("a list of integers", _several(_integer)),
    "FLOATS": Kind("a list of numbers", _several(_real)),
    "STRINGS": Kind("a list of strings", _several(_text)),
    "TENSOR": Kind("a number or nested lists of numbers", _tensor),
}
NUMBER_LISTS = Kind("a number or nested lists of numbers", _numbers)
LEFT_OUT = "none"  # an operand that the operator can do without, before others that it gets
OUTPUTS = "outputs"  # which no operator has as an attribute
OPERANDS = Kind(f"{NUMBER_LISTS.expected}, or `{LEFT_OUT}`", _operand, (LEFT_OUT,))
ELEMENT_TYPES = (
    *("float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)
ELEMENT_TYPE = Kind(
    f"one of {', '.join(f'`{name}`' for name in ELEMENT_TYPES)}", _element_type, ELEMENT_TYPES
)
EXTENTS = Kind("a list of positive integers", _several(_positive))
POSITIVE = Kind("a positive integer", _positive)
FLAG = Kind("`yes` or `no`", _flag)
FLAGS = (
    *("align_corners", "allowzero", "ceil_mode", "center_point_box", "count_include_pad"),
    *("detect_negative", "detect_positive", "exclude_outside", "exclusive", "fmod", "inverse"),
    *("input_forget", "is_case_sensitive", "keepdims", "largest", "layout", "linear_before_reset"),
    *("new_axis", "noop_with_empty_axes", "onesided", "periodic", "reverse", "saturate"),
    *("select_last_index", "sorted", "storage_order", "training_mode", "transA", "transB", "upper"),
)
NATURAL = Kind("a whole number of at least 0", _natural)
NATURALS = ("batch_axis", "batch_dims", "block_size", "sampling_ratio", "time_axis")
COUNT_ATTRIBUTES = ("blocksize", "group", "hidden_size", "num_groups", "offset_group", "p", "size")
# Attributes that ONNX types as numbers of element types, as truth values or counts, and those that
# not every version checks.
TYPES = ("dtype", "output_dtype", "to")
BY_NAME: Mapping[str, Kind] = {
    **dict.fromkeys(TYPES, ELEMENT_TYPE),
    **dict.fromkeys(("dilations", "kernel_shape", "strides"), EXTENTS),
    **dict.fromkeys(FLAGS, FLAG),
    **dict.fromkeys(COUNT_ATTRIBUTES, POSITIVE),
    **dict.fromkeys(NATURALS, NATURAL),
    "auto_pad": _words(*AUTO_PADS),
    "output_shape": EXTENTS,
}
# What ONNX's own check of types lets pass.
BY_OPERATOR: Mapping[tuple[str, str], Kind] = {
    ("Celu", "alpha"): Kind("a number other than 0", _not_zero),
    **{key: _words(*words) for key, words in WORDS.items()},
}
# What `Constant` holds, which is not an operator in a graph but a leaf.
CONSTANTS: Mapping[str, Kind] = {
    "value": NUMBER_LISTS,
    "value_float": ATTRIBUTES["FLOAT"],
    "value_floats": ATTRIBUTES["FLOATS"],
    "value_int": ATTRIBUTES["INT"],
    "value_ints": ATTRIBUTES["INTS"],
}
RANDOM = frozenset(
    {
        *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"),
        "RandomUniformLike",
    }
)
RANDOM_HELP = (
    "`DROPOUT` and other layers make noise in training, from the run's seed; feed other random"
    " numbers as an `INPUT`"
)
# What to write in place of an attribute that the op table does not have.

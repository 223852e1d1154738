"""Elementwise operators: one operation per output element."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..graph import NO_ATTRIBUTES
from ..opdef import Cost, InferenceError, OpCall, defop, free
from ..types import BroadcastError, DType, TensorType, broadcast
from .cuts import numbers_of
from .double_precision import in_double_precision
from .gradients.elementwise import RULES

if TYPE_CHECKING:
    from ..builder import Builder
    from ..graph import Value

# SELU's numbers in full (Klambauer et al. 2017, equation 2), which ONNX rounds to float32.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_GAMMA = 1.0507009873554804934193349852946

# Operators of one argument that map each element separately, and their attributes.
UNARY: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(
        (
            *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh"),
            *("Erf", "Exp", "Floor", "HardSwish", "Log", "Mish", "Neg", "Reciprocal", "Relu"),
            *("Round", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan"),
            "Tanh",
        ),
        NO_ATTRIBUTES,
    ),
    "Celu": {"alpha": 1.0},
    "Elu": {"alpha": 1.0},
    "Gelu": {"approximate": "none"},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "LeakyRelu": {"alpha": 0.01},
    "Selu": {"alpha": SELU_ALPHA, "gamma": SELU_GAMMA},
    "Shrink": {"bias": 0.0, "lambd": 0.5},
    "ThresholdedRelu": {"alpha": 1.0},
}
STEPS = frozenset({"Ceil", "Floor", "Round", "Sign"})
# Those that integers have, too.
OF_INTEGERS = frozenset({"Abs", "Neg", "Relu", "Sign"})
BINARY = ("Add", "Div", "Mul", "Pow", "Sub")
VARIADIC = ("Max", "Mean", "Min", "Sum")
COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")


def infer_same(call: OpCall) -> Sequence[TensorType]:
    """One output of the first argument's type."""
    return (call.type(0),)


def infer_real(call: OpCall) -> Sequence[TensorType]:
    """One output of the first argument's type, which must hold real numbers."""
    x = call.type(0)
    if not x.dtype.is_float:
        raise InferenceError(f"{call.op_type} takes real numbers, not {x}")
    return (x,)


def infer_broadcast(call: OpCall) -> Sequence[TensorType]:
    """One output: the arguments broadcast together; they must share an element type."""
    types = [call.type(i) for i in range(max(len(call.inputs), 1))]
    return (_broadcast(call, types, types),)


def infer_binary(call: OpCall) -> Sequence[TensorType]:
    """One output: two arguments of one element type broadcast together."""
    types = [call.type(0), call.type(1)]
    return (_broadcast(call, types, types),)


def infer_quotient(call: OpCall) -> Sequence[TensorType]:
    """As a binary operator; whole numbers are not divided by 0."""
    (y,) = infer_binary(call)
    if not y.dtype.is_float and 0 in numbers_of(call.constants[1]):
        raise InferenceError(f"{call.op_type} cannot divide whole numbers by 0")
    return (y,)


def infer_remainder(call: OpCall) -> Sequence[TensorType]:
    """As a quotient; real numbers take `fmod=1` only."""
    (y,) = infer_quotient(call)
    if y.dtype.is_float and not call.attributes["fmod"]:
        raise InferenceError(f"Mod of real numbers, such as {call.type(0)}, needs `fmod=1`")
    return (y,)


def infer_comparison(call: OpCall) -> Sequence[TensorType]:
    """As a binary operator, but the output is truth values."""
    (y,) = infer_binary(call)
    return (TensorType(DType.BOOL, y.shape),)


def infer_within(call: OpCall) -> Sequence[TensorType]:
    """x, and further arguments that must broadcast to its shape."""
    x = call.type(0)
    types = [x, *(call.type(i) for i in range(1, len(call.inputs)) if call.has(i))]
    if _broadcast(call, types, types) != x:
        raise InferenceError(f"{call.op_type} cannot broadcast {_spell(types[1:])} to {x}")
    return (x,)


def infer_clip(call: OpCall) -> Sequence[TensorType]:
    """x, and optionally the least and the largest number."""
    x = call.type(0)
    for bound in (call.type(i) for i in range(1, len(call.inputs)) if call.has(i)):
        if bound.rank or bound.dtype != x.dtype:
            raise InferenceError(f"Clip takes single numbers of {x.dtype.value}, not {bound}")
    return (x,)


def infer_where(call: OpCall) -> Sequence[TensorType]:
    """A condition, what to take where it holds, and what elsewhere, broadcast together."""
    condition, then, otherwise = call.type(0), call.type(1), call.type(2)
    if condition.dtype != DType.BOOL:
        raise InferenceError(f"Where takes truth values as its condition, not {condition}")
    return (_broadcast(call, [then, otherwise], [condition, then, otherwise]),)


def infer_cast(call: OpCall) -> Sequence[TensorType]:
    """x with the element type `to`, a `DType`."""
    to = call.attributes["to"]
    if not isinstance(to, DType):
        raise InferenceError(f"Cast needs an element type, not {to}")
    return (TensorType(to, call.type(0).shape),)


def per_element(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """One operation per output element and argument beyond the first."""
    return Cost(elementwise=outputs[0].size * max(len(call.inputs) - 1, 1))


def divide_safely(
    build: "Builder", operands: "Sequence[Value | None]", call: OpCall
) -> "Sequence[Value] | None":
    """Builds whole a / -1 as -a: of the least integer it overflows, which ends onnxruntime."""
    a, b = operands
    assert a is not None
    assert b is not None
    known = call.constants[1]
    if a.dtype.is_float or (known is not None and -1 not in numbers_of(known)):
        return None
    minus, one = (build.constant(number, a.dtype) for number in (-1, 1))
    negated = build.Equal(b, minus)
    return [build.Where(negated, build.Neg(a), build.Div(a, build.Where(negated, one, b)))]


def _broadcast(
    call: OpCall, alike: Sequence[TensorType], types: Sequence[TensorType]
) -> TensorType:
    """The type of `types` broadcast together, with the element type that `alike` share."""
    if len({type.dtype for type in alike}) > 1:
        raise InferenceError(f"{call.op_type} takes one element type, not {_spell(alike)}")
    try:
        return alike[0].with_shape(broadcast([type.shape for type in types]))
    except BroadcastError as mismatch:
        raise InferenceError(f"{call.op_type} cannot broadcast {_spell(types)}") from mismatch


def _spell(types: Sequence[TensorType]) -> str:
    return " and ".join(map(str, types))


for op_type, attributes in UNARY.items():
    infer = infer_same if op_type in OF_INTEGERS else infer_real
    defop(
        op_type,
        infer=infer,
        cost=per_element,
        attributes=attributes,
        decompose=in_double_precision(op_type),
        vjp=RULES.get(op_type),
        constant=op_type in STEPS,
    )

for op_type in BINARY:
    defop(
        op_type,
        infer=infer_quotient if op_type == "Div" else infer_binary,
        cost=per_element,
        decompose=divide_safely if op_type == "Div" else None,
        vjp=RULES.get(op_type),
    )

defop(
    "Mod",
    infer=infer_remainder,
    cost=per_element,
    attributes={"fmod": 0},
    vjp=RULES["Mod"],
)

for op_type in VARIADIC:
    defop(
        op_type,
        infer=infer_broadcast,
        cost=per_element,
        decompose=in_double_precision(op_type),
        vjp=RULES.get(op_type),
    )

for op_type in COMPARISONS:
    defop(op_type, infer=infer_comparison, cost=per_element, constant=True)

defop("Clip", infer=infer_clip, cost=per_element, vjp=RULES["Clip"])
defop(
    "PRelu",
    infer=infer_within,
    cost=per_element,
    decompose=in_double_precision("PRelu"),
    vjp=RULES["PRelu"],
)
defop("Where", infer=infer_where, cost=per_element, vjp=RULES["Where"])
defop("Cast", infer=infer_cast, cost=free, attributes={"to": None}, vjp=RULES["Cast"])
defop("Identity", infer=infer_same, cost=free, view=True, vjp=RULES["Identity"])

"""Each operator -> an expression of PyTorch, a row for each.

The benchmarks compile the same rows, so that what is measured is what is written.
"""

from collections.abc import Mapping
from functools import reduce

from .code import (
    COMPARED,
    POSTFIX,
    PRODUCT,
    SUM,
    Code,
    call,
    code,
    joined,
    keyword,
    method,
    operand,
    option,
)
from .operator_call import OperatorCall, Row, dtype
from .quantizing import QUANTIZING
from .recurring import RECURRING
from .reductions import REDUCTIONS
from .selecting import SELECTING
from .shaping import SHAPING
from .tensors import single
from .windows import WINDOWS


def function(name: str) -> Row:
    """A function of all operands."""
    return Row(lambda op: call(name, *map(operand, range(len(op.inputs)))))


def binary(operator: str, level: int) -> Row:
    """An operator of Python's between two operands."""
    return Row(
        lambda op: joined(operator, level, operand(0, level), operand(1, level + 1)), numbers=True
    )


def folded(name: str) -> Row:
    """A function of two operands over all of them."""

    def write(op: OperatorCall) -> Code:
        first, *others = map(operand, range(len(op.inputs)))
        return reduce(lambda total, x: call(name, total, x), others, first)

    return Row(write)


def summed(op: OperatorCall) -> Code:
    """The sum of all operands."""
    first, *others = range(len(op.inputs))
    if not others:
        return operand(first)
    return joined("+", SUM, operand(first, SUM), *(operand(i, PRODUCT) for i in others))


def dense(op: OperatorCall) -> Code:
    """Gemm, as `linear` where it is a dense layer."""
    alpha, beta, trans_a, trans_b = (op[n] for n in ("alpha", "beta", "transA", "transB"))
    if (alpha, beta, trans_a, trans_b) == (1.0, 1.0, 0, 1):
        return call("F.linear", *map(operand, range(2 + op.has(2))))
    y = joined("@", PRODUCT, _turned(0, trans_a), _turned(1, trans_b))
    if alpha != 1.0:
        y = joined("*", PRODUCT, code(alpha), y)
    if not op.has(2):
        return y
    c = (
        operand(2, PRODUCT)
        if beta == 1.0
        else joined("*", PRODUCT, code(beta), operand(2, POSTFIX))
    )
    return joined("+", SUM, y, c)


def _turned(index: int, transposed: bool) -> Code:
    parts = operand(index, POSTFIX).parts
    return Code((*parts, ".T") if transposed else parts)


def batch_normalization(op: OperatorCall) -> Code:
    """BatchNormalization of a mode-neutral graph; running statistics move in training."""
    if op["training_mode"]:
        raise NotImplementedError("statistics of the batch as results")
    x, w, b, mean, var = map(operand, range(5))
    options = {"training": op.training, "momentum": momentum(op["momentum"]), "eps": op["epsilon"]}
    return call("F.batch_norm", x, mean, var, w, b, **options)


def momentum(kept: float) -> float:
    """PyTorch's momentum, the weight of new statistics; ONNX has that of the old ones."""
    return round(1 - kept, 12)


def layer_normalization(op: OperatorCall) -> Code:
    """LayerNormalization of the last axes."""
    shape = op.known_extents(range(op["axis"] % op.x.rank, op.x.rank))
    operands = map(operand, range(1, 2 + op.has(2)))
    return call("F.layer_norm", operand(0), shape, *operands, eps=op["epsilon"])


def group_normalization(op: OperatorCall) -> Code:
    """GroupNormalization."""
    weights = (operand(1), operand(2))
    return call("F.group_norm", operand(0), op["num_groups"], *weights, eps=op["epsilon"])


def instance_normalization(op: OperatorCall) -> Code:
    """InstanceNormalization."""
    weights = {"weight": operand(1), "bias": operand(2)}
    return call("F.instance_norm", operand(0), **weights, eps=op["epsilon"])


def dropout(op: OperatorCall) -> Code:
    """Dropout, with PyTorch's own noise."""
    rate = op.constant(1)
    p = 0.5 if rate is None else single(rate)
    return call("F.dropout", operand(0), p, op.training)


def noise(op: OperatorCall) -> Code:
    """netc.Noise, with PyTorch's own noise."""
    uniform = option("uniform", op["distribution"] == "uniform", False)
    drawn = "True" if op["always"] else op.training
    return call("add_noise", operand(0), operand(1), code(drawn), uniform)


def clip(op: OperatorCall) -> Code:
    """Clip by constants."""
    low, high = op.constant(1), op.constant(2)
    if low is None and high is None:
        return operand(0)
    return method(0, "clamp", option("min", low, None), option("max", high, None))


def divided(op: OperatorCall) -> Code:
    """Div; of integers, towards zero."""
    if op.x.dtype.is_float:
        return joined("/", PRODUCT, operand(0, PRODUCT), operand(1, POSTFIX))
    return call("torch.div", operand(0), operand(1), rounding_mode='"trunc"')


def scaled_exponential(op: OperatorCall) -> Code:
    """Selu with the constants of its paper."""
    if abs(op["alpha"] - 1.67326) > 1e-5 or abs(op["gamma"] - 1.0507) > 1e-5:
        raise NotImplementedError("other constants")
    return call("F.selu", operand(0))


def cast(op: OperatorCall) -> Code:
    """Cast."""
    if op.outputs[0].dtype.value == "bool":
        return method(0, "bool")
    return method(0, "to", dtype(op.outputs[0]))


def stochastic_pool(op: OperatorCall) -> Code:
    """netc.StochasticPool at inference, sum x^2 / sum |x| of each window."""
    raise NotImplementedError("samples of each window")


def along(name: str) -> Row:
    """A function along an axis."""
    return Row(lambda op: call(name, operand(0), op["axis"]))


def with_option(name: str, attribute: str, argument: str, default: object) -> Row:
    """A function with one option."""
    return Row(lambda op: call(name, operand(0), option(argument, op[attribute], default)))


def hard_sigmoid(op: OperatorCall) -> Code:
    """HardSigmoid."""
    if abs(op["alpha"] - 1 / 6) < 1e-7 and op["beta"] == 0.5:
        return call("F.hardsigmoid", operand(0))
    line = joined(
        "+", SUM, joined("*", PRODUCT, code(op["alpha"]), operand(0, POSTFIX)), op["beta"]
    )
    return call("torch.clamp", line, 0, 1)


def gelu(op: OperatorCall) -> Code:
    """Gelu, exact or by the hyperbolic tangent."""
    return call("F.gelu", operand(0), option("approximate", op["approximate"], "none"))


def mean_of(op: OperatorCall) -> Code:
    """The mean of all operands."""
    return joined("/", PRODUCT, summed(op), len(op.inputs))


def sloped(op: OperatorCall) -> Code:
    """PRelu with slopes of any shape."""
    negative = joined("*", PRODUCT, operand(1, PRODUCT), operand(0, POSTFIX))
    return call(
        "torch.where", Code((*operand(0, SUM).parts, " > 0"), COMPARED), operand(0), negative
    )


def modulo(op: OperatorCall) -> Code:
    """Mod, with the sign of the divisor, or of what is divided."""
    return call("torch.fmod" if op["fmod"] else "torch.remainder", operand(0), operand(1))


def infinite(op: OperatorCall) -> Code:
    """IsInf."""
    kinds = (bool(op["detect_negative"]), bool(op["detect_positive"]))
    names = {(True, True): "isinf", (True, False): "isneginf", (False, True): "isposinf"}
    if kinds not in names:
        raise NotImplementedError("infinities of no sign")
    return call(f"torch.{names[kinds]}", operand(0))


def shrunk(op: OperatorCall) -> Code:
    """Shrink, soft or hard."""
    if op["bias"] not in (0.0, op["lambd"]):
        raise NotImplementedError("another bias than 0 or `lambd`")
    name = "F.softshrink" if op["bias"] else "F.hardshrink"
    return call(name, operand(0), option("lambd", op["lambd"], 0.5))


def swish(op: OperatorCall) -> Code:
    """Swish: x sigmoid(alpha x)."""
    if op["alpha"] == 1.0:
        return call("F.silu", operand(0))
    scaled = joined("*", PRODUCT, code(op["alpha"]), operand(0, POSTFIX))
    return joined("*", PRODUCT, operand(0, PRODUCT), call("torch.sigmoid", scaled))


def power(op: OperatorCall) -> Code:
    """Pow, of the base's type."""
    exponent = op.inputs[1]
    y = call("torch.pow", operand(0), operand(1))
    if exponent is None or exponent.dtype is op.x.dtype or op.x.dtype.is_float:
        return y
    return method(y, "to", dtype(op.outputs[0]))


def negative_likelihood(name: str) -> Row:
    """A loss of classes, of log-probabilities or of scores."""

    def write(op: OperatorCall) -> Code:
        ignored = -100 if op["ignore_index"] is None else op["ignore_index"]
        return call(
            name,
            operand(0),
            method(1, "long"),
            *([keyword("weight", operand(2))] if op.has(2) else []),
            option("ignore_index", ignored, -100),
            option("reduction", op["reduction"], "mean"),
        )

    return Row(write)


def rms_normalization(op: OperatorCall) -> Code:
    """RMSNormalization of the last axes."""
    shape = op.known_extents(range(op["axis"] % op.x.rank, op.x.rank))
    return call("F.rms_norm", operand(0), shape, operand(1), eps=op["epsilon"])


OPERATORS: Mapping[str, Row] = {
    **WINDOWS,
    **REDUCTIONS,
    **SELECTING,
    **SHAPING,
    **QUANTIZING,
    **RECURRING,
    # products
    "Gemm": Row(dense),
    "MatMul": Row(lambda op: joined("@", PRODUCT, operand(0, PRODUCT), operand(1, POSTFIX))),
    "Einsum": Row(
        lambda op: call("torch.einsum", f'"{op["equation"]}"', *map(operand, range(len(op.inputs))))
    ),
    # normalization and noise
    "BatchNormalization": Row(batch_normalization),
    "LayerNormalization": Row(layer_normalization),
    "RMSNormalization": Row(rms_normalization),
    "GroupNormalization": Row(group_normalization),
    "InstanceNormalization": Row(instance_normalization),
    "Dropout": Row(dropout, frozenset({1, 2})),
    "netc.Noise": Row(noise, numbers=True),
    # activations
    "Relu": function("F.relu"),
    "LeakyRelu": with_option("F.leaky_relu", "alpha", "negative_slope", 0.01),
    "PRelu": Row(sloped),
    "Elu": with_option("F.elu", "alpha", "alpha", 1.0),
    "Selu": Row(scaled_exponential),
    "Celu": with_option("F.celu", "alpha", "alpha", 1.0),
    "Gelu": Row(gelu),
    "HardSigmoid": Row(hard_sigmoid),
    "HardSwish": function("F.hardswish"),
    "Mish": function("F.mish"),
    "Sigmoid": function("torch.sigmoid"),
    "Softplus": function("F.softplus"),
    "Softsign": function("F.softsign"),
    "Tanh": function("torch.tanh"),
    "Shrink": Row(shrunk),
    "Swish": Row(swish),
    "ThresholdedRelu": Row(lambda op: call("F.threshold", operand(0), op["alpha"], 0.0)),
    "Softmax": along("torch.softmax"),
    "LogSoftmax": along("torch.log_softmax"),
    "NegativeLogLikelihoodLoss": negative_likelihood("F.nll_loss"),
    "SoftmaxCrossEntropyLoss": negative_likelihood("F.cross_entropy"),
    # elementwise
    "Abs": function("torch.abs"),
    "Acos": function("torch.acos"),
    "Acosh": function("torch.acosh"),
    "Add": binary("+", SUM),
    "And": binary("&", SUM),
    "Asin": function("torch.asin"),
    "Asinh": function("torch.asinh"),
    "Atan": function("torch.atan"),
    "Atanh": function("torch.atanh"),
    "BitwiseAnd": binary("&", SUM),
    "BitwiseNot": function("torch.bitwise_not"),
    "BitwiseOr": binary("|", SUM),
    "BitwiseXor": binary("^", SUM),
    "Cast": Row(cast),
    "CastLike": Row(cast, frozenset({1})),
    "Ceil": function("torch.ceil"),
    "Clip": Row(clip, frozenset({1, 2})),
    "Cos": function("torch.cos"),
    "Cosh": function("torch.cosh"),
    "Det": function("torch.linalg.det"),
    "Div": Row(divided, numbers=True),
    "Equal": binary("==", COMPARED),
    "Erf": function("torch.erf"),
    "Exp": function("torch.exp"),
    "Floor": function("torch.floor"),
    "Greater": binary(">", COMPARED),
    "GreaterOrEqual": binary(">=", COMPARED),
    "Identity": Row(lambda op: operand(0)),
    "netc.Detach": Row(lambda op: method(0, "detach")),
    "IsInf": Row(infinite),
    "IsNaN": function("torch.isnan"),
    "Less": binary("<", COMPARED),
    "LessOrEqual": binary("<=", COMPARED),
    "Log": function("torch.log"),
    "Max": folded("torch.maximum"),
    "Mean": Row(mean_of),
    "Min": folded("torch.minimum"),
    "Mod": Row(modulo),
    "Mul": binary("*", PRODUCT),
    "Neg": Row(lambda op: Code(("-", *operand(0, PRODUCT).parts), PRODUCT)),
    "Not": function("torch.logical_not"),
    "Or": binary("|", SUM),
    "Pow": Row(power),
    "Reciprocal": function("torch.reciprocal"),
    "Round": function("torch.round"),
    "Sign": function("torch.sign"),
    "Sin": function("torch.sin"),
    "Sinh": function("torch.sinh"),
    "Sqrt": function("torch.sqrt"),
    "Sub": binary("-", SUM),
    "Sum": Row(summed),
    "Tan": function("torch.tan"),
    "Xor": binary("^", SUM),
    "Where": Row(lambda op: call("torch.where", *map(operand, range(3))), numbers=True),
}

"""Each operator -> an expression of PyTorch, a row for each.

The benchmarks compile the same rows, so that what is measured is what is written.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from .code import (
    COMPARED,
    POSTFIX,
    PRODUCT,
    SUM,
    Code,
    Group,
    Input,
    Number,
    Part,
    call,
    code,
    joined,
    keyword,
    listed,
    method,
    number,
    operand,
    option,
)
from .operator_call import OperatorCall, Row, dims, dtype
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


def reshape(op: OperatorCall) -> Code:
    """Whatever leaves elements in their order."""
    before, after = op.x.shape, op.outputs[0].shape
    if len(after) == 2 < len(before) and before[:1] == after[:1]:
        return method(0, "flatten", 1)
    if len(before) == 1 and [extent for extent in after if extent != 1] == [*before]:
        return method(0, "reshape", *(1 if extent == 1 else -1 for extent in after))
    return method(0, "reshape", *op.sizes(after))


def squeezed(name: str) -> Row:
    """An axis less or more; several are a reshape."""

    def write(op: OperatorCall) -> Code:
        axes = op.constant(1)
        rank = max(op.x.rank, op.outputs[0].rank)
        if axes is not None and len(axes) == 1:
            return method(0, name, axes[0] % rank)
        return reshape(op)

    return Row(write, frozenset({1}))


def sliced(op: OperatorCall) -> Code:
    """Slice; steps back are steps ahead of what is flipped."""
    starts, ends, axes, steps = map(op.constant, range(1, 5))
    axes = range(len(starts)) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    places = [code(":")] * op.x.rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 0:
            raise NotImplementedError("negative steps")
        places[axis] = _range(start, end, step)
    while len(places) > 1 and places[-1] == code(":"):
        places.pop()
    return Code((*operand(0, POSTFIX).parts, Group(tuple(places), "[]", "subscript")))


def _range(start: object, end: object, step: int) -> Code:
    if not isinstance(start, int) or not isinstance(end, int):
        raise NotImplementedError("places that only an input determines")
    first = [] if start == 0 else _place(start)
    last = [] if end >= 2**31 else _place(end)
    return Code((*first, ":", *last, *([f":{step}"] if step != 1 else [])))


def _place(number: int) -> list[Part]:
    sign: list[Part] = ["-"] if number < 0 else []
    return [*sign, Number(abs(number), "cut")]


def gather(op: OperatorCall) -> Code:
    """Gather; a lookup in a table is an embedding, and indices count from the end, too."""
    axis, index = op["axis"] % op.x.rank, op.inputs[1]
    assert index is not None
    (count,) = op.known_extents((axis,))
    places = joined("%", PRODUCT, operand(1, PRODUCT), code(count))
    if axis == 0 and op.x.rank == 2 and index.rank > 0:
        return call("F.embedding", places, operand(0))
    if index.rank == 1:
        return method(0, "index_select", axis, places)
    shape = (*op.x.shape[:axis], *index.shape, *op.x.shape[axis + 1 :])
    rows = method(0, "index_select", axis, method(places, "reshape", -1))
    return method(rows, "reshape", *op.sizes(shape))


def gather_elements(op: OperatorCall) -> Code:
    """GatherElements; indices count from the end, too."""
    axis = op["axis"]
    (count,) = op.known_extents((axis,))
    return method(0, "gather", axis, joined("%", PRODUCT, method(1, "long"), code(count)))


MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}


def pad(op: OperatorCall) -> Code:
    """Pad on all axes; other than constants PyTorch pads the last axes of images."""
    mode = op["mode"]
    if mode not in MODES or op.constant(3) is not None:
        raise NotImplementedError("axes, or what wraps around")
    pads, value = op.constant(1), op.constant(2)
    half = len(pads) // 2
    pairs = list(zip(pads[:half][::-1], pads[half:][::-1], strict=True))
    while len(pairs) > 1 and pairs[-1] == (0, 0):
        pairs.pop()
    order = tuple(n for pair in pairs for n in pair)
    if mode == "constant":
        filling = 0 if value is None else value
        return call("F.pad", operand(0), number(order, "pad"), option("value", filling, 0.0))
    if len(pairs) > 3 or (len(pairs) + 2 < op.x.rank and op.x.rank < 3):
        raise NotImplementedError("mirrors or edges of so many axes")
    return _padded_at_the_end(op, order, MODES[mode])


def _padded_at_the_end(op: OperatorCall, order: tuple[int, ...], mode: str) -> Code:
    """PyTorch mirrors the last n axes of n + 1 or n + 2."""
    axes = max(len(order) // 2, op.x.rank - 2)
    if not op.x.dtype.is_float or axes > 3 or op.x.rank - axes not in (1, 2):
        raise NotImplementedError("mirrors or edges of such axes")
    order += (0,) * (2 * axes - len(order))
    return call("F.pad", operand(0), number(order, "pad"), mode=f'"{mode}"')


def split(op: OperatorCall) -> Code:
    """Split into parts whose sizes types tell."""
    axis = op["axis"]
    sizes = [part.shape[axis] for part in op.outputs]
    if not all(isinstance(size, int) for size in sizes):
        raise NotImplementedError("extents that only an input determines")
    if len(set(sizes)) == 1:
        return method(0, "chunk", len(sizes), axis)
    return method(0, "split", listed([code(str(size)) for size in sizes]), axis)


def reduced(name: str, before: str = "", after: str = "") -> Row:
    """A reduction over axes, of what the method `before` makes, and `after` of what comes out."""

    def write(op: OperatorCall) -> Code:
        y = method(0, before) if before else operand(0, POSTFIX)
        axes = _reduced_axes(op)
        if axes:
            kept = option("keepdim", bool(op["keepdims"]), False)
            y = method(y, name, dims(axes), kept)
        return method(y, after) if after else y

    return Row(write, frozenset({1}))


def _reduced_axes(op: OperatorCall) -> tuple[int, ...]:
    """The axes of a reduction; none where it is told to reduce none."""
    given = tuple(op.constant(1) or ())
    return given or (() if op["noop_with_empty_axes"] else tuple(range(op.x.rank)))


def multiplied(op: OperatorCall) -> Code:
    """ReduceProd: of the last axes as one, of others one after the other from the last on."""
    axes = sorted(axis % op.x.rank for axis in _reduced_axes(op))
    if len(axes) > 1 and axes == list(range(axes[0], op.x.rank)):
        y = method(method(0, "flatten", axes[0]), "prod", axes[0])
        kept = ", ".join(["...", *["None"] * len(axes)])
        return Code((*y.parts, f"[{kept}]")) if op["keepdims"] else y
    y = operand(0, POSTFIX)
    for axis in reversed(axes):
        y = method(y, "prod", axis, option("keepdim", bool(op["keepdims"]), False))
    return y


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


def expanded(op: OperatorCall) -> Code:
    """Expand; -1 keeps an extent."""
    before, after = op.x.shape, op.outputs[0].shape
    own = (None,) * (len(after) - len(before)) + before
    sizes = [
        code(-1) if kept == extent else op.extent(extent)
        for kept, extent in zip(own, after, strict=True)
    ]
    return method(0, "expand", *sizes) if sizes else operand(0)


def permuted(op: OperatorCall) -> Code:
    """Transpose, by two axes where only these change places."""
    perm = tuple(op["perm"])
    moved = [i for i, axis in enumerate(perm) if axis != i]
    if not moved:
        return operand(0)
    if perm == (1, 0):
        return Code((*operand(0, POSTFIX).parts, ".T"))
    if len(moved) == 2:
        return method(0, "transpose", *moved)
    return method(0, "permute", *perm)


def triangle(op: OperatorCall) -> Code:
    """Trilu."""
    diagonal = int(op.constant(1) or 0)
    return method(0, "triu" if op["upper"] else "tril", *([diagonal] if diagonal else []))


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


def norm(order: int) -> Row:
    """A norm over axes, of real numbers."""

    def write(op: OperatorCall) -> Code:
        axes = _reduced_axes(op)
        if not axes:
            return method(0, "abs")
        kept = option("keepdim", bool(op["keepdims"]), False)
        return call(
            "torch.linalg.vector_norm",
            operand(0),
            option("ord", order, 2),
            keyword("dim", code(str(dims(axes)))),
            kept,
        )

    return Row(write, frozenset({1}))


def counted(op: OperatorCall) -> Code:
    """Range from 0 to an extent of an operand."""
    (count,) = op.outputs[0].shape
    if op.known[0] != 0 or op.known[2] != 1 or op.outputs[0].dtype.is_float:
        raise NotImplementedError("other numbers than those from 0 on")
    extent = op.extent(count)
    if isinstance(count, int):
        return call("torch.arange", extent)
    (source, *_) = extent.parts
    return call("torch.arange", extent, device=Code((source, ".device")))


def largest(op: OperatorCall) -> Code:
    """TopK: values and their places."""
    (count,) = op.constant(1)
    return method(0, "topk", count, op["axis"], option("largest", bool(op["largest"]), True))


def extents(op: OperatorCall) -> Code:
    """Shape, where it is computed with."""
    first, last = op["start"], op["end"]
    cut = f"[{first or ''}:{'' if last is None else last}]" if first or last is not None else ""
    return call("torch.tensor", Code((Input(0, POSTFIX), f".shape{cut}")))


def concatenated(op: OperatorCall) -> Code:
    """Concat."""
    parts: Sequence[Code] = [operand(i) for i in range(len(op.inputs))]
    return call("torch.cat", listed(parts), option("dim", op["axis"], 0))


OPERATORS: Mapping[str, Row] = {
    **WINDOWS,
    # products
    "Gemm": Row(dense),
    "MatMul": Row(lambda op: joined("@", PRODUCT, operand(0, PRODUCT), operand(1, POSTFIX))),
    "Einsum": Row(
        lambda op: call("torch.einsum", f'"{op["equation"]}"', *map(operand, range(len(op.inputs))))
    ),
    # normalization and noise
    "BatchNormalization": Row(batch_normalization),
    "LayerNormalization": Row(layer_normalization),
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
    "Softmax": along("torch.softmax"),
    "LogSoftmax": along("torch.log_softmax"),
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
    "Cast": Row(cast),
    "Ceil": function("torch.ceil"),
    "Clip": Row(clip, frozenset({1, 2})),
    "Cos": function("torch.cos"),
    "Cosh": function("torch.cosh"),
    "Div": Row(divided, numbers=True),
    "Equal": binary("==", COMPARED),
    "Erf": function("torch.erf"),
    "Exp": function("torch.exp"),
    "Floor": function("torch.floor"),
    "Greater": binary(">", COMPARED),
    "GreaterOrEqual": binary(">=", COMPARED),
    "Identity": Row(lambda op: operand(0)),
    "netc.Detach": Row(lambda op: method(0, "detach")),
    "IsNaN": function("torch.isnan"),
    "Less": binary("<", COMPARED),
    "LessOrEqual": binary("<=", COMPARED),
    "Log": function("torch.log"),
    "Max": folded("torch.maximum"),
    "Mean": Row(mean_of),
    "Min": folded("torch.minimum"),
    "Mul": binary("*", PRODUCT),
    "Neg": Row(lambda op: Code(("-", *operand(0, PRODUCT).parts), PRODUCT)),
    "Not": function("torch.logical_not"),
    "Or": binary("|", SUM),
    "Pow": function("torch.pow"),
    "Reciprocal": function("torch.reciprocal"),
    "Round": function("torch.round"),
    "Sign": function("torch.sign"),
    "Sin": function("torch.sin"),
    "Sinh": function("torch.sinh"),
    "Sqrt": function("torch.sqrt"),
    "Sub": binary("-", SUM),
    "Sum": Row(summed),
    "Tan": function("torch.tan"),
    "Where": Row(lambda op: call("torch.where", *map(operand, range(3))), numbers=True),
    # reductions
    "Range": Row(counted, frozenset({0, 1, 2})),
    "ReduceL1": norm(1),
    "ReduceL2": norm(2),
    "ReduceLogSum": reduced("sum", after="log"),
    "ReduceLogSumExp": reduced("logsumexp"),
    "ReduceMax": reduced("amax"),
    "ReduceMean": reduced("mean"),
    "ReduceMin": reduced("amin"),
    "ReduceProd": Row(multiplied, frozenset({1})),
    "ReduceSum": reduced("sum"),
    "ReduceSumSquare": reduced("sum", before="square"),
    # shapes
    "Concat": Row(concatenated),
    "Expand": Row(expanded, frozenset({1})),
    "Flatten": Row(reshape),
    "Gather": Row(gather),
    "GatherElements": Row(gather_elements),
    "Pad": Row(pad, frozenset({1, 2, 3})),
    "Reshape": Row(reshape, frozenset({1})),
    "Shape": Row(extents),
    "Slice": Row(sliced, frozenset({1, 2, 3, 4})),
    "Split": Row(split, frozenset({1}), several=True),
    "Squeeze": squeezed("squeeze"),
    "TopK": Row(largest, frozenset({1}), several=True),
    "Transpose": Row(permuted),
    "Trilu": Row(triangle, frozenset({1})),
    "Unsqueeze": squeezed("unsqueeze"),
}

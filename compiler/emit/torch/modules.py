"""Each kind of layer -> a module of PyTorch, a row for each; others are written by operators."""

from collections.abc import Callable, Mapping
from typing import Any

from ...ir.graph import Node
from ...ir.windows import window_of
from .attention import attention
from .code import (
    POSTFIX,
    SUM,
    Code,
    Group,
    Input,
    Number,
    call,
    code,
    joined,
    method,
    number,
    operand,
    option,
)
from .layer_view import SELF, LayerView, Module, around, whole
from .operator_call import alike
from .operators import momentum
from .tensors import single
from .window_layers import relative_attention, stochastic_pool, unwindow, window
from .windows import padded

ModuleRow = Callable[[LayerView], Module | None]


def weight(node: Node, index: int = 1) -> tuple[int, ...]:
    """The extents of an operator's weight."""
    value = node.inputs[index]
    assert value is not None
    return value.type.extents


def has(node: Node, index: int) -> bool:
    """Whether an operator is given an argument."""
    return len(node.inputs) > index and node.inputs[index] is not None


def convolution(view: LayerView) -> Module | None:
    """CONV and DWCONV: `nn.Conv2d`."""

    def make(node: Node) -> Code | None:
        filters, channels, *kernel = weight(node)
        both, _ = padded(node.attributes["pads"])
        groups = node.attributes["group"]
        grouped = number(groups, "in_channels") if channels == 1 < groups else None
        return call(
            f"nn.Conv{len(kernel)}d",
            number(channels * groups, "in_channels"),
            number(filters, "out_channels"),
            number(alike(kernel), "kernel_size"),
            option("stride", alike(node.attributes["strides"]), 1),
            option("padding", alike(both), 0),
            option("dilation", alike(node.attributes["dilations"]), 1),
            option("groups", groups, 1, "in_channels" if grouped else None),
            option("bias", has(node, 2), True),
        )

    def called(node: Node) -> Code:
        _, rest = padded(node.attributes["pads"])
        x = call("F.pad", operand(0), number(rest, "pad")) if any(rest) else operand(0)
        return call(SELF, x)

    return around(view, "Conv", make, called, learned=True, heavy=True)


def transposed_convolution(view: LayerView) -> Module | None:
    """UPCONV: `nn.ConvTranspose2d`."""

    def make(node: Node) -> Code | None:
        channels, filters, *kernel = weight(node)
        both, _ = padded(node.attributes["pads"])
        groups = node.attributes["group"]
        return call(
            f"nn.ConvTranspose{len(kernel)}d",
            number(channels, "in_channels"),
            number(filters * groups, "out_channels"),
            number(alike(kernel), "kernel_size"),
            option("stride", alike(node.attributes["strides"]), 1),
            option("padding", alike(both), 0),
            option("output_padding", alike(node.attributes["output_padding"]), 0),
            option("groups", groups, 1),
            option("bias", has(node, 2), True),
            option("dilation", alike(node.attributes["dilations"]), 1),
        )

    def called(node: Node) -> Code:
        _, rest = padded(node.attributes["pads"])
        cut = tuple(-n for n in rest)
        y = call(SELF, operand(0))
        return call("F.pad", y, number(cut, "pad")) if any(rest) else y

    return around(view, "ConvTranspose", make, called, learned=True, heavy=True)


def _linear(extents: tuple[int, ...], bias: bool) -> Code:
    units, features = extents
    return call(
        "nn.Linear",
        number(features, "in_features"),
        number(units, "out_features"),
        option("bias", bias, True),
    )


def dense(view: LayerView) -> Module | None:
    """FC: `nn.Linear`."""
    return around(
        view,
        "Gemm",
        lambda node: _linear(weight(node), has(node, 2)),
        learned=True,
        heavy=True,
    )


def linear(view: LayerView) -> Module | None:
    """LINEAR: `nn.Linear` on vectors and sequences, and on images with the channels moved."""
    if (found := view.find("Gemm")) is not None:
        return dense(view)
    x = view.operand
    if x is None:
        return None
    tables = view.parameters
    names = [table.attributes["name"].rpartition(".")[2] for table in tables]
    if names not in (["weight"], ["weight", "bias"]):
        return None
    definition = _linear(tables[0].outputs[0].extents, len(tables) > 1)
    called = call(SELF, operand(0))
    if found is None and x.type.rank > 3:
        called = method(call(SELF, method(0, "movedim", 1, -1)), "movedim", -1, 1)
    return Module(definition, (x,), view.layer.outputs, called, learned=True, heavy=True)


def batch_normalization(view: LayerView) -> Module | None:
    """BN: `nn.BatchNorm2d`."""

    def make(node: Node) -> Code:
        x = node.inputs[0]
        assert x is not None
        rank = max(x.type.rank - 2, 1)
        return call(
            f"nn.BatchNorm{rank}d",
            number(weight(node, 3)[0], "num_features"),
            option("eps", node.attributes["epsilon"], 1e-5),
            option("momentum", momentum(node.attributes["momentum"]), 0.1),
            option("affine", view.arguments["affine"], True),
        )

    return around(view, "BatchNormalization", make, learned=True)


def layer_normalization(view: LayerView) -> Module | None:
    """LN: `nn.LayerNorm`."""

    def make(node: Node) -> Code:
        return call(
            "nn.LayerNorm",
            number(alike(weight(node)) if len(weight(node)) == 1 else weight(node), "features"),
            option("eps", node.attributes["epsilon"], 1e-5),
            option("elementwise_affine", view.arguments["affine"], True),
        )

    return around(view, "LayerNormalization", make, learned=view.arguments["affine"])


def group_normalization(view: LayerView) -> Module | None:
    """GN: `nn.GroupNorm`."""

    def make(node: Node) -> Code:
        return call(
            "nn.GroupNorm",
            number(node.attributes["num_groups"], "num_groups"),
            number(weight(node)[0], "num_channels"),
            option("eps", node.attributes["epsilon"], 1e-5),
            option("affine", view.arguments["affine"], True),
        )

    return around(view, "GroupNormalization", make, learned=view.arguments["affine"])


def instance_normalization(view: LayerView) -> Module | None:
    """IN: `nn.InstanceNorm2d`."""

    def make(node: Node) -> Code:
        x = node.inputs[0]
        assert x is not None
        return call(
            f"nn.InstanceNorm{x.type.rank - 2}d",
            number(weight(node)[0], "num_features"),
            option("eps", node.attributes["epsilon"], 1e-5),
            option("affine", view.arguments["affine"], False),
        )

    return around(view, "InstanceNormalization", make, learned=view.arguments["affine"])


def root_mean_square_normalization(view: LayerView) -> Module | None:
    """RMSNORM: `nn.RMSNorm`, which takes channels that come last."""
    x = view.operand
    if x is None or x.type.rank > 3:
        return None
    definition = call(
        "nn.RMSNorm",
        number(x.type.shape[-1], "features"),
        option("eps", view.arguments["eps"], None),
        option("elementwise_affine", view.arguments["affine"], True),
    )
    return whole(view, definition, call(SELF, operand(0)), learned=view.arguments["affine"])


def embedding(view: LayerView) -> Module | None:
    """EMBED: `nn.Embedding`."""
    found = view.find("Gather")
    if found is None:
        return None
    identifier, node = found
    table, ids = node.inputs
    assert table is not None
    assert ids is not None
    vocabulary, width = table.type.extents
    definition = call("nn.Embedding", number(vocabulary, "vocabulary"), number(width, "features"))
    gives = (view.result(identifier),)
    return Module(definition, (ids,), gives, call(SELF, operand(0)), learned=True)


def position_embedding(view: LayerView) -> Module | None:
    """POSEMBED: the rows of an `nn.Embedding`, added."""
    x, tables = view.operand, view.parameters
    if x is None or len(tables) != 1:
        return None
    held, width = tables[0].outputs[0].extents
    definition = call("nn.Embedding", number(held, "positions"), number(width, "features"))
    rows = x.shape[1]
    table = Code((*SELF.parts, ".weight"))
    if rows != held:
        length = (str(rows),) if isinstance(rows, int) else (Input(0, POSTFIX), ".shape[1]")
        table = Code((*table.parts, "[:", *length, "]"))
    added = joined("+", SUM, operand(0, SUM), table)
    return Module(definition, (x,), view.layer.outputs, added, learned=True)


def parametric_relu(view: LayerView) -> Module | None:
    """PRELU: `nn.PReLU`, whose channels are the second axis."""
    x = view.operand
    found = view.find("PRelu")
    if x is None or found is None or (x.type.rank == 3 and not view.arguments["shared"]):
        return None
    slopes = found[1].inputs[1]
    assert slopes is not None
    definition = call("nn.PReLU", option("num_parameters", slopes.type.size, 1))
    return whole(view, definition, call(SELF, operand(0)), learned=True, follows=True)


def pool(view: LayerView) -> Module | None:
    """POOL: `nn.MaxPool2d` or `nn.AvgPool2d`."""
    if view.arguments["mode"] == "stochastic":
        return stochastic_pool(view)
    kind = {"max": "Max", "avg": "Avg"}.get(view.arguments["mode"])
    op_type = {"Max": "MaxPool", "Avg": "AveragePool"}.get(kind or "", "")
    found = view.find(op_type)
    if kind is None or found is None or view.find("Pad"):
        return None
    identifier, node = found
    options = _pool_options(view, node, kind)
    x = node.inputs[0]
    if options is None or x is None:
        return None
    rank = len(node.attributes["kernel_shape"])
    definition = call(f"nn.{kind}Pool{rank}d", *options)
    function = call(f"F.{kind.lower()}_pool{rank}d", operand(0), *options)
    gives = (view.result(identifier),)
    if (identifier, 1) in view.read:
        indexed = call(function_name(function), operand(0), *options, code("return_indices=True"))
        return Module(None, (x,), (*gives, view.result(identifier, 1)), indexed)
    return Module(definition, (x,), gives, function, follows=True)


def function_name(called: Code) -> str:
    """The name of what is called."""
    assert isinstance(called.parts[0], str)
    return called.parts[0]


def _pool_options(view: LayerView, node: Node, kind: str) -> list[Code] | None:
    """Kernel, stride and padding, as PyTorch takes them; None where they are uneven."""
    window = window_of(node.attributes)
    kernel, ceil = alike(window.kernel), bool(view.arguments["ceil"])
    pad = view.arguments["pad"]
    uneven = window.before != window.after and not ceil
    if uneven or (ceil and (pad == "same" or _is_pair(pad))):
        return None
    if any(2 * p > k for p, k in zip(window.before, window.kernel, strict=True)):
        return None
    counted = bool(node.attributes.get("count_include_pad")) or view.arguments["count_pad"]
    options = [
        number(kernel, "kernel_size"),
        option("stride", alike(window.strides), kernel),
        option("padding", alike(window.before), 0),
        option("ceil_mode", ceil, False),
    ]
    if kind == "Avg" and any(window.before):
        options.append(option("count_include_pad", counted, True))
    return options


def _is_pair(pad: Any) -> bool:
    return isinstance(pad, tuple) and isinstance(pad[0], tuple)


def unpool(view: LayerView) -> Module | None:
    """UNPOOL: `F.max_unpool2d` at the places that the pool returns."""
    found = view.find("MaxUnpool")
    if found is None:
        return None
    identifier, node = found
    x, places = node.inputs[0], node.inputs[1]
    assert x is not None
    assert places is not None
    window = window_of(node.attributes)
    extents = node.outputs[0].shape[2:]
    if any(window.pads) or not all(isinstance(extent, int) for extent in extents):
        return None
    kernel = alike(window.kernel)
    called = call(
        f"F.max_unpool{len(window.kernel)}d",
        operand(0),
        operand(1),
        code(kernel),
        option("stride", alike(window.strides), kernel),
        output_size=tuple(extents),
    )
    return Module(None, (x, places), (view.result(identifier),), called)


def global_pool(kind: str) -> ModuleRow:
    """GAP and GMP: `nn.AdaptiveAvgPool2d(1)` and a vector of it."""

    def make(view: LayerView) -> Module | None:
        x = view.operand
        if x is None:
            return None
        axes = (1,) if x.type.rank == 3 else tuple(range(2, x.type.rank))
        reduced = method(
            0, {"Avg": "mean", "Max": "amax"}[kind], alike(axes) if len(axes) == 1 else axes
        )
        return whole(view, None, reduced)

    return make


def adaptive_pool(view: LayerView) -> Module | None:
    """ADAPTIVEPOOL: `nn.AdaptiveAvgPool2d`."""
    x = view.operand
    if x is None or x.type.rank == 3:
        return None
    kind = {"avg": "Avg", "max": "Max"}[view.arguments["mode"]]
    rank, size = x.type.rank - 2, view.arguments["size"]
    sizes = number(size if isinstance(size, int) else alike(size), "output_size")
    definition = call(f"nn.Adaptive{kind}Pool{rank}d", sizes)
    function = call(f"F.adaptive_{kind.lower()}_pool{rank}d", operand(0), sizes)
    return whole(view, definition, function)


def dropout(view: LayerView) -> Module | None:
    """DROPOUT: `nn.Dropout`."""
    definition = call("nn.Dropout", number(single(view.arguments["rate"]), "rate"))
    return whole(view, definition, call(SELF, operand(0)), follows=True)


def drop_path(view: LayerView) -> Module | None:
    """DROPPATH: samples dropped as a whole, by a module that is written out."""
    definition = call("DropPath", number(single(view.arguments["rate"]), "rate"))
    return whole(view, definition, call(SELF, operand(0)))


def flatten(view: LayerView) -> Module | None:
    """FLATTEN: `nn.Flatten`."""
    if not view.operators:
        return None
    return whole(view, call("nn.Flatten"), method(0, "flatten", 1))


def activation(definition: str, expression: str, *options: tuple[str, str, Any]) -> ModuleRow:
    """An activation: its module, its function, and options with the arguments that they have."""

    def make(view: LayerView) -> Module | None:
        settled = [option(name, view.arguments[a], d) for name, a, d in options]
        module = call(definition, *settled)
        return whole(view, module, call(expression, operand(0), *settled), follows=True)

    return make


def over_channels(definition: str, expression: str) -> ModuleRow:
    """An activation over the channels at every position."""

    def make(view: LayerView) -> Module | None:
        x = view.operand
        if x is None:
            return None
        axis = 1 if x.type.rank >= 4 else x.type.rank - 1
        module = call(definition, option("dim", axis, None))
        return whole(view, module, call(expression, operand(0), axis), follows=True)

    return make


def gelu(view: LayerView) -> Module | None:
    """GELU: `nn.GELU`."""
    form = '"tanh"' if view.arguments["form"] == "tanh" else None
    settled = [] if form is None else [code(f"approximate={form}")]
    return whole(
        view, call("nn.GELU", *settled), call("F.gelu", operand(0), *settled), follows=True
    )


def channel_shuffle(view: LayerView) -> Module | None:
    """CHANNELSHUFFLE: `nn.ChannelShuffle` on images."""
    x = view.operand
    if x is None or x.type.rank < 4:
        return None
    groups = number(view.arguments["groups"], "groups")
    shuffled = call("F.channel_shuffle", operand(0), groups)
    return whole(view, call("nn.ChannelShuffle", groups), shuffled)


def pixel_shuffle(view: LayerView) -> Module | None:
    """PIXELSHUFFLE: `nn.PixelShuffle` on images."""
    x = view.operand
    if x is None or x.type.rank != 4:
        return None
    factor = number(view.arguments["factor"], "upscale_factor")
    shuffled = call("F.pixel_shuffle", operand(0), factor)
    return whole(view, call("nn.PixelShuffle", factor), shuffled)


def upsample(view: LayerView) -> Module | None:
    """UPSAMPLE: `nn.Upsample`."""
    x, found = view.operand, view.find("Resize")
    if x is None or found is None or x.type.rank == 3:
        return None
    factor = view.arguments["factor"]
    words = {4: "bilinear", 5: "trilinear"}
    named = [code(f"scale_factor={factor if isinstance(factor, int) else alike(factor)}")]
    if view.arguments["mode"] != "nearest":
        named.append(code(f'mode="{words[x.type.rank]}"'))
    return whole(view, call("nn.Upsample", *named), call("F.interpolate", operand(0), *named))


def index(view: LayerView) -> Module | None:
    """SLICE of one element: an index."""
    types = [node.op_type for node in view.operators.values()]
    if types != ["Slice", "Squeeze"]:
        return None
    (shrunk,) = [node for node in view.operators.values() if node.op_type == "Squeeze"]
    assert shrunk.inputs[0] is not None
    before, after = shrunk.inputs[0].shape, shrunk.outputs[0].shape
    axis = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after)
    )
    start = view.arguments["start"]
    place = Code(("-" if start < 0 else "", Number(abs(start), "place")))
    places = (*[code(":")] * axis, place)
    return whole(view, None, Code((*operand(0, POSTFIX).parts, Group(places, "[]", "subscript"))))


def rolled(view: LayerView) -> Module | None:
    """ROLL: `torch.roll`."""
    x = view.operand
    shifts = view.arguments["shift"]
    if x is None or view.arguments["axis"] is not None:
        return None
    first = 1 if x.type.rank <= 3 else 2
    axes = tuple(range(first, 2 if x.type.rank <= 3 else x.type.rank))
    each = (shifts,) * len(axes) if isinstance(shifts, int) else shifts
    moved = call(
        "torch.roll",
        operand(0),
        alike(each) if len(each) == 1 else each,
        axes if len(axes) > 1 else axes[0],
    )
    return whole(view, None, moved)


MODULES: Mapping[str, ModuleRow] = {
    # with weights
    "CONV": convolution,
    "DWCONV": convolution,
    "UPCONV": transposed_convolution,
    "FC": dense,
    "LINEAR": linear,
    "EMBED": embedding,
    "POSEMBED": position_embedding,
    "ATTENTION": lambda view: relative_attention(view) or attention(view),
    "BN": batch_normalization,
    "LN": layer_normalization,
    "GN": group_normalization,
    "IN": instance_normalization,
    "RMSNORM": root_mean_square_normalization,
    "PRELU": parametric_relu,
    # noise
    "DROPOUT": dropout,
    "DROPPATH": drop_path,
    # windows
    "POOL": pool,
    "UNPOOL": unpool,
    "GAP": global_pool("Avg"),
    "GMP": global_pool("Max"),
    "ADAPTIVEPOOL": adaptive_pool,
    "UPSAMPLE": upsample,
    "PIXELSHUFFLE": pixel_shuffle,
    "CHANNELSHUFFLE": channel_shuffle,
    # shapes
    "FLATTEN": flatten,
    "ROLL": rolled,
    "SLICE": index,
    "WINDOW": window,
    "UNWINDOW": unwindow,
    # activations
    "RELU": activation("nn.ReLU", "F.relu"),
    "RELU6": activation("nn.ReLU6", "F.relu6"),
    "LRELU": activation("nn.LeakyReLU", "F.leaky_relu", ("negative_slope", "slope", 0.01)),
    "ELU": activation("nn.ELU", "F.elu", ("alpha", "alpha", 1.0)),
    "CELU": activation("nn.CELU", "F.celu", ("alpha", "alpha", 1.0)),
    "SELU": activation("nn.SELU", "F.selu"),
    "GELU": gelu,
    "SIGMOID": activation("nn.Sigmoid", "torch.sigmoid"),
    "HARDSIGMOID": activation("nn.Hardsigmoid", "F.hardsigmoid"),
    "SWISH": activation("nn.SiLU", "F.silu"),
    "HARDSWISH": activation("nn.Hardswish", "F.hardswish"),
    "MISH": activation("nn.Mish", "F.mish"),
    "TANH": activation("nn.Tanh", "torch.tanh"),
    "SOFTPLUS": activation("nn.Softplus", "F.softplus"),
    "SOFTSIGN": activation("nn.Softsign", "F.softsign"),
    "SOFTMAX": over_channels("nn.Softmax", "torch.softmax"),
    "LOGSOFTMAX": over_channels("nn.LogSoftmax", "torch.log_softmax"),
}

"""Each kind of layer -> a module of PyTorch, a row for each; others are written by operators."""

from collections.abc import Callable, Mapping
from typing import Any

from ...ir.graph import Node
from ...ir.windows import window_of
from ...layers.resampling import INTERPOLATIONS
from .attention import attention
from .code import POSTFIX, Code, Group, Name, Number, call, code, method, number, operand, option
from .layer_view import SELF, LayerView, Module, whole
from .learned_modules import (
    batch_normalization,
    convolution,
    dense,
    embedding,
    group_normalization,
    instance_normalization,
    layer_normalization,
    linear,
    parametric_relu,
    position_embedding,
    recurrent,
    root_mean_square_normalization,
    transposed_convolution,
)
from .operator_call import alike
from .tensors import single
from .window_layers import relative_attention, stochastic_pool, unwindow, window

ModuleRow = Callable[[LayerView], Module | None]


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
    x, places = node.input(0), node.input(1)
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
        if kind == "Avg":
            return whole(view, None, method(0, "mean", alike(axes) if len(axes) == 1 else axes))
        # `amax` would spread a gradient over equal maxima; it goes to the first of them.
        rows = operand(0, POSTFIX) if len(axes) == 1 else method(0, "flatten", code(2))
        (axis, *_) = axes
        found = method(rows, "max", code(axis))
        return whole(view, None, Code((*found.parts, ".values")))

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
        kind = definition if options else number(Name(definition), "activation")
        module = call(kind, *settled)
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


def resize(view: LayerView) -> Module | None:
    """RESIZE: `F.interpolate`."""
    x, y, given = view.operand, view.layer.outputs[0], view.arguments
    if x is None:
        return None
    rank = x.type.rank
    kind = INTERPOLATIONS[given["mode"]]
    mode = INTERPOLATED.get((kind, max(rank - 2, 1)))
    places = y.shape[2:] if rank > 3 else y.shape[1:2]
    extents = [extent for extent in places if isinstance(extent, int)]
    if mode is None or (given["factor"] is None and len(extents) < len(places)):
        return None
    if given["factor"] is None:
        named = [code(f"size={alike(extents)}")]
    else:
        named = [code(f"scale_factor={given['factor']}")]
    if kind != "nearest":
        named.append(code(f'mode="{mode}"'))
    named += [code(f"{name}=True") for name, on in OPTIONS.items() if given[on]]
    if rank > 3:
        return whole(view, None, call("F.interpolate", operand(0), *named))
    turned = call("F.interpolate", Code((*operand(0, POSTFIX).parts, ".mT")), *named)
    return whole(view, None, Code((*turned.parts, ".mT")))


# PyTorch's word for an interpolation, by the number of axes.
INTERPOLATED: Mapping[tuple[str, int], str] = {
    **{("nearest", axes): "nearest" for axes in (1, 2, 3)},
    **{("linear", axes): f"{word}linear" for axes, word in ((1, ""), (2, "bi"), (3, "tri"))},
    ("cubic", 2): "bicubic",
}
OPTIONS = {"align_corners": "align", "antialias": "antialias"}


def index(view: LayerView) -> Module | None:
    """SLICE of one element: an index."""
    types = [node.op_type for node in view.operators.values()]
    if types != ["Slice", "Squeeze"]:
        return None
    (shrunk,) = [node for node in view.operators.values() if node.op_type == "Squeeze"]
    before, after = shrunk.input(0).shape, shrunk.outputs[0].shape
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
    "LSTM": recurrent,
    "GRU": recurrent,
    "RNN": recurrent,
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
    "RESIZE": resize,
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

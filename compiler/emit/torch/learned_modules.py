"""Layers with weights -> modules of PyTorch, whose weights have the same names."""

from collections.abc import Sequence
from typing import Any

from ...ir.graph import Node, Value, present
from .code import POSTFIX, SUM, Code, Input, call, joined, keyword, method, number, operand, option
from .layer_view import SELF, LayerView, Module, around, whole
from .operator_call import alike
from .operators import momentum
from .windows import padded


def weight(node: Node, index: int = 1) -> tuple[int, ...]:
    """The extents of an operator's weight."""
    return node.input(index).type.extents


# What dense layers call their weight, normalized or not, and what stands beside it.
MATRICES = ("weight", "original", "original1")
BESIDE_MATRICES = ("bias", "original0", "_u", "_v")
# Functions of PyTorch that normalize a module's weight, by what layers call that.
NORMALIZING = {
    "weight": "nn.utils.parametrizations.weight_norm",
    "spectral": "nn.utils.parametrizations.spectral_norm",
}


def normalized(view: LayerView, definition: Code) -> Code:
    """A module whose weight is normalized where that of the layer is."""
    function = NORMALIZING.get(view.arguments.get("norm", ""))
    return definition if function is None else call(function, definition)


def convolution(view: LayerView) -> Module | None:
    """CONV and DWCONV: `nn.Conv2d`."""

    def make(node: Node) -> Code | None:
        filters, channels, *kernel = weight(node)
        both, _ = padded(node.attributes["pads"])
        groups = node.attributes["group"]
        grouped = number(groups, "in_channels") if channels == 1 < groups else None
        definition = call(
            f"nn.Conv{len(kernel)}d",
            number(channels * groups, "in_channels"),
            number(filters, "out_channels"),
            number(alike(kernel), "kernel_size"),
            option("stride", alike(node.attributes["strides"]), 1),
            option("padding", alike(both), 0),
            option("dilation", alike(node.attributes["dilations"]), 1),
            option("groups", groups, 1, "in_channels" if grouped else None),
            option("bias", node.optional(2) is not None, True),
        )
        return normalized(view, definition)

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
        definition = call(
            f"nn.ConvTranspose{len(kernel)}d",
            number(channels, "in_channels"),
            number(filters * groups, "out_channels"),
            number(alike(kernel), "kernel_size"),
            option("stride", alike(node.attributes["strides"]), 1),
            option("padding", alike(both), 0),
            option("output_padding", alike(node.attributes["output_padding"]), 0),
            option("groups", groups, 1),
            option("bias", node.optional(2) is not None, True),
            option("dilation", alike(node.attributes["dilations"]), 1),
        )
        return normalized(view, definition)

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
        lambda node: normalized(view, _linear(weight(node), node.optional(2) is not None)),
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
    weights = [table for table, name in zip(tables, names, strict=True) if name in MATRICES]
    if len(weights) != 1 or not set(names) <= {*MATRICES, *BESIDE_MATRICES}:
        return None
    definition = normalized(view, _linear(weights[0].outputs[0].extents, "bias" in names))
    called = call(SELF, operand(0))
    if found is None and x.type.rank > 3:
        called = method(call(SELF, method(0, "movedim", 1, -1)), "movedim", -1, 1)
    return Module(definition, (x,), view.layer.outputs, called, learned=True, heavy=True)


def batch_normalization(view: LayerView) -> Module | None:
    """BN: `nn.BatchNorm2d`."""

    def make(node: Node) -> Code:
        x = node.input(0)
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
            option("bias", view.arguments["bias"], True),
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
        x = node.input(0)
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
    table, ids = present(node.inputs)
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


def recurrent(view: LayerView) -> Module | None:
    """LSTM, GRU and RNN: `nn.LSTM`, `nn.GRU`, `nn.RNN`, with masks and states by a function."""
    given, returns = view.arguments, view.arguments.get("return")
    found = _recurrent_operands(view)
    if returns is None or found is None:  # an operator that bears the layer's name
        return None
    x, states, mask = found
    backward = given["direction"] == "backward"
    definition = call(
        f"nn.{view.layer.kind}",
        number(x.shape[2], "features"),
        number(given["hidden"], "features"),
        option("num_layers", given["layers"], 1),
        option("nonlinearity", given.get("activation", "tanh"), "tanh"),
        option("bias", given["bias"], True),
        keyword("batch_first", "True"),
        option("dropout", given["dropout"], 0.0),
        option("bidirectional", given["direction"] == "both", False),
    )
    if backward:
        definition = call("Reversed", definition)
    plain = not states and mask is None and not backward and returns != "states"
    called = (_plainly if plain else _by_function)(view, states, mask, backward)
    takes = (x, *states, *(() if mask is None else (mask,)))
    return Module(definition, takes, view.layer.outputs, called, learned=True)


def _recurrent_operands(view: LayerView) -> tuple[Value, Sequence[Value], Value | None] | None:
    """The sequence, the first states and the mask of a recurrent layer."""
    cells = [node for node in view.operators.values() if node.op_type == view.layer.kind]
    if not cells or cells[0].inputs[0] is None:
        return None
    first = (*cells[0].inputs, *(None,) * 3)
    given = [view.outer(each) for each in first[5:7] if each is not None]
    mask = None if first[4] is None else view.outer(first[4])
    return cells[0].inputs[0], given, mask


def _plainly(view: LayerView, *_: Any) -> Code:
    """The sequence or the last state, as PyTorch's module yields it."""
    called = call(SELF, operand(0)).parts
    if view.arguments["return"] == "all":
        return Code((*called, "[0]"))
    state = (*called, "[1][0]" if view.layer.kind == "LSTM" else "[1]")
    if view.arguments["direction"] == "both":
        return Code((*state, "[-2:].transpose(0, 1).flatten(1)"))
    return Code((*state, "[-1]"))


def _by_function(
    view: LayerView, states: Sequence[Value], mask: Value | None, backward: bool
) -> Code:
    """What the function `recur` yields of the module, which takes states and masks as netc does."""
    given, count = view.arguments, len(states)
    firsts = [operand(1 + place) for place in range(count)]
    trailing = "," if count == 1 else ""
    named = [Code(("states=(", *_listed(firsts), trailing, ")"))] if count else []
    named += [] if mask is None else [keyword("mask", operand(1 + count))]
    named += [keyword("backward", "True")] if backward else []
    called = call("recur", SELF, operand(0), *named)
    if given["return"] == "states":
        return called
    if given["return"] == "all":
        return Code((*called.parts, "[0]"))
    width = given["hidden"] * (2 if given["direction"] == "both" else 1)
    cut = f"[:, -{width}:]" if given["layers"] > 1 else ""
    return Code((*called.parts, f"[1]{cut}"))


def _listed(items: Sequence[Code]) -> list[Any]:
    return [part for i, item in enumerate(items) for part in (", " if i else "", *item.parts)]


def parametric_relu(view: LayerView) -> Module | None:
    """PRELU: `nn.PReLU`, whose channels are the second axis."""
    x = view.operand
    found = view.find("PRelu")
    if x is None or found is None or (x.type.rank == 3 and not view.arguments["shared"]):
        return None
    slopes = found[1].input(1)
    definition = call("nn.PReLU", option("num_parameters", slopes.type.size, 1))
    return whole(view, definition, call(SELF, operand(0)), learned=True, follows=True)

"""WINDOW, UNWINDOW and attention with relative positions, by functions that files define."""

from collections.abc import Sequence

from ...ir.graph import Value
from ...layers.attention_masks import SHIFTED
from ...layers.window_partition import UNWINDOW, WINDOW, Partition
from .attention import is_plain
from .code import call, number, operand, option
from .layer_view import SELF, LayerView, Module, whole


def window(view: LayerView) -> Module | None:
    """WINDOW."""
    x = view.operand
    if x is None or x.type.rank == 3:
        return None
    found = _partition(view, view.path)
    if found is None:
        return None
    cut = call("to_windows", operand(0), number(found.size, "window"), number(found.rolls, "shift"))
    return whole(view, None, cut)


def unwindow(view: LayerView) -> Module | None:
    """UNWINDOW."""
    x = view.operand
    path = None if x is None else _nearest(view, x)
    found = None if path is None else _partition(view, path)
    if found is None or found.was_sequence:
        return None
    numbers = (
        number(found.extents, "extents"),
        number(found.size, "window"),
        number(found.rolls, "shift"),
    )
    return whole(view, None, call("from_windows", operand(0), *numbers))


def relative_attention(view: LayerView) -> Module | None:
    """ATTENTION of one sequence with biases of relative positions, within windows or not."""
    x, arguments = view.operand, view.arguments
    if x is None or not is_plain(view) or arguments["causal"]:
        return None
    length, features = x.type.shape[1:]
    if not isinstance(length, int) or arguments["relative"] is not True:
        return None
    if arguments["mask"] not in (None, SHIFTED):
        return None
    path = _nearest(view, x)
    found = None if path is None else _partition(view, path)
    size: Sequence[int] = (length,)
    extents: Sequence[int] = size
    shift: Sequence[int] = (0,)
    if found is not None and found.positions == length:
        size = extents = found.size
        shift = (0,) * len(size)
        if arguments["mask"] == SHIFTED:
            extents, shift = found.extents, found.rolls
    definition = call(
        "RelativeAttention",
        number(features, "features"),
        number(arguments["heads"], "heads"),
        number(tuple(size), "window"),
        number(tuple(extents), "extents"),
        number(tuple(shift), "shift"),
        option("dropout", arguments["dropout"], 0.0),
        option("bias", arguments["bias"], True),
    )
    return whole(view, definition, call(SELF, operand(0)), learned=True, heavy=True)


def _nearest(view: LayerView, x: Value) -> str | None:
    """The path of the nearest WINDOW that a value comes from, no UNWINDOW in between."""
    graph, pending, seen = view.graph, [x], {x.node}
    while pending:
        value = pending.pop(0)
        node = graph.producer(value)
        layer = graph.layers.get(node.scope)
        if layer is not None and value in layer.outputs and layer.kind in (WINDOW, UNWINDOW):
            if layer.kind == WINDOW:
                return node.scope
            continue
        for before in node.inputs:
            if before is not None and before.node not in seen and before.shape[:1] == x.shape[:1]:
                seen.add(before.node)
                pending.append(before)
    return None


def _partition(view: LayerView, path: str) -> Partition | None:
    """How a WINDOW cuts its input."""
    graph, layer = view.graph, view.graph.layers[path]
    (source,) = layer.outputs
    while (node := graph.producer(source)).scope == path:
        source = node.input(0)
    was_sequence = source.type.rank == 3
    extents = source.shape[1:2] if was_sequence else source.shape[2:]
    known = tuple(extent for extent in extents if isinstance(extent, int))
    size, shift = (_each(layer.arguments[name], len(known)) for name in ("size", "shift"))
    return Partition(known, size, shift, was_sequence) if len(known) == len(extents) else None


def _each(given: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (given,) * rank if isinstance(given, int) else given


def stochastic_pool(view: LayerView) -> Module | None:
    """POOL(stochastic)."""
    found = view.find("netc.StochasticPool")
    if found is None or found[1].inputs[0] is None:
        return None
    identifier, node = found
    pads = node.attributes["pads"]
    half = len(pads) // 2
    pairs = zip(reversed(pads[:half]), reversed(pads[half:]), strict=True)
    definition = call(
        "StochasticPool",
        number(tuple(node.attributes["kernel_shape"]), "kernel_size"),
        number(tuple(node.attributes["strides"]), "strides"),
        number(tuple(n for pair in pairs for n in pair), "padding"),
    )
    gives = (view.result(identifier),)
    return Module(definition, (node.input(0),), gives, call(SELF, operand(0)), follows=True)

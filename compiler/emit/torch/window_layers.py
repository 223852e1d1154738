"""WINDOW, UNWINDOW and attention with relative positions, by functions that files define."""

from collections.abc import Sequence

from ...ir.graph import Node
from ...layers.attention_masks import SHIFTED
from ...layers.window_partition import Partition, cut_by, nearest_window
from .attention import is_plain
from .code import Code, call, number, operand, option
from .layer_view import SELF, LayerView, Module, around, whole


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
    path = None if x is None else nearest_window(view.graph, x)
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
    path = nearest_window(view.graph, x)
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


def _partition(view: LayerView, path: str) -> Partition | None:
    """How a WINDOW cuts its input."""
    source, given = cut_by(view.graph, path), view.graph.layers[path].arguments
    was_sequence = source.type.rank == 3
    extents = source.shape[1:2] if was_sequence else source.shape[2:]
    known = tuple(extent for extent in extents if isinstance(extent, int))
    size, shift = (_each(given[name], len(known)) for name in ("size", "shift"))
    return Partition(known, size, shift, was_sequence) if len(known) == len(extents) else None


def _each(given: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (given,) * rank if isinstance(given, int) else given


def stochastic_pool(view: LayerView) -> Module | None:
    """POOL(stochastic)."""

    def make(node: Node) -> Code:
        pads = node.attributes["pads"]
        half = len(pads) // 2
        pairs = zip(reversed(pads[:half]), reversed(pads[half:]), strict=True)
        return call(
            "StochasticPool",
            number(tuple(node.attributes["kernel_shape"]), "kernel_size"),
            number(tuple(node.attributes["strides"]), "strides"),
            number(tuple(n for pair in pairs for n in pair), "padding"),
        )

    return around(view, "netc.StochasticPool", make, follows=True)

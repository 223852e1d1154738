"""Graph -> Graph: builds what an older opset lacks, or onnxruntime gets wrong, from what it has.

What is left to emission are attributes that an older operator does not know, and arguments that
it takes as attributes.
"""

from collections.abc import Mapping

from ...ir.builder import Builder
from ...ir.graph import Graph, Node, Value, required
from ...ops import double_precision as parts
from ...ops.building import plus, times
from ...ops.opdef import Operands
from ...passes.build_functions import build_functions
from ...passes.rewrite import RewriteRule, rewrite


def settle_opset(graph: Graph, opset: int) -> Graph:
    """Replace each operator that came, or changed its arguments, after an opset."""
    graph = build_functions(graph, since=opset + 1)
    rules = {op_type: rule for op_type, (since, rule) in OLDER.items() if opset < since}
    return rewrite(graph, {**rules, **ALWAYS})


def gelu(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """GELU from its parts."""
    x = required(operands[0])
    return (parts.gelu(build, x, **node.attributes, erf=lambda build, x: build.Erf(x)),)


def mish(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """x tanh(softplus x)."""
    x = required(operands[0])
    return (build.Mul(x, build.Tanh(build.Softplus(x))),)


def hard_swish(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """x max(0, min(1, x / 6 + 1 / 2))."""
    x = required(operands[0])
    return (build.Mul(x, build.HardSigmoid(x, alpha=1 / 6, beta=0.5)),)


def layer_normalization(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """In two passes, with the mean and 1 / sqrt(variance + epsilon) as further outputs."""
    x, scale, *shift = (operand for operand in operands if operand is not None)
    axes = build.index_constant(tuple(range(node.attributes["axis"] % x.type.rank, x.type.rank)))
    mean = build.ReduceMean(x, axes, keepdims=1)
    centred = build.Sub(x, mean)
    variance = build.ReduceMean(build.Mul(centred, centred), axes, keepdims=1)
    root = build.Sqrt(plus(build, variance, node.attributes["epsilon"]))
    y = build.Mul(build.Div(centred, root), scale)
    y = build.Add(y, shift[0]) if shift else y
    return (y, mean, build.Reciprocal(root))[: len(node.outputs)]


def batch_normalization(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """In training from its parts: opset 13 names the batch's statistics otherwise."""
    if not node.attributes["training_mode"]:
        return None
    x, scale, shift, *running = map(required, operands)
    axes = (0, *range(2, x.type.rank))
    channels = build.index_constant(axes)
    mean = build.ReduceMean(x, channels, keepdims=1)
    centred = build.Sub(x, mean)
    variance = build.ReduceMean(build.Mul(centred, centred), channels, keepdims=1)
    root = build.Sqrt(plus(build, variance, node.attributes["epsilon"]))
    if axes[1:]:
        ones = build.index_constant(tuple(range(1, x.type.rank - 1)))
        scale, shift = build.Unsqueeze(scale, ones), build.Unsqueeze(shift, ones)
    y = build.Add(build.Mul(build.Div(centred, root), scale), shift)
    kept = node.attributes["momentum"]
    moved = (
        build.Add(times(build, old, kept), times(build, build.Squeeze(new, channels), 1 - kept))
        for old, new in zip(running, (mean, variance), strict=True)
    )
    return (y, *moved)[: len(node.outputs)]


def lower_or_upper(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    """Trilu: 0 where the column lies beyond the diagonal, counted by sums of ones."""
    x = required(operands[0])
    last = build.index_constant((x.type.rank - 2, x.type.rank - 1))
    ones = build.Expand(build.index_constant(1), build.Gather(build.Shape(x), last, axis=0))
    row, column = (build.CumSum(ones, build.index_constant(axis)) for axis in (0, 1))
    diagonal = operands[1] if len(operands) > 1 else None
    row = row if diagonal is None else build.Add(row, diagonal)
    beyond = build.Less(column, row) if node.attributes["upper"] else build.Less(row, column)
    zero = build.Cast(build.index_constant(0), to=x.dtype)
    return (build.Where(beyond, zero, x),)


def shape(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Shape of some axes: a part of all extents."""
    start, end = node.attributes["start"], node.attributes["end"]
    if start == 0 and end is None:
        return None
    x = required(operands[0])
    kept = range(x.type.rank)[start:end]
    return (build.Gather(build.Shape(x), build.index_constant(tuple(kept)), axis=0),)


def split(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Split into equal parts: into parts of the extents that these have."""
    if len(operands) > 1 and operands[1] is not None:
        return None
    x, axis = required(operands[0]), node.attributes["axis"]
    extents = tuple(output.shape[axis] for output in node.outputs)
    attributes = {"axis": axis, "num_outputs": None}
    sizes = build.index_constant(extents)
    return build.op("Split", (x, sizes), attributes, outputs=len(extents))


def pad(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Pad of some axes: of all, by nothing where it is not among them."""
    x, pads, fill, axes = (*operands, None, None)[:4]
    if axes is None:
        return None
    rank = required(x).type.rank
    sides, places = build.known(required(pads)), build.known(axes)
    if sides is None or places is None:
        return None
    every = [0] * (2 * rank)
    for position, axis in enumerate(places):
        every[axis % rank] = sides[position]
        every[axis % rank + rank] = sides[position + len(places)]
    given = (x, build.index_constant(tuple(every)), *((fill,) if fill is not None else ()))
    return build.op("Pad", given, node.attributes)


def scatter(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """ScatterElements that adds one element along its axis: data, and the update at the index."""
    data, index, updates = map(required, operands)
    axis, rank = node.attributes["axis"] % data.type.rank, data.type.rank
    extent = data.shape[axis]
    alone = (*data.shape[:axis], 1, *data.shape[axis + 1 :])
    if node.attributes["reduction"] != "add" or index.shape != alone or not isinstance(extent, int):
        return None
    places = build.Range(*map(build.index_constant, (0, extent, 1)))
    trailing = tuple(range(1, rank - axis))
    places = build.Unsqueeze(places, build.index_constant(trailing)) if trailing else places
    nothing = build.constant(0, data.dtype)
    return (build.Add(data, build.Where(build.Equal(places, index), updates, nothing)),)


OLDER: Mapping[str, tuple[int, RewriteRule]] = {
    "BatchNormalization": (14, batch_normalization),
    "Gelu": (20, gelu),
    "HardSwish": (14, hard_swish),
    "LayerNormalization": (17, layer_normalization),
    "Mish": (18, mish),
    "Pad": (18, pad),
    "ScatterElements": (16, scatter),
    "Shape": (15, shape),
    "Split": (18, split),
    "Trilu": (14, lower_or_upper),
}

# onnxruntime moves a Transpose past a Pad of some axes, and then looks for the pads of all.
ALWAYS: Mapping[str, RewriteRule] = {"Pad": pad}

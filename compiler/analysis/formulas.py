"""Layer -> the formulas of its size and counts as lectures write them, with the numbers put in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod

from ..ir.graph import Graph, Node
from .counts import LayerCounts

TIMES = " \N{MULTIPLICATION SIGN} "
MINUS = "\N{MINUS SIGN}"
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True, slots=True)
class Formula:
    """What a layer has or yields, and how it is computed.

    Attributes:
        name: What it is: `parameters`, `MACs`, or axes such as `rows, columns`.
        formula: The formula in words; empty where nothing is known but the numbers.
        numbers: The same with numbers, then `=` and the result; or the result alone.
    """

    name: str
    formula: str
    numbers: str


def formulas(graph: Graph, path: str, counts: LayerCounts) -> list[Formula]:
    """The formulas of a layer: of its output's size, of its parameters, of its MACs.

    Args:
        graph: The network, neither in training nor in inference mode.
        path: The layer.
        counts: What it counts.
    """
    nodes = [node for _, node in graph.nodes() if node.scope == path]
    return formulas_of(graph, path, nodes, counts)


def formulas_of(
    graph: Graph, path: str, nodes: Sequence[Node], counts: LayerCounts
) -> list[Formula]:
    """As `formulas`, where the layer's nodes are known."""
    sized = [node for node in nodes if node.op_type in SIZES]
    several = sum(node.op_type in PRODUCTS for node in sized) > 1  # whose sizes are inner ones
    found = list(SIZES[sized[0].op_type](sized[0])) if sized and not several else []
    return [*found, *_parameters(graph, path, nodes, counts), *_macs(nodes, counts)]


RECURRENT: Mapping[str, tuple[str, ...]] = {
    f"{name}_l{number}{suffix}": axes
    for name, axes in (
        ("weight_ih", ("gates units", "inputs")),
        ("weight_hh", ("gates units", "units")),
        ("bias_ih", ("gates units",)),
        ("bias_hh", ("gates units",)),
    )
    for number in range(10)
    for suffix in ("", "_reverse")
}
# What the axes of a layer's parameters are, by the layer's kind and the parameter's own name. The
# last word stands for all axes that are left.
WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ATTENTION": {
        "in_proj_weight": ("3 width", "features"),
        "in_proj_bias": ("3 width",),
        "q_proj_weight": ("width", "features"),
        "k_proj_weight": ("width", "key features"),
        "v_proj_weight": ("width", "value features"),
        "out_proj.weight": ("width", "width"),
        "out_proj.bias": ("width",),
        "relative_position_bias_table": ("offsets", "heads"),
    },
    "BN": {"weight": ("channels",), "bias": ("channels",)},
    "CONV": {"weight": ("filters", "channels / groups", "kernel"), "bias": ("filters",)},
    "DROPCONNECT": {"weight": ("units", "inputs"), "bias": ("units",)},
    "DWCONV": {"weight": ("channels", "multiplier", "kernel"), "bias": ("channels",)},
    "EMBED": {"weight": ("vocabulary", "width")},
    "FC": {"weight": ("units", "inputs"), "bias": ("units",)},
    "GN": {"weight": ("channels",), "bias": ("channels",)},
    "IN": {"weight": ("channels",), "bias": ("channels",)},
    "LINEAR": {"weight": ("units", "channels"), "bias": ("units",)},
    **dict.fromkeys(("LSTM", "GRU", "RNN"), RECURRENT),
    "LN": {"weight": ("features",), "bias": ("features",)},
    "LOCAL": {
        "weight": ("rows", "columns", "filters", "channels", "kernel"),
        "bias": ("filters", "positions"),
    },
    "PARAM": {"": ("size",)},
    "POSEMBED": {"weight": ("positions", "width")},
    "PRELU": {"weight": ("channels",)},
    "RMSNORM": {"weight": ("features",)},
    "SCALE": {"weight": ("channels",)},
    "UPCONV": {"weight": ("channels", "filters / groups", "kernel"), "bias": ("filters",)},
}


def _parameters(
    graph: Graph, path: str, nodes: Sequence[Node], counts: LayerCounts
) -> Iterator[Formula]:
    """The sum of the products of its parameters' extents, without running statistics."""
    layer = graph.layers.get(path)
    known = WORDS.get(layer.kind, {}) if layer else {}
    whole = layer is not None and layer.arguments.get("groups", 1) == 1
    words, numbers = [], []
    for node in nodes:
        if node.op_type != "Parameter" or node.attributes["buffer"]:
            continue
        name = node.attributes["name"].removeprefix(path).removeprefix(".")
        shape = node.outputs[0].shape
        axes = known.get(name, ())[: len(shape)]
        groups = [shape[i : i + 1] for i in range(len(axes) - 1)] + [shape[max(len(axes) - 1, 0) :]]
        spelled = TIMES.join(reversed(axes))
        words.append(spelled.replace(" / groups", "") if whole else spelled)
        numbers.append(TIMES.join(str(n) for group in reversed(groups) for n in group))
    if numbers and counts.params:
        formula = " + ".join(words) if all(words) else ""
        total = f"{counts.params:,}"
        sums = " + ".join(numbers)
        yield Formula("parameters", formula, sums if sums == total else f"{sums} = {total}")


def _macs(nodes: Sequence[Node], counts: LayerCounts) -> Iterator[Formula]:
    """Weights times positions, where each weight is used once at each position."""
    mains = [node for node in nodes if node.op_type in PRODUCTS]
    if len(mains) != 1 or not isinstance(counts.macs, int):
        return
    weights = [n.outputs[0].size for n in nodes if n.op_type == "Parameter"]
    x = mains[0].inputs[0]
    at = mains[0].outputs[0] if mains[0].op_type != "ConvTranspose" or x is None else x.type
    places = at.shape[1:-1] if mains[0].op_type == "MatMul" else at.shape[2:]
    whole = [extent for extent in places if isinstance(extent, int)]
    if not weights or len(whole) != len(places) or counts.macs != weights[0] * prod(whole):
        return
    numbers = TIMES.join([f"{weights[0]:,}", *map(str, whole)])
    words = "weights" + (f"{TIMES}positions" if whole else "")
    yield Formula("MACs", words, f"{numbers} = {counts.macs:,}" if whole else numbers)


SizeRule = Callable[[Node], Iterator[Formula]]


def _axes(count: int) -> list[str]:
    """The names of spatial axes."""
    named = {1: ["length"], 2: ["rows", "columns"], 3: ["slices", "rows", "columns"]}
    return named.get(count, [f"axis {i + 1}" for i in range(count)])


def _spatial(node: Node) -> list[tuple[str, int, int]]:
    """The name, the input's and the output's extent of each axis, where these are numbers."""
    x = node.input(0)
    before, after = x.shape[2:], node.outputs[0].shape[2:]
    found = zip(_axes(len(before)), before, after, strict=True)
    return [(n, a, b) for n, a, b in found if isinstance(a, int) and isinstance(b, int)]


def _alike(lines: Sequence[tuple[str, str]], formula: str) -> Iterator[Formula]:
    """A formula for each axis; axes with the same numbers share one."""
    by_numbers: dict[str, list[str]] = {}
    for name, numbers in lines:
        by_numbers.setdefault(numbers, []).append(name)
    for numbers, names in by_numbers.items():
        yield Formula(", ".join(names), formula, numbers)


def _padding(low: int, high: int) -> str:
    """What padding adds to an extent."""
    if low == high:
        return f" + 2{TIMES}{low}" if low else ""
    return "".join(f" + {extent}" for extent in (low, high) if extent)


def _window(node: Node) -> Iterator[Formula]:
    """⌊(size + 2 padding - kernel) / stride⌋ + 1; a dilated kernel is as wide as it reaches."""
    found = node.attributes
    kernel, count = found["kernel_shape"], len(found["kernel_shape"])
    strides = found.get("strides") or (1,) * count
    dilations = found.get("dilations") or (1,) * count
    pads = found.get("pads") or (0,) * (2 * count)
    up = bool(found.get("ceil_mode"))
    lines, rounded, dilated = [], False, False
    for i, (name, before, after) in enumerate(_spatial(node)):
        low, high = pads[i], pads[count + i]
        reach = dilations[i] * (kernel[i] - 1) + 1
        dilated = dilated or reach != kernel[i]
        inside = f"{before}{_padding(low, high)} {MINUS} {reach}"
        space = before + low + high - reach
        steps = inside if strides[i] == 1 else f"({inside}) / {strides[i]}"
        if space % strides[i]:
            rounded = True
            steps = f"⌈{steps}⌉" if up else f"⌊{steps}⌋"
            if up and ceil(space / strides[i]) + 1 != after:  # the last window would lie in padding
                steps = steps.replace("⌈", "⌊").replace("⌉", "⌋")
        lines.append((name, f"{steps} + 1 = {after}"))
    reach = "reach of the dilated kernel" if dilated else "kernel"
    whole = f"(size + padding {MINUS} {reach}) / stride"
    signs = ("⌈", "⌉") if up else ("⌊", "⌋")
    yield from _alike(lines, f"{signs[0]}{whole}{signs[1]} + 1" if rounded else f"{whole} + 1")


def _transposed(node: Node) -> Iterator[Formula]:
    """(size - 1) stride + kernel - padding + output padding."""
    found = node.attributes
    kernel, count = found["kernel_shape"], len(found["kernel_shape"])
    strides = found.get("strides") or (1,) * count
    dilations = found.get("dilations") or (1,) * count
    lines = []
    for i, (name, before, after) in enumerate(_spatial(node)):
        reach = dilations[i] * (kernel[i] - 1) + 1
        grown = (before - 1) * strides[i] + reach
        rest = f" {'+' if after > grown else MINUS} {abs(after - grown)}" if after != grown else ""
        lines.append((name, f"({before} {MINUS} 1){TIMES}{strides[i]} + {reach}{rest} = {after}"))
    yield from _alike(lines, f"(size {MINUS} 1){TIMES}stride + kernel {MINUS} padding")


def _scaled(node: Node) -> Iterator[Formula]:
    lines = [
        (name, f"{before}{TIMES}{Fraction(after, before)} = {after}")
        for name, before, after in _spatial(node)
    ]
    yield from _alike(lines, f"size{TIMES}factor")


def _units(node: Node) -> Iterator[Formula]:
    """What a product with a weight yields."""
    yield Formula("units", "units", str(node.outputs[0].shape[-1]))


def _joined(node: Node) -> Iterator[Formula]:
    """The sum of the extents along the axis."""
    axis = node.attributes["axis"]
    if node.outputs[0].rank < 2:
        return  # of extents, not of tensors
    extents = [value.shape[axis] for value in node.inputs if value is not None]
    total = node.outputs[0].shape[axis]
    name = "channels" if axis % node.outputs[0].rank == 1 else "the joined axis"
    yield Formula(name, "the sum of the inputs'", f"{' + '.join(map(str, extents))} = {total}")


def _flattened(node: Node) -> Iterator[Formula]:
    x = node.input(0)
    axes = (*x.shape[2:], x.shape[1])
    total = node.outputs[0].shape[1]
    words = TIMES.join([*_axes(len(axes) - 1), "channels"])
    yield Formula("features", words, f"{TIMES.join(map(str, axes))} = {total}")


SIZES: Mapping[str, SizeRule] = {
    "Conv": _window,
    "MaxPool": _window,
    "AveragePool": _window,
    "LpPool": _window,
    "ConvTranspose": _transposed,
    "Resize": _scaled,
    "Gemm": _units,
    "MatMul": _units,
    "Concat": _joined,
    "Flatten": _flattened,
}

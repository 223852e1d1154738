"""Graph -> Graph: normalizations by fixed statistics become a product and a sum per channel."""

from ..ir.builder import Builder
from ..ir.graph import LEAVES, Graph, Node, Value, required
from ..ir.types import product
from ..ops.building import number
from ..ops.opdef import Operands
from .rewrite import RewriteRule, copy, rewrite

NORMALIZATION = "BatchNormalization"
# What engines can finish with elementwise operators while a part of its result is in the cache.
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def fold_normalizations(graph: Graph, *, once: bool = False) -> Graph:
    """Fold each BatchNormalization at inference to x * factor + offset, with vectors per channel.

    factor = scale / sqrt(variance + epsilon), offset = shift - mean factor: what the operator
    computes, to the bit. Where a convolution or a matrix product alone is normalized, the vectors
    are computed before it, so that nothing parts it from the product and the sum. A convolution
    whose kernels hold fewer numbers than its result for one sample has its kernels multiplied
    instead, and the sum as its bias.

    Args:
        graph: The graph.
        once: Whether what depends on weights alone is computed once, so that the kernels of any
            convolution are multiplied.
    """
    folded = {i: node for i, node in graph.nodes() if _is_fixed(node)}
    if not folded:
        return graph
    behind = {id(graph[v.node]): n for i, n in folded.items() if (v := _product(graph, i, n))}
    done = {id(node) for node in behind.values()}
    leaves: dict[int, Value] = {}

    def note(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        (leaves[id(node)],) = copy(build, node, operands)
        return (leaves[id(node)],)

    def normalize(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        if id(node) in done:
            return (required(operands[0]),)
        if not _is_fixed(node):
            return None
        factor, offset = _along_channels(build, node, _vectors(build, node, operands[1:]))
        return (build.Add(build.Mul(required(operands[0]), factor), offset),)

    def finish(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        normalization = behind.get(id(node))
        if normalization is None:
            return None
        given = [leaves[id(graph.producer(required(v)))] for v in normalization.inputs[1:]]
        factor, offset = _vectors(build, normalization, tuple(given))
        if node.op_type != "Conv" or not (once or _is_light(node)):
            factor, offset = _along_channels(build, normalization, (factor, offset))
            (y,) = copy(build, node, operands)
            return (build.Add(build.Mul(y, factor), offset),)
        return _multiplied(build, node, operands, factor, offset)

    rules: dict[str, RewriteRule] = {
        **dict.fromkeys(LEAVES, note),
        **dict.fromkeys(PRODUCTS, finish),
        NORMALIZATION: normalize,
    }
    return rewrite(graph, rules, leaves_first=True)


def _multiplied(
    build: Builder, node: Node, operands: Operands, factor: Value, offset: Value
) -> tuple[Value, ...]:
    """A convolution whose kernels and bias are multiplied by a factor, and whose bias is moved."""
    x, w, *biases = operands
    kernels = build.Mul(required(w), _followed(build, factor, required(w).type.rank - 1))
    for bias in filter(None, biases):
        offset = build.Add(build.Mul(bias, factor), offset)
    return copy(build, node, (x, kernels, offset))


def _is_fixed(node: Node) -> bool:
    """Whether a node normalizes by statistics that it is given, all of one element type.

    The channels must be known, or an input that does not fit is found at an operator of ours.
    """
    if node.op_type != NORMALIZATION or node.row is None or node.attributes["training_mode"]:
        return False
    types = {value.dtype for value in node.inputs if value is not None}
    shapes = {required(value).shape for value in node.inputs[1:]}
    channels = node.outputs[0].shape[1:2]
    return len(types) == 1 and shapes == {channels} and isinstance(channels[0], int)


def _product(graph: Graph, identifier: int, node: Node) -> Value | None:
    """What yields x, where nothing else reads that and all vectors are there from the start."""
    x, *vectors = map(required, node.inputs)
    alone = graph.consumers(x) == [identifier] and x not in graph.outputs.values()
    given = all(graph.producer(vector).op_type in LEAVES for vector in vectors)
    return x if alone and given and graph.producer(x).op_type in PRODUCTS else None


def _is_light(node: Node) -> bool:
    """Whether a convolution's kernels hold fewer numbers than what they make of a sample."""
    kernels, result = product(node.input(1).shape), product(node.outputs[0].shape[1:])
    return isinstance(kernels, int) and isinstance(result, int) and kernels < result


def _vectors(build: Builder, node: Node, operands: Operands) -> tuple[Value, Value]:
    """Factor and offset of each channel."""
    scale, shift, mean, variance = map(required, operands)
    epsilon = number(build, node.attributes["epsilon"], variance)
    factor = build.Div(scale, build.Sqrt(build.Add(variance, epsilon)))
    return factor, build.Sub(shift, build.Mul(mean, factor))


def _along_channels(
    build: Builder, node: Node, vectors: tuple[Value, Value]
) -> tuple[Value, Value]:
    """Factor and offset as they broadcast with what is normalized."""
    factor, offset = (_followed(build, each, node.outputs[0].rank - 2) for each in vectors)
    return factor, offset


def _followed(build: Builder, vector: Value, axes: int) -> Value:
    """A vector with some axes of one behind its own."""
    ones = build.index_constant(tuple(range(1, axes + 1)))
    return build.Unsqueeze(vector, ones) if axes else vector

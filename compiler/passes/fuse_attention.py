"""Graph -> Graph: attention layers as ONNX's `Attention`, which came with opset 23."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value, required
from ..onnx_standard.foreign_operators import foreign_row
from ..ops.building import extent, number, vector
from ..ops.opdef import Operands
from .rewrite import copy, rewrite

SINCE = 23
LAYER = "ATTENTION"

Moved = Mapping[Value, Value]


class Scores(NamedTuple):
    """How a layer computes what its softmax takes.

    Attributes:
        queries, keys: (N, heads, L, D) and (N, heads of keys, S, D).
        scale: What their products are multiplied by.
        steps: The nodes between these products and the softmax, in order, each with the place of
            the argument that the scores are.
    """

    queries: Value
    keys: Value
    scale: float
    steps: Sequence[tuple[Node, int]]


def fuse_attention(graph: Graph) -> Graph:
    """Write scores, softmax and their product with values as one operator for each layer.

    What masks and biases add to the scores is the operator's mask; that of later keys is an
    attribute, and keys that heads share are not repeated. Where something else happens to the
    scores, as between shifted windows, a layer stays as it is.
    """
    fused: dict[int, Scores] = {}
    for _, node in graph.nodes():
        layer = graph.layers.get(node.scope)
        if node.op_type == "MatMul" and layer is not None and layer.kind == LAYER:
            scores = _scores(graph, node)
            if scores is not None:
                fused[id(node)] = scores
    if not fused:
        return graph
    moved: dict[Value, Value] = {}

    def build_one(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        scores = fused.get(id(node))
        if scores is None:
            values = copy(build, node, operands)
        else:
            values = _attention(build, graph, node, scores, moved)
        moved.update(zip(places[id(node)], values, strict=True))
        return values

    places = {
        id(node): [Value(identifier, i, type) for i, type in enumerate(node.outputs)]
        for identifier, node in graph.nodes()
    }
    found = rewrite(graph, {node.op_type: build_one for _, node in graph.nodes()})
    found.opsets = {**graph.opsets, "": max(SINCE, graph.opsets[""])}
    return found


def _scores(graph: Graph, product: Node) -> Scores | None:
    """The scores whose softmax a node multiplies with values, or None where it does not."""
    softmax = graph.producer(product.input(0))
    if softmax.op_type != "Softmax" or softmax.attributes["axis"] not in (-1, 3):
        return None
    steps: list[tuple[Node, int]] = []
    at = graph.producer(softmax.input(0))
    while at.op_type in ("Add", "Where"):
        place = _place_of_scores(graph, at)
        if place is None:
            return None
        steps.insert(0, (at, place))
        at = graph.producer(at.input(place))
    if at.op_type != "MatMul":
        return None
    scaled, turned = (graph.producer(required(x)) for x in at.inputs)
    if scaled.op_type != "Mul" or turned.attributes.get("perm") != (0, 1, 3, 2):
        return None
    queries, factor = map(required, scaled.inputs)
    scale = graph.producer(factor).attributes["value"].nested()
    keys = turned.input(0)
    if len({x.shape[0] for x in (queries, keys, product.input(1))}) > 1:
        return None  # the operator takes no batch of 1 beside another
    return Scores(queries, _shared(graph, keys), scale, steps)


def _place_of_scores(graph: Graph, node: Node) -> int | None:
    """Which argument of a sum or a choice has the scores' shape and is computed of them."""
    first = 1 if node.op_type == "Where" else 0
    for place in range(first, len(node.inputs)):
        value = node.input(place)
        like = value.shape == node.outputs[0].shape
        if like and graph.producer(value).op_type in ("Add", "Where", "MatMul"):
            return place
    return None


def _shared(graph: Graph, x: Value) -> Value:
    """Heads of keys or values before they were repeated for the heads that share them."""
    node = graph.producer(x)
    repeats = node.op_type == "Gather" and node.attributes["axis"] == 1
    return node.input(0) if repeats else x


def _attention(
    build: Builder, graph: Graph, product: Node, scores: Scores, moved: Moved
) -> tuple[Value, ...]:
    row = required(foreign_row("Attention", SINCE))
    values = _shared(graph, product.input(1))
    steps = scores.steps
    causal = graph.layers[product.scope].arguments["causal"]
    if causal:  # the last that is added
        *steps, _ = steps
    mask = None
    for node, place in steps:
        mask = _added(build, node, place, mask, moved)
    operands = [moved[x] for x in (scores.queries, scores.keys, values)]
    if mask is not None:
        operands.append(_of_each_pair(build, mask, *operands[:2]))
    attributes = {"scale": scores.scale, "is_causal": int(causal)}
    return build.op(row, operands, attributes)


def _of_each_pair(build: Builder, mask: Value, queries: Value, keys: Value) -> Value:
    """A mask with a number for each query and key, (..., L, S), as onnxruntime wants it."""
    pairs = (queries.shape[2], keys.shape[2])
    if mask.shape[-2:] == pairs:
        return mask
    ones = (1,) * max(mask.type.rank - 2, 0)
    return build.Expand(mask, vector(build, (*ones, extent(queries, 2), extent(keys, 2))))


def _added(build: Builder, node: Node, place: int, mask: Value | None, moved: Moved) -> Value:
    """What a step makes of 0, or of the mask before it, in place of the scores.

    Where it chooses a number too low for any score to count, so does the mask.
    """
    if mask is None and node.op_type == "Add":
        return moved[required(node.inputs[1 - place])]
    given = [moved.get(required(x)) for x in node.inputs]
    given[place] = mask or number(build, 0.0, node.input(place))
    return build.op(node.op_type, given, node.attributes)[0]

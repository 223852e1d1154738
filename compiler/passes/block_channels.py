"""Graph -> Graph: convolutions of blocked channels, where onnxruntime has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Graph, Node, Value, present, required
from ..ir.signature import OpCall
from ..ir.types import DType
from ..ir.windows import window_of
from ..ops.blocked_weight_gradient import from_data, from_gradient, of_each_channel
from ..ops.channel_blocks import (
    BLOCKED_CONV,
    DOMAIN,
    FROM_BLOCKS,
    TO_BLOCKS,
    laid_out,
    laid_out_turned,
)
from ..ops.convolution import CONVOLUTION_ATTRIBUTES
from ..ops.input_gradient_forms import turned
from ..ops.one_window import is_free, is_one_window
from ..ops.opdef import Operands, definition, row_of
from ..ops.weight_gradient_forms import Correlation, by_channels, by_convolution, chosen
from .cancel_transposes import BROADCASTING
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import copy, rewrite


def block_channels(graph: Graph, block: int) -> Graph:
    """Convolve blocks of channels, in models whose weights are inputs.

    Such kernels take a half to a quarter of the time of onnxruntime's other convolutions, which
    copy what windows see to columns, even where images are laid out for them and back. So they
    are taken wherever a window has more than one tap; a window of one needs no columns. What lies
    between two of them stays in blocks, and so does what operators compute from it number by
    number, such as the masks of ReLUs.

    Args:
        graph: The graph, in a mode, for onnxruntime alone.
        block: How many channels lie together there.
    """
    blocking = _Blocking(block, _rectified(graph))
    rules = {
        "Conv": blocking.convolution,
        "ConvTranspose": blocking.data_gradient,
        "netc.ConvWeightGrad": blocking.weight_gradient,
        **dict.fromkeys(_by_number(graph), blocking.by_number),
        "Relu": blocking.relu,
    }
    found = rewrite(graph, rules)
    if not blocking.blocked:
        return graph
    found.opsets = {**graph.opsets, DOMAIN: 1}
    return eliminate_dead_nodes(found)


def _by_number(graph: Graph) -> frozenset[str]:
    """The operators of a graph that compute each number from those at its place alone."""
    rows = filter(None, (definition(node) for _, node in graph.nodes()))
    return frozenset(r.op_type for r in rows if r.elementwise or r.infer in BROADCASTING)


def _is_image(node: Node) -> bool:
    x = required(node.inputs[0])
    return x.type.rank == 4 and x.dtype is DType.FLOAT32


def _rectified(graph: Graph) -> frozenset[int]:
    """The convolutions that nothing reads but one ReLU, by the identity of their nodes."""
    fetched = set(graph.outputs.values())
    found: set[int] = set()
    for identifier, node in graph.nodes():
        if node.op_type == "Conv":
            value = Value(identifier, 0, node.outputs[0])
            readers = [graph[reader].op_type for reader in graph.consumers(value)]
            if readers == ["Relu"] and value not in fetched:
                found.add(id(node))
    return frozenset(found)


@dataclass
class _Blocking:
    """What is known of values while a graph is rebuilt.

    Attributes:
        block: How many channels lie together.
        rectified: The convolutions, by the identity of their nodes, that end with their ReLU.
        blocked: Values in blocks by what they are without.
        ends: The results of `rectified`.
    """

    block: int
    rectified: frozenset[int]
    blocked: dict[Value, Value] = field(default_factory=dict)
    ends: set[Value] = field(default_factory=set)

    def convolution(
        self, build: Builder, node: Node, operands: Operands
    ) -> tuple[Value, ...] | None:
        """y = x * w + b, and its ReLU where nothing else reads it."""
        (x, w), bias = present(operands[:2]), (*operands, None)[2]
        group = node.attributes["group"]
        call = build.call(row_of(node), operands, node.attributes)
        pays = _is_image(node) and is_free(build, w) and not is_one_window(call, x.shape[2:])
        if not pays or not self._has(w.shape[0], x.shape[1], group, call):
            return None
        blocks_seen = self._is_blocked(x, group)
        activation = "Relu" if id(node) in self.rectified else None
        attributes = {**_geometry(node.attributes), "activation": activation}
        laid = laid_out(build, w, self.block, blocks_seen=blocks_seen and group == 1)
        seen = self._in_blocks(build, x) if blocks_seen else x
        y = self._from_blocks(build, build.op(BLOCKED_CONV, (seen, laid, bias), attributes)[0])
        if activation:
            self.ends.add(y)
        return (y,)

    def data_gradient(
        self, build: Builder, node: Node, operands: Operands
    ) -> tuple[Value, ...] | None:
        """A transposed convolution as the convolution with the flipped weight."""
        (dy, w), bias = present(operands[:2]), operands[2:]
        call = build.call(row_of(node), operands, node.attributes)
        if not _is_image(node) or not is_free(build, w) or any(bias):
            return None
        geometry, group = turned(call), node.attributes["group"]
        filters = node.outputs[0].shape[1]
        if geometry is None or not self._has(filters, dy.shape[1], group, call):
            return None
        blocks_seen = self._is_blocked(dy, group)
        laid = laid_out_turned(build, w, self.block, blocks_seen=blocks_seen and group == 1)
        seen = self._in_blocks(build, dy) if blocks_seen else dy
        return (self._from_blocks(build, build.op(BLOCKED_CONV, (seen, laid), geometry)[0]),)

    def weight_gradient(
        self, build: Builder, node: Node, operands: Operands
    ) -> tuple[Value, ...] | None:
        """A convolution of blocks of data, or of blocks of dy where it has fewer channels."""
        x, dy = present(operands)
        grad = Correlation(build, x, dy, window_of(node.attributes), node.attributes["group"])
        if not _is_image(node):
            return None
        form, whole = chosen(grad), grad.filters % self.block == 0
        if form is by_channels and grad.group == grad.filters and whole:
            seen, dy = self._in_blocks(build, x), self._in_blocks(build, dy)
            return (of_each_channel(grad, seen, dy, self.block),)
        if form is not by_convolution or grad.group > 1:
            return None
        pads = zip(grad.window.reach * 2, grad.window.pads, strict=True)
        turns = set(grad.window.strides) == {1} and all(pad < reach for reach, pad in pads)
        if turns and grad.channels > grad.filters and whole:
            return (from_gradient(grad, self._in_blocks(build, dy), self.block),)
        if grad.channels % self.block == 0:
            return (from_data(grad, self._in_blocks(build, x), self.block),)
        return None

    def relu(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """A ReLU that its convolution has computed."""
        x = required(operands[0])
        return (x,) if x in self.ends else self.by_number(build, node, operands)

    def by_number(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """What is computed from blocks, and from scalars, number by number: in blocks, too.

        Truth values have no way back, so that they are computed twice where they must be.
        """
        values, shape = present(operands), node.outputs[0].shape
        whole = [x for x in values if x.type.rank]
        if not whole or not all(x.shape == shape and x in self.blocked for x in whole):
            return None
        inner = tuple(None if x is None else self.blocked.get(x, x) for x in operands)
        (blocked,) = copy(build, node, inner)
        if blocked.dtype is DType.FLOAT32:
            return (self._from_blocks(build, blocked),)
        (y,) = copy(build, node, operands)
        self.blocked[y] = blocked
        return (y,)

    def _has(self, filters: Dim, channels: Dim, group: int, call: OpCall) -> bool:
        """Whether there is such a kernel, and columns without it."""
        if not isinstance(filters, int) or not isinstance(channels, int):
            return False
        depthwise = group == channels == filters
        whole = channels < self.block or channels % self.block == 0
        fits = filters % self.block == 0 and (depthwise or (group == 1 and whole))
        return fits and prod(call.attributes["kernel_shape"]) > 1

    def _is_blocked(self, x: Value, group: int) -> bool:
        """Whether a convolution takes x in blocks; fewer channels than one it takes as they are."""
        channels = x.shape[1]
        return group > 1 or (isinstance(channels, int) and channels >= self.block)

    def _in_blocks(self, build: Builder, x: Value) -> Value:
        if x not in self.blocked:
            (self.blocked[x],) = build.op(TO_BLOCKS, (x,))
        return self.blocked[x]

    def _from_blocks(self, build: Builder, blocked: Value) -> Value:
        (x,) = build.op(FROM_BLOCKS, (blocked,), {"channels": blocked.shape[1]})
        self.blocked[x] = blocked
        return x


def _geometry(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: attributes[key] for key in CONVOLUTION_ATTRIBUTES}

"""How many channels onnxruntime's blocked convolutions hold together, found by trial."""

from functools import cache

import numpy as np

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph
from ...compiler.ops.channel_blocks import DOMAIN, TO_BLOCKS
from ...compiler.passes.block_channels import block_channels
from ...grammar.diagnostics import NetError
from .trial import computed, fed

MOST = 64  # channels of a block; a register of AVX-512 holds 16


@cache
def channel_block() -> int | None:
    """The number of channels: 16 with AVX-512, fewer on other processors.

    The operators are onnxruntime's own, and no standard: None where it lacks them, or where they
    do not yield what its standard convolutions do, to the last bit of small integers.
    """
    try:
        block = _found()
        return block if 1 < block < MOST and _agrees(block) else None
    except NetError:
        return None


def _found() -> int:
    """Where the second position of the first channel comes to lie: behind a block of channels."""
    x = np.arange(2 * MOST, dtype=np.float32).reshape(1, MOST, 1, 2)
    build = Builder(Graph("block"))
    build.graph.outputs = {"y": build.op(TO_BLOCKS, (fed(build, "x", x),))[0]}
    build.graph.opsets = {**build.graph.opsets, DOMAIN: 1}
    return int(np.flatnonzero(computed(build.graph, {"x": x}).ravel() == x[0, 0, 0, 1])[0])


def _agrees(block: int) -> bool:
    """Whether two convolutions, with a ReLU between them, and their gradient are the standard."""
    random = np.random.default_rng(0)
    shapes = {"x": (2, 3, 5, 4), "v": (block, 3, 3, 3), "w": (2 * block, block, 3, 3)}
    feeds = {
        name: random.integers(-3, 4, shape).astype(np.float32) for name, shape in shapes.items()
    }
    build = Builder(Graph("trial"))
    x, v, w = (fed(build, name, array) for name, array in feeds.items())
    padded = {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}
    y = build.Conv(build.Relu(build.Conv(x, v, **padded)), w, **padded)
    build.graph.outputs = {"dx": build.ConvTranspose(y, w, **padded)}
    found, expected = (
        computed(graph, feeds) for graph in (block_channels(build.graph, block), build.graph)
    )
    return np.array_equal(found, expected)

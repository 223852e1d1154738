"""Convolutions of blocked channels on onnxruntime, against float64, and where they are taken."""

from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.windows import window_of
from netc.compiler.ops.channel_blocks import DOMAIN
from netc.compiler.passes.block_channels import block_channels
from netc.runtime.engines import channel_block as trial
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.channel_block import channel_block
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session

TOLERANCE = 1e-5
SAMPLES, EXTENTS = 3, (9, 11)
BLOCK = channel_block() or 16
BLOCKED_CONV = f"{DOMAIN}.Conv"
needs_blocks = pytest.mark.skipif(channel_block() is None, reason="onnxruntime lacks the operators")

# Kernel, stride, padding, dilation; channels, filters and groups.
GRID = [
    (*window, *divided)
    for window, divided in product(
        (
            *((3, 1, 1, 1), (3, 1, 0, 1), (3, 2, 1, 1), (3, 1, 2, 2), (2, 1, 1, 1), (2, 2, 0, 1)),
            *((5, 1, 2, 1), (5, 3, 1, 1), (3, 2, 2, 2), (3, 1, 2, 1)),
        ),
        (
            *((BLOCK, 2 * BLOCK, 1), (3 * BLOCK, BLOCK, 1), (1, BLOCK, 1)),
            *((BLOCK - 1, 2 * BLOCK, 1), (2 * BLOCK, 2 * BLOCK, 2 * BLOCK)),
        ),
    )
]


def _graph(row: tuple[int, ...], *, batch: Any = SAMPLES) -> tuple[Graph, dict[str, Any]]:
    """A convolution, its gradients, and another transposed one; and what to feed."""
    kernel, stride, pad, dilation, channels, filters, group = row
    geometry: dict[str, Any] = {
        "kernel_shape": (kernel, kernel),
        "strides": (stride, 1 + stride // 2),
        "pads": (pad, pad // 2, pad // 2, pad),
        "dilations": (dilation, 3 - dilation),
        "group": group,
    }
    spatial: Any = window_of(geometry).output(EXTENTS)
    shapes = {
        "x": (SAMPLES, channels, *EXTENTS),
        "w": (filters, channels // group, kernel, kernel),
        "b": (filters,),
        "dy": (SAMPLES, filters, *spatial),
        "v": (channels, filters // group, kernel, kernel),
    }
    random = np.random.default_rng(0)
    feeds = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    build = Builder(Graph("blocks"))
    for name, shape in shapes.items():
        first = batch if name in ("x", "dy") else shape[0]
        build.input(name, TensorType(DType.FLOAT32, (first, *shape[1:])))
    x, w, b, dy, v = build.graph.inputs.values()
    build.graph.outputs = {
        "y": build.Conv(x, w, b, **geometry),
        "rectified": build.Relu(build.Conv(x, w, **geometry)),
        "dx": build.ConvTranspose(dy, w, **geometry),
        "dz": build.ConvTranspose(x, v, **geometry),
        "dw": build.op("netc.ConvWeightGrad", (x, dy), geometry)[0],
    }
    return build.graph, feeds


@needs_blocks
@pytest.mark.parametrize("row", GRID, ids=lambda row: "-".join(map(str, row)))
def test_convolutions(row: tuple[int, ...]) -> None:
    """Each convolution of blocks, and of flipped weights, is the one that it stands for.

    The gradient of a depthwise weight is one where the number of samples is known.
    """
    exact = run(plan(_graph(row)[0], dtype="float64"), _graph(row)[1], {})
    depthwise = row[6] > 1
    for batch in (BATCH, SAMPLES) if depthwise else (BATCH,):
        graph, feeds = _graph(row, batch=batch)
        blocked = block_channels(graph, BLOCK)
        kinds = [node.op_type for _, node in blocked.nodes()]
        taken = 2 - kinds.count("ConvTranspose")
        if row[1] == 1:
            assert taken == (row[4] % BLOCK == 0) + 1
        counted = depthwise and batch == SAMPLES
        assert kinds.count(BLOCKED_CONV) == 2 + taken + counted
        whole = row[4] % BLOCK == 0 and (counted or not depthwise)
        assert ("netc.ConvWeightGrad" in kinds) != whole
        file = BytesIO()
        write(blocked, {}, file)
        single = {name: array.astype(np.float32) for name, array in feeds.items()}
        for name, array in Session(file.getvalue()).run(single).items():
            assert norm_difference(array, exact[name]) <= TOLERANCE, name


@pytest.mark.parametrize(
    ("channels", "filters", "kernel", "group", "taken"),
    [
        (16, 32, (3, 3), 1, True),
        (3, 16, (3, 3), 1, True),
        (32, 32, (3, 3), 32, True),
        (16, 16, (1, 3), 1, True),
        (16, 32, (1, 1), 1, False),
        (16, 24, (3, 3), 1, False),
        (24, 16, (3, 3), 1, False),
        (32, 32, (3, 3), 2, False),
        (16, 16, (9, 11), 1, False),
        (16, 16, (3,), 1, False),
        (16, 16, (3, 3, 3), 1, False),
    ],
)
def test_choice(
    channels: int, filters: int, kernel: tuple[int, ...], group: int, *, taken: bool
) -> None:
    """Windows of several taps are, over whole blocks or few channels, of images of float32."""
    build = Builder(Graph("choice"))
    extents = (*EXTENTS, 5)[: len(kernel)]
    for dtype in (DType.FLOAT32, DType.FLOAT64):
        x = build.input(f"x {dtype}", TensorType(dtype, (BATCH, channels, *extents)))
        w = build.input(f"w {dtype}", TensorType(dtype, (filters, channels // group, *kernel)))
        build.graph.outputs[f"y {dtype}"] = build.Conv(x, w, group=group)
    kinds = [node.op_type for _, node in block_channels(build.graph, 16).nodes()]
    assert kinds.count(BLOCKED_CONV) == taken
    assert kinds.count("Conv") == 2 - taken


def test_weights_that_stay() -> None:
    """A convolution whose weight is constant is left to onnxruntime, which lays it out once."""
    build = Builder(Graph("constant"))
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 16, 4, 4)))
    w = build.constant(np.ones((16, 16, 3, 3), np.float32), DType.FLOAT32)
    build.graph.outputs = {"y": build.Conv(x, w)}
    assert block_channels(build.graph, 16) is build.graph


def test_an_engine_without_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime refuses the operators, or they yield something else, none is taken."""
    for block in (3, 5):  # no processor's
        monkeypatch.setattr(trial, "_found", lambda block=block: block)
        assert channel_block.__wrapped__() is None

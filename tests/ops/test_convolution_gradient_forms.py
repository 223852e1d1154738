"""The forms that a convolution's gradients have on onnxruntime, all of them against float64."""

from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.windows import window_of
from netc.compiler.ops import input_gradient_forms, weight_gradient_forms
from netc.compiler.ops.convolution import input_gradient
from netc.compiler.ops.weight_gradient_forms import Correlation
from netc.compiler.passes.decompose import decompose
from netc.compiler.passes.pipeline import settle
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.engines.session import Session

TOLERANCE = 1e-5
SAMPLES, CHANNELS, EXTENTS = 3, 4, (9, 11)
GROUPS_AND_FILTERS = ((1, 6), (2, 6), (4, 8))
# Kernel, stride, padding, dilation, groups and filters.
GRID = [
    (kernel, stride, pad, dilation, *divided)
    for kernel, stride, pad, dilation, divided in product(
        (1, 2, 3), (1, 2, 3), (0, 1, 2), (1, 2), GROUPS_AND_FILTERS
    )
    if pad < kernel and dilation < kernel
] + [(1, stride, 0, 1, *divided) for stride, divided in product((1, 2), GROUPS_AND_FILTERS)]


class Setting:
    """A convolution of two axes that differ, its operands, and its gradients in float64."""

    def __init__(
        self, kernel: int, stride: int, pad: int, dilation: int, group: int, filters: int
    ) -> None:
        self.geometry: dict[str, Any] = {
            "kernel_shape": (kernel, kernel),
            "strides": (stride, 1 + stride // 2),
            "pads": (pad, pad // 2, pad // 2, pad),
            "dilations": (dilation, 1),
            "group": group,
        }
        spatial = window_of(self.geometry).output(EXTENTS)
        dy = TensorType(DType.FLOAT32, (SAMPLES, filters, *spatial))
        self.shapes: dict[str, tuple[int, ...]] = {
            "x": (SAMPLES, CHANNELS, *EXTENTS),
            "w": (filters, CHANNELS // group, kernel, kernel),
            "dy": dy.extents,
        }
        random = np.random.default_rng(0)
        self.feeds = {name: random.standard_normal(shape) for name, shape in self.shapes.items()}
        build, (x, w, given) = self.inputs(symbolic=False)
        (dw,) = build.op("netc.ConvWeightGrad", (x, given), self.geometry)
        dx = input_gradient(build, given, w, x, self.geometry)
        build.graph.outputs = {"dw": dw, "dx": dx}
        self.exact = run(plan(build.graph, dtype="float64"), self.feeds, {})

    def inputs(self, *, symbolic: bool) -> Any:
        """A builder, and x, w and dy."""
        build = Builder(Graph("forms"))
        for name, shape in self.shapes.items():
            first = BATCH if symbolic and name != "w" else shape[0]
            build.input(name, TensorType(DType.FLOAT32, (first, *shape[1:])))
        return build, tuple(build.graph.inputs.values())

    def check(self, graph: Graph, name: str) -> None:
        """All outputs of a graph, in float32 on onnxruntime, are the gradient of a name."""
        file = BytesIO()
        write(graph, {}, file)
        session = Session(file.getvalue())
        feeds = {each: self.feeds[each].astype(np.float32) for each in session.inputs}
        for form, found in session.run(feeds).items():
            assert norm_difference(found, self.exact[name]) <= TOLERANCE, (name, form)


@pytest.mark.parametrize("row", GRID, ids=lambda row: "-".join(map(str, row)))
def test_gradients(row: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form that can be built, whether it pays or not, is the gradient."""
    setting = Setting(*row)
    forms = weight_gradient_forms
    for symbolic in (False, True):
        build, (x, w, dy) = setting.inputs(symbolic=symbolic)
        grad = Correlation(build, x, dy, window_of(setting.geometry), row[4])
        possible = {
            forms.by_columns: True,
            forms.by_convolution: row[0] > 1,
            forms.by_samples: row[0] == 1,
            forms.by_channels: grad.channels == 1 and not symbolic,
        }
        outputs = {form.__name__: form(grad) for form, can in possible.items() if can}
        build.graph.outputs = {**outputs, "chosen": forms.form_of(grad)}
        setting.check(build.graph, "dw")
    monkeypatch.setattr(input_gradient_forms, "_pays", lambda *_: True)
    build, (x, w, dy) = setting.inputs(symbolic=True)
    build.graph.outputs = {"dx": input_gradient(build, dy, w, x, setting.geometry)}
    setting.check(build.graph, "dx")
    kinds = {node.op_type for _, node in decompose(build.graph).nodes()}
    assert ("Conv" in kinds) == (setting.geometry["strides"] == (1, 1))


@pytest.mark.parametrize("kernel", [(4,), (4, 5), (2, 3, 4)])
@pytest.mark.parametrize("open_batch", [False, True])
def test_one_window(kernel: tuple[int, ...], *, open_batch: bool) -> None:
    """A window that sees all is a product of matrices, of data and of its gradient."""
    random, ones = np.random.default_rng(0), (1,) * len(kernel)
    shapes = {"x": (6, 3, *kernel), "w": (5, 3, *kernel), "b": (5,), "dy": (6, 5, *ones)}
    feeds: Any = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    build = Builder(Graph("window"))
    x, w, b, dy = (
        build.input(
            name,
            TensorType(
                DType.FLOAT32, (BATCH, *shape[1:]) if open_batch and name in "x dy" else shape
            ),
        )
        for name, shape in shapes.items()
    )
    geometry: Any = {"kernel_shape": kernel, "pads": (0,) * 2 * len(kernel), "group": 1}
    geometry |= {"strides": ones, "dilations": ones}
    build.graph.outputs = {
        "y": build.Conv(x, w, b, **geometry),
        "dx": build.ConvTranspose(dy, w, **geometry, output_padding=None),
    }
    found = decompose(build.graph)
    kinds = [node.op_type for _, node in found.nodes()]
    assert kinds.count("Gemm") == 2
    assert not {"Conv", "ConvTranspose"} & set(kinds)
    exact = run(plan(build.graph, dtype="float64"), feeds, {})
    file = BytesIO()
    write(found, {}, file)
    single = {name: array.astype(np.float32) for name, array in feeds.items()}
    for name, array in Session(file.getvalue()).run(single).items():
        assert array.shape == exact[name].shape
        assert norm_difference(array, exact[name]) <= TOLERANCE


def test_windows_that_stay() -> None:
    """Networks are exported with the convolutions that they have."""
    graph = netc.compile("INPUT(4x5x3) -> CONV(4x5, 6, pad=valid) -> RELU -> FC(2)").graph
    assert "Conv" in {node.op_type for _, node in decompose(settle(graph)).nodes()}


CHOICES = [
    ((64, 32, 32, 32), 1, 64, 1, 1, "by_samples"),
    ((64, 512, 7, 7), 1, 512, 1, 1, "by_columns"),
    ((64, 32, 32, 32), 3, 32, 1, 32, "by_channels"),
    ((64, 32, 32, 32), 3, 32, 1, 1, "by_convolution"),
    ((BATCH, 32, 32, 32), 3, 32, 1, 32, "by_convolution"),
    ((64, 32, 32, 32), 3, 32, 2, 1, "by_convolution"),
    ((64, 32, 32, 32), 3, 32, 3, 1, "by_columns"),
    ((8, 32, 1024), 3, 32, 1, 1, "by_convolution"),
    ((8, 32, 1024), 3, 32, 2, 1, "by_columns"),
]


@pytest.mark.parametrize(("shape", "kernel", "filters", "dilation", "group", "expected"), CHOICES)
def test_choice(
    shape: Any, kernel: int, filters: int, dilation: int, group: int, expected: str
) -> None:
    """The table chooses by extents."""
    rank = len(shape) - 2
    build = Builder(Graph("choice"))
    x = build.input("x", TensorType(DType.FLOAT32, shape))
    dy = build.input("dy", TensorType(DType.FLOAT32, (shape[0], filters, *shape[2:])))
    pads = (kernel // 2 * dilation,) * 2 * rank
    window = window_of(
        {
            **{"kernel_shape": (kernel,) * rank, "strides": None},
            **{"pads": pads, "dilations": (dilation,) * rank},
        }
    )
    grad = Correlation(build, x, dy, window, group)
    form = next(build for fits, build in weight_gradient_forms.FORMS if fits(grad))
    assert form.__name__ == expected


@pytest.mark.parametrize(
    ("channels", "extent", "kernel", "group", "expected"),
    [
        (64, 32, 3, 1, "Conv"),
        (3, 32, 3, 1, "ConvTranspose"),
        (64, 16, 3, 1, "ConvTranspose"),
        (64, 16, 1, 1, "Conv"),
        (64, 16, 3, 64, "Conv"),
        (64, 16, 5, 64, "ConvTranspose"),
    ],
)
def test_input_gradient(channels: int, extent: int, kernel: int, group: int, expected: str) -> None:
    """Columns that a cache does not hold, kernels of 1 and small depthwise ones are convolved."""
    build = Builder(Graph("choice"))
    filters, pad = max(group, 16), kernel // 2
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, channels, extent, extent)))
    w = build.input("w", TensorType(DType.FLOAT32, (filters, channels // group, kernel, kernel)))
    dy = build.input("dy", TensorType(DType.FLOAT32, (BATCH, filters, extent, extent)))
    geometry = {
        "kernel_shape": (kernel,) * 2,
        "strides": None,
        "pads": (pad,) * 4,
        "dilations": None,
        "group": group,
    }
    build.graph.outputs = {"dx": input_gradient(build, dy, w, x, geometry)}
    found = decompose(build.graph)
    assert found.producer(found.outputs["dx"]).op_type == expected

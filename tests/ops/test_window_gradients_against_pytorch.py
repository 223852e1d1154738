"""Gradients of convolutions and pools on random settings against `torch.autograd`, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.geometries import geometries, random_array

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

TOLERANCE = 1e-8
PROFILE = settings(max_examples=60)
GEOMETRY = ("kernel_shape", "strides", "pads", "dilations")
pytestmark = [pytest.mark.oracle, pytest.mark.slow]


class Differentiated:
    """An operator on arrays, its result, and its gradients given that of the result."""

    def __init__(self, op_type: str, arrays: Sequence[Array | None], **attributes: Any) -> None:
        self.build = Builder(Graph("gradient"))
        self.feeds = {f"x{k}": array for k, array in enumerate(arrays) if array is not None}
        arguments = [
            None if array is None else self._input(f"x{k}", array) for k, array in enumerate(arrays)
        ]
        self.arguments = [value for value in arguments if value is not None]
        (self.y,) = self.build.op(op_type, arguments, attributes)

    def _input(self, name: str, array: Array) -> Value:
        return self.build.input(name, TensorType(DType.FLOAT32, array.shape))

    def gradients(self, dy: Array) -> list[Array]:
        """The gradients with respect to all arguments."""
        cotangent = self._input("dy", dy)
        found = gradients(self.build, self.y, self.arguments, cotangent=cotangent)
        return self.values(found, {"dy": dy})

    def values(self, values: Sequence[Value | None], more: dict[str, Array]) -> list[Array]:
        """Values of the graph, in float64."""
        outputs = {f"y{k}": value for k, value in enumerate(values) if value is not None}
        assert len(outputs) == len(values)
        self.build.graph.outputs = outputs
        found = run(plan(self.build.graph, dtype="float64"), {**self.feeds, **more}, {})
        return list(found.values())


def _attributes(geometry: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The geometry as ONNX's attributes: padding on both sides."""
    kept = {key: geometry[key] for key in GEOMETRY if key in geometry}
    return {**kept, "pads": geometry["pads"] * 2, **more}


def _same(found: Sequence[Array], expected: Sequence[Any]) -> None:
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        theirs = theirs.detach().numpy()
        if np.any(theirs):
            assert norm_difference(ours, theirs) <= TOLERANCE
        else:
            assert not np.any(ours)


def _tensors(torch: Any, arrays: Sequence[Array | None]) -> list[Any]:
    return [None if a is None else torch.from_numpy(a).requires_grad_() for a in arrays]


def _compare(torch: Any, ours: Differentiated, tensors: Sequence[Any], y: Any) -> None:
    """Compare the gradients with PyTorch's, given a random one of the result."""
    dy = random_array(tuple(y.shape), 8)
    assert ours.y.shape == dy.shape
    given = [tensor for tensor in tensors if tensor is not None]
    _same(ours.gradients(dy), torch.autograd.grad(y, given, torch.from_numpy(dy)))


CONVOLUTIONS = {
    "geometry": geometries(pool=False),
    "batch": st.integers(1, 3),
    "group": st.integers(1, 4),
    "inputs": st.integers(1, 3),
    "filters": st.integers(1, 3),
    "bias": st.booleans(),
}


@PROFILE
@given(after=st.lists(st.integers(0, 3), min_size=3, max_size=3), **CONVOLUTIONS)
def test_convolution(
    geometry: dict[str, Any],
    batch: int,
    group: int,
    inputs: int,
    filters: int,
    bias: bool,
    after: list[int],
) -> None:
    """Conv for every rank, padding (more behind than before, too), stride, dilation and group."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rank = len(geometry["spatial"])
    x = random_array((batch, group * inputs, *geometry["spatial"]), 0)
    w = random_array((group * filters, inputs, *geometry["kernel_shape"]), 2)
    b = random_array((group * filters,), 4) if bias else None
    tensors = _tensors(torch, (x, w, b))
    sides = [0, *after[:rank]]
    padded = torch.nn.functional.pad(
        tensors[0], [n for extra in reversed(sides[1:]) for n in (0, extra)]
    )
    place = [geometry[key] for key in ("strides", "pads", "dilations")]
    y = getattr(torch, f"conv{rank}d")(padded, tensors[1], tensors[2], *place, group)
    attributes = _attributes(geometry, group=group)
    ends = [p + extra for p, extra in zip(geometry["pads"], after, strict=False)]
    attributes["pads"] = (*geometry["pads"], *ends)
    _compare(torch, Differentiated("Conv", (x, w, b), **attributes), tensors, y)


@PROFILE
@given(extra=st.lists(st.integers(0, 3), min_size=3, max_size=3), **CONVOLUTIONS)
def test_transposed_convolution(
    geometry: dict[str, Any],
    batch: int,
    group: int,
    inputs: int,
    filters: int,
    bias: bool,
    extra: list[int],
) -> None:
    """ConvTranspose likewise, with output padding beyond the stride where dilations allow it."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rank = len(geometry["spatial"])
    x = random_array((batch, group * inputs, *geometry["spatial"]), 0)
    w = random_array((group * inputs, filters, *geometry["kernel_shape"]), 2)
    b = random_array((group * filters,), 4) if bias else None
    steps = zip(geometry["strides"], geometry["dilations"], strict=True)
    padding = tuple(min(e, max(s, d) - 1) for e, (s, d) in zip(extra, steps, strict=False))
    attributes = _attributes(geometry, group=group, output_padding=padding)
    tensors = _tensors(torch, (x, w, b))
    lengths = [
        (n - 1) * s + d * (k - 1) + 1 - 2 * p + e
        for n, s, d, k, p, e in zip(
            geometry["spatial"],
            *(geometry[key] for key in ("strides", "dilations", "kernel_shape", "pads")),
            padding,
            strict=True,
        )
    ]
    assume(min(lengths) > 0)
    transposed = getattr(torch, f"conv_transpose{rank}d")
    place = (geometry["strides"], geometry["pads"], padding, group, geometry["dilations"])
    y = transposed(*tensors, *place)
    _compare(torch, Differentiated("ConvTranspose", (x, w, b), **attributes), tensors, y)


@PROFILE
@given(**{**CONVOLUTIONS, "bias": st.just(False)})
def test_second_gradient_of_a_convolution(
    geometry: dict[str, Any], batch: int, group: int, inputs: int, filters: int, bias: bool
) -> None:
    """The gradients of the gradients of Conv, with respect to x, w and dy."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x = random_array((batch, group * inputs, *geometry["spatial"]), 0)
    w = random_array((group * filters, inputs, *geometry["kernel_shape"]), 2)
    ours = Differentiated("Conv", (x, w), **_attributes(geometry, group=group))
    tensors = _tensors(torch, (x, w))
    convolve = getattr(torch, f"conv{len(geometry['spatial'])}d")
    place = [geometry[key] for key in ("strides", "pads", "dilations")]
    y = convolve(*tensors, None, *place, group)
    dy = random_array(tuple(y.shape), 8)
    vx, vw = random_array(x.shape, 10), random_array(w.shape, 12)
    last = torch.from_numpy(dy).requires_grad_()
    dx, dw = torch.autograd.grad(y, tensors, last, create_graph=True)
    total = (dx * torch.from_numpy(vx)).sum() + (dw * torch.from_numpy(vw)).sum()
    expected = torch.autograd.grad(total, [*tensors, last])

    build, cotangent = ours.build, ours._input("dy", dy)
    first = gradients(build, ours.y, ours.arguments, cotangent=cotangent)
    terms = [
        build.ReduceSum(build.Mul(value, ours._input(name, weight)), keepdims=0)
        for value, name, weight in zip(first, ("vx", "vw"), (vx, vw), strict=True)
        if value is not None
    ]
    found = gradients(build, build.Add(*terms), [*ours.arguments, cotangent])
    _same(ours.values(found, {"dy": dy, "vx": vx, "vw": vw}), expected)


@PROFILE
@given(geometry=geometries(pool=True), batch=st.integers(1, 3), ceil=st.booleans())
def test_max_pool(geometry: dict[str, Any], batch: int, ceil: bool) -> None:
    """MaxPool on whole numbers: of equal maxima the first gets the gradient, as in PyTorch."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x = np.round(random_array((batch, 2, *geometry["spatial"]), 0))
    tensors = _tensors(torch, (x,))
    place = [geometry[key] for key in GEOMETRY]
    pool = getattr(torch.nn.functional, f"max_pool{len(geometry['spatial'])}d")
    y = pool(tensors[0], *place, ceil)
    assume(bool(y.isfinite().all()))  # dilated windows may see nothing but padding
    ours = Differentiated("MaxPool", (x,), **_attributes(geometry, ceil_mode=int(ceil)))
    _compare(torch, ours, tensors, y)


@PROFILE
@given(
    geometry=geometries(pool=True), batch=st.integers(1, 3), ceil=st.booleans(), pad=st.booleans()
)
def test_average_pool(geometry: dict[str, Any], batch: int, ceil: bool, pad: bool) -> None:
    """AveragePool, with and without counted padding and `ceil_mode`."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    del geometry["dilations"]
    # PyTorch takes no volume that is smaller than the kernel, padded or not.
    geometry["spatial"] = tuple(map(max, geometry["spatial"], geometry["kernel_shape"]))
    x = random_array((batch, 2, *geometry["spatial"]), 0)
    tensors = _tensors(torch, (x,))
    pool = getattr(torch.nn.functional, f"avg_pool{len(geometry['spatial'])}d")
    y = pool(tensors[0], *(geometry[key] for key in ("kernel_shape", "strides", "pads")), ceil, pad)
    more = {"ceil_mode": int(ceil), "count_include_pad": int(pad)}
    ours = Differentiated("AveragePool", (x,), **_attributes(geometry, **more))
    _compare(torch, ours, tensors, y)


@PROFILE
@given(geometry=geometries(pool=True), batch=st.integers(1, 3), p=st.integers(1, 4))
def test_lp_pool(geometry: dict[str, Any], batch: int, p: int) -> None:
    """LpPool on positive numbers, which is what PyTorch's formula is for."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rank = len(geometry["spatial"])
    geometry["dilations"], geometry["pads"] = (1,) * rank, (0,) * rank
    geometry["spatial"] = tuple(map(max, geometry["spatial"], geometry["kernel_shape"]))
    x = np.abs(random_array((batch, 2, *geometry["spatial"]), 0)) + 0.5
    tensors = _tensors(torch, (x,))
    pool = getattr(torch.nn.functional, f"lp_pool{rank}d")
    place = [geometry[key] if rank > 1 else geometry[key][0] for key in GEOMETRY[:2]]
    y = pool(tensors[0], p, *place)
    _compare(torch, Differentiated("LpPool", (x,), **_attributes(geometry, p=p)), tensors, y)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_global_pools(rank: int) -> None:
    """Global pools; of equal maxima the first gets the gradient."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x = np.round(random_array((2, 3, 4, 3, 5)[: 2 + rank], 0))
    for op_type, name in (("GlobalAveragePool", "avg"), ("GlobalMaxPool", "max")):
        tensors = _tensors(torch, (x,))
        y = getattr(torch.nn.functional, f"adaptive_{name}_pool{rank}d")(tensors[0], 1)
        _compare(torch, Differentiated(op_type, (x,)), tensors, y)

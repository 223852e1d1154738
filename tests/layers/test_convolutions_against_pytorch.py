"""Random settings of the convolution layers compute what PyTorch's own layers compute."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import norm_error, random_state

import netc

pytestmark = pytest.mark.oracle

TOLERANCE = 1e-10
EXAMPLES = settings(max_examples=60)

Geometry = dict[str, tuple[int, ...]]


def sizes(rank: int, low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    """One number per axis."""
    return st.tuples(*[st.integers(low, high)] * rank)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Extents of 1 to 3 axes, and a kernel, strides, padding and dilations that fit them."""
    rank = draw(st.integers(1, 3))
    kernel, dilation = draw(sizes(rank, 1, 4)), draw(sizes(rank, 1, 3))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    pad = draw(sizes(rank, 0, 3))
    spare = draw(sizes(rank, 0, 5))
    least = [max(r - 2 * p, 1) for r, p in zip(reach, pad, strict=True)]
    return {
        "extents": tuple(e + s for e, s in zip(least, spare, strict=True)),
        "kernel": kernel,
        "stride": draw(sizes(rank, 1, 3)),
        "pad": pad,
        "dilation": dilation,
    }


def spelled(size: tuple[int, ...]) -> str:
    """A size as a program spells it."""
    return "x".join(map(str, size))


def source(geometry: Geometry, channels: int) -> str:
    """The input of a program."""
    sequence = ", sequence" if len(geometry["extents"]) == 1 else ""
    return f"INPUT({spelled(geometry['extents'])}x{channels}, dtype=float64{sequence})"


def keywords(geometry: Geometry, **others: Any) -> str:
    """The keywords of a convolution."""
    given = {key: spelled(geometry[key]) for key in ("kernel", "stride", "pad", "dilation")}
    return ", ".join(f"{key}={value}" for key, value in {**given, **others}.items())


def compare(program: str, layer: Any) -> None:
    """The program's layer `l` equals PyTorch's layer, given the same weights and input."""
    import torch

    network = netc.compile(program)
    state = random_state(network)
    layer.load_state_dict(
        {name: torch.from_numpy(state[f"l.{name}"].copy()) for name in layer.state_dict()}
    )
    shape = [2 if extent == "N" else int(extent) for extent in network.inputs[0].shape]
    x = np.random.default_rng(0).uniform(-1, 1, shape)
    found = network.run(x, state)
    assert isinstance(found, np.ndarray)
    with torch.no_grad():
        images = torch.from_numpy(x)
        y = layer(images.transpose(1, 2) if len(shape) == 3 else images)
        expected = (y.transpose(1, 2) if len(shape) == 3 else y).numpy()
    assert norm_error(found, expected) <= TOLERANCE


def settings_for_pytorch(geometry: Geometry) -> dict[str, Any]:
    """The same geometry in PyTorch's words."""
    return {
        "kernel_size": geometry["kernel"],
        "stride": geometry["stride"],
        "padding": geometry["pad"],
        "dilation": geometry["dilation"],
    }


def pytorch(kind: str, geometry: Geometry, *channels: int, **others: Any) -> Any:
    """PyTorch's layer of the geometry's rank in float64."""
    from torch import float64, nn

    layer = getattr(nn, f"{kind}{len(geometry['extents'])}d")
    return layer(*channels, **settings_for_pytorch(geometry), **others, dtype=float64)


@EXAMPLES
@given(geometries(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_conv(geometry: Geometry, groups: int, taken: int, given: int, bias: bool) -> None:
    """`CONV` is `torch.nn.Conv1d`, `Conv2d` and `Conv3d`."""
    channels, filters = groups * taken, groups * given
    others = keywords(geometry, groups=groups, bias="yes" if bias else "no")
    program = f"{source(geometry, channels)} -> CONV({others}, {filters}) as l"
    compare(program, pytorch("Conv", geometry, channels, filters, groups=groups, bias=bias))


@EXAMPLES
@given(geometries(), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_dwconv(geometry: Geometry, channels: int, multiplier: int, bias: bool) -> None:
    """`DWCONV` is the convolution with as many groups as channels."""
    others = keywords(geometry, multiplier=multiplier, bias="yes" if bias else "no")
    program = f"{source(geometry, channels)} -> DWCONV({others}) as l"
    filters = channels * multiplier
    compare(program, pytorch("Conv", geometry, channels, filters, groups=channels, bias=bias))


@st.composite
def transposed_geometries(draw: st.DrawFn) -> Geometry:
    """A geometry whose padding leaves some output, with rows added at the end."""
    rank = draw(st.integers(1, 3))
    kernel, dilation, stride = (draw(sizes(rank, 1, most)) for most in (4, 3, 4))
    extents = draw(sizes(rank, 1, 5))
    full = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(extents, stride, dilation, kernel, strict=True)
    ]
    return {
        "extents": extents,
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "pad": tuple(draw(st.integers(0, min(3, (f - 1) // 2))) for f in full),
        "output_pad": tuple(draw(st.integers(0, s - 1)) for s in stride),
    }


@EXAMPLES
@given(
    transposed_geometries(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans()
)
def test_upconv(geometry: Geometry, groups: int, taken: int, given: int, bias: bool) -> None:
    """`UPCONV` is `torch.nn.ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d`."""
    channels, filters = groups * taken, groups * given
    output_pad = geometry["output_pad"]
    others = keywords(
        geometry, groups=groups, bias="yes" if bias else "no", output_pad=spelled(output_pad)
    )
    program = f"{source(geometry, channels)} -> UPCONV({others}, {filters}) as l"
    layer = pytorch(
        "ConvTranspose",
        geometry,
        channels,
        filters,
        groups=groups,
        bias=bias,
        output_padding=output_pad,
    )
    compare(program, layer)


@EXAMPLES
@given(transposed_geometries())
def test_upconv_same_is_the_transpose_of_conv_same(geometry: Geometry) -> None:
    """For kernels of at least 2 S - 1, `pad=same` is the gradient of `CONV(pad=same)`."""
    import torch

    rank = len(geometry["extents"])
    kernel, stride, dilation = (geometry[key] for key in ("kernel", "stride", "dilation"))
    kernel = tuple(max(k, 2 * s - 1) for k, s in zip(kernel, stride, strict=True))
    text = f"kernel={spelled(kernel)}, stride={spelled(stride)}, dilation={spelled(dilation)}"
    program = f"{source(geometry, 2)} -> UPCONV({text}, 3, pad=same, bias=no) as l"
    network = netc.compile(program)
    state = random_state(network)
    shape = [2 if extent == "N" else int(extent) for extent in network.inputs[0].shape]
    x = np.random.default_rng(0).uniform(-1, 1, shape)
    found = network.run(x, state)
    assert isinstance(found, np.ndarray)
    large = [n * s for n, s in zip(geometry["extents"], stride, strict=True)]
    taken = torch.zeros((2, 3, *large), dtype=torch.float64, requires_grad=True)
    sides = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    padding = [side for total in reversed(sides) for side in (total // 2, total - total // 2)]
    conv = getattr(torch.nn.functional, f"conv{rank}d")
    y = conv(
        torch.nn.functional.pad(taken, padding),
        torch.from_numpy(state["l.weight"].copy()),
        stride=stride,
        dilation=dilation,
    )
    dy = torch.from_numpy(x.transpose(0, 2, 1).copy() if rank == 1 else x)
    (expected,) = torch.autograd.grad(y, taken, dy)
    dx = expected.transpose(1, 2) if rank == 1 else expected
    assert norm_error(found, dx.numpy()) <= TOLERANCE

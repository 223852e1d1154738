"""Random settings of pools and normalizations mean what PyTorch means by them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import LayerRow, check_engines, check_torch
from support.rows import normalization, pooling

pytestmark = pytest.mark.oracle

EXAMPLES = settings(max_examples=40)
CHANNELS = 6


def size(extents: tuple[int, ...]) -> str:
    """Extents as the language spells them."""
    return "x".join(map(str, extents)) if len(extents) > 1 else str(extents[0])


def source(extents: tuple[int, ...], channels: int) -> str:
    """An input of such spatial extents."""
    return f"INPUT({size((*extents, channels))}{', sequence' if len(extents) == 1 else ''})"


def check(row: LayerRow) -> None:
    """PyTorch in float64, and onnxruntime in float32."""
    check_torch(row)
    check_engines(row, 2)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """A window that fits: PyTorch pads by at most half a kernel, and of volumes no small ones."""
    rank = draw(st.integers(1, 3))
    kernel = [draw(st.integers(1, 4)) for _ in range(rank)]
    pad = [draw(st.integers(0, k // 2)) for k in kernel]
    return {
        "kernel": tuple(kernel),
        "pad": tuple(pad),
        "stride": tuple(draw(st.integers(1, 5)) for _ in range(rank)),
        "extents": tuple(
            draw(st.integers(k if rank == 3 else max(1, k - 2 * p), 9))
            for k, p in zip(kernel, pad, strict=True)
        ),
    }


@EXAMPLES
@given(
    windows=windows(),
    ceil=st.booleans(),
    mode=st.sampled_from(["max", "avg", "avg, count_pad=yes"]),
)
def test_pools(windows: dict[str, tuple[int, ...]], ceil: bool, mode: str) -> None:
    """Max and average pools with strides, padding and rounding up, in 1-D, 2-D and 3-D."""
    arguments = ", ".join(f"{n}={size(windows[n])}" for n in ("kernel", "stride", "pad"))
    rounding = ", ceil=yes" if ceil else ""
    counted: dict[str, Any] = {}
    if mode != "max":
        counted = {"count_include_pad": "count_pad" in mode}
    oracle = pooling.pool(
        "max_pool" if mode == "max" else "avg_pool",
        kernel_size=windows["kernel"],
        stride=windows["stride"],
        padding=windows["pad"],
        ceil_mode=ceil,
        **counted,
    )
    program = f"{source(windows['extents'], 2)} -> POOL({mode}, {arguments}{rounding}) as l"
    check(LayerRow(program, "", torch=oracle))


@EXAMPLES
@given(
    bins=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=3),
    mode=st.sampled_from(["avg", "max"]),
)
def test_adaptive_pools(bins: list[tuple[int, int]], mode: str) -> None:
    """Adaptive pools to fewer or more rows than there are."""
    extents, output = (tuple(side) for side in zip(*bins, strict=True))
    program = f"{source(extents, 2)} -> ADAPTIVEPOOL({size(output)}, {mode}) as l"
    check(LayerRow(program, "", torch=pooling.pool(f"adaptive_{mode}_pool", output_size=output)))


@EXAMPLES
@given(windows=windows(), ceil=st.booleans())
def test_unpooling(windows: dict[str, tuple[int, ...]], ceil: bool) -> None:
    """Max-pools without overlap are undone."""
    kernel, pad = windows["kernel"][0], windows["pad"][0]
    stride = max(kernel, windows["stride"][0])
    extents = tuple(max(e, kernel) for e in windows["extents"])
    options = f"kernel={kernel}, stride={stride}, pad={pad}, ceil={'yes' if ceil else 'no'}"
    program = (
        f"{source(extents, 2)} -> POOL({options}) as p -> ( ID | ID ) -> ADD -> UNPOOL(p) as l"
    )
    oracle = pooling.there_and_back(kernel, stride, pad, ceil=ceil)
    check(LayerRow(program, "", torch=oracle))


NORMALIZATIONS: dict[str, Callable[[float], Any]] = {
    "BN(": normalization.batch,
    "LN(": normalization.layer,
    "IN(": normalization.instance,
    "GN(groups=1, ": lambda eps: normalization.group(1, eps),
    "GN(groups=3, ": lambda eps: normalization.group(3, eps),
    "RMSNORM(": normalization.root_mean_square,
}


@EXAMPLES
@given(
    extents=st.lists(st.integers(2, 5), min_size=1, max_size=3).map(tuple),
    call=st.sampled_from(sorted(NORMALIZATIONS)),
    eps=st.sampled_from([1e-5, 1e-3, 0.5]),
    affine=st.booleans(),
)
def test_normalizations(extents: tuple[int, ...], call: str, eps: float, affine: bool) -> None:
    """Normalizations of sequences, images and volumes, with weights and without."""
    options = f"eps={eps!r}, affine={'yes' if affine else 'no'}"
    program = f"{source(extents, CHANNELS)} -> {call}{options}) as l"
    check(LayerRow(program, "", torch=NORMALIZATIONS[call](eps)))


@EXAMPLES
@given(
    extents=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    half=st.integers(0, 6),
    alpha=st.sampled_from([1e-4, 0.3, 2.0]),
    beta=st.sampled_from([0.5, 0.75, 1.2]),
    k=st.sampled_from([1.0, 2.0]),
)
def test_local_response(
    extents: tuple[int, ...], half: int, alpha: float, beta: float, k: float
) -> None:
    """Windows of one channel, of some, and of more than there are."""
    span = 2 * half + 1
    options = f"{span}, alpha={alpha!r}, beta={beta!r}, k={k!r}, mean=yes"
    program = f"{source(extents, CHANNELS)} -> LRN({options}) as l"
    check(LayerRow(program, "", torch=normalization.response(span, alpha, beta, k)))

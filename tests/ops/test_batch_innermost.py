"""Convolutions on arrays whose batch is innermost are those on row-major arrays."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from netc.compiler.ir.windows import window_of
from netc.runtime.kerneldef import Array
from netc.runtime.kernels import columns, slabs, workers
from netc.runtime.kernels.batch_innermost import convolve, convolve_transposed, weight_gradient
from netc.runtime.kernels.convolution import conv
from netc.runtime.kernels.slabs import axes_of, batch_innermost, is_batch_innermost
from netc.runtime.kernels.transposed_convolution import conv_transpose
from netc.runtime.kernels.weight_gradient import conv_weight_grad

SPATIAL = {1: (8,), 2: (6, 8), 3: (4, 5, 6)}
KERNELS = {1: (1, 2, 3), 2: (1, 3), 3: (2,)}
PADS = ((0, 0), (1, 0), (1, 2))
# Groups, input channels and filters: none, two, and depthwise with one or two filters each.
DEPTHWISE = ((4, 4, 4), (4, 4, 8))
GROUPS = ((1, 3, 4), (2, 4, 6), *DEPTHWISE)
TOLERANCE = 1e-5


def _given(random: np.random.Generator, *shape: int) -> Array:
    return random.standard_normal(shape)


def _innermost(x: Array) -> Array:
    y = batch_innermost(x.shape, x.dtype)
    y[...] = x
    return y


def _near(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


def test_the_order_in_memory() -> None:
    """The batch is innermost, then the last axis, then channels, then the outer axes."""
    x = batch_innermost((2, 3, 4, 5), np.dtype(np.float32))
    assert x.shape == (2, 3, 4, 5)
    assert [stride // 4 for stride in x.strides] == [1, 10, 30, 2]
    assert is_batch_innermost(x)
    assert not is_batch_innermost(np.ascontiguousarray(x))


@pytest.mark.parametrize("rank", SPATIAL)
@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_one_window(rank: int, groups: tuple[int, int, int]) -> None:
    """What a dense layer on images sees is one window, whose gradient is one product."""
    random = np.random.default_rng(rank)
    group, channels, filters = groups
    ones, kernel = (1,) * rank, SPATIAL[rank]
    given = {"strides": ones, "dilations": ones, "pads": (0,) * 2 * rank}
    dy, b = _given(random, 5, filters, *ones), _given(random, channels)
    w = _given(random, filters, channels // group, *kernel)
    left, right = dy.reshape(5, group, -1), w.reshape(group, filters // group, -1)
    expected = np.einsum("ngf,gfk->ngk", left, right)
    out = batch_innermost((5, channels, *kernel), dy.dtype)
    conv_transpose(_innermost(dy), w, b, group=group, output_padding=None, out=out, **given)
    _near(out, expected.reshape(out.shape) + b.reshape(-1, *ones))


@pytest.mark.parametrize("rank", SPATIAL)
@pytest.mark.parametrize(
    ("groups", "long_row"),
    [*((groups, 10**6) for groups in GROUPS), *((groups, 1) for groups in DEPTHWISE)],
    ids=str,
)
def test_forms(
    rank: int, groups: tuple[int, int, int], long_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over kernels, strides, dilations and paddings: values, and both gradients."""
    monkeypatch.setattr("netc.runtime.kernels.batch_innermost.LONG_ROW", long_row)
    random = np.random.default_rng(rank)
    group, channels, filters = groups
    tried = 0
    for k, stride, dilation, (before, after) in product(KERNELS[rank], (1, 2, 3), (1, 2), PADS):
        if (k - 1) * dilation >= min(SPATIAL[rank]) + before + after:
            continue
        kernel = (k,) * rank
        given = {
            "strides": (stride,) * rank,
            "dilations": (dilation,) * rank,
            "pads": (before,) * rank + (after,) * rank,
        }
        window = window_of({**given, "kernel_shape": kernel})
        x = _given(random, 3, channels, *SPATIAL[rank])
        w, b = _given(random, filters, channels // group, *kernel), _given(random, filters)
        y = conv(x, w, b, group=group, **given)
        axes = axes_of(window, y.shape[2:])
        for source in (x, _innermost(x)):
            out = batch_innermost(y.shape, y.dtype)
            convolve(source, w, b, out, axes)
            _near(out, y)
        dy = _innermost(_given(random, *y.shape))
        expected = conv_weight_grad(
            x, np.ascontiguousarray(dy), group=group, kernel_shape=kernel, **given
        )
        dw = np.full_like(w, np.nan)
        weight_gradient(x, dy, dw, axes, group)
        _near(dw, expected)
        back = conv_transpose(
            np.ascontiguousarray(dy), w, group=group, output_padding=(0,) * rank, **given
        )
        dx = batch_innermost(back.shape, back.dtype)
        convolve_transposed(dy, w, None, dx, axes, group)
        _near(dx, back)
        tried += 1
    assert tried >= 18


@pytest.mark.parametrize("stride", [1, 2])
def test_a_bias_and_padded_outputs(stride: int) -> None:
    """What no tap of a transposed convolution reaches is the bias."""
    random = np.random.default_rng(0)
    x, w, b = _given(random, 3, 2, 4, 5), _given(random, 2, 4, 1, 1), _given(random, 4)
    given: dict[str, Any] = {"strides": (stride,) * 2, "dilations": (1, 1), "pads": (0,) * 4}
    y = conv_transpose(x, w, b, group=1, output_padding=(stride - 1,) * 2, **given)
    axes = axes_of(window_of({**given, "kernel_shape": (1, 1)}), x.shape[2:])
    out = batch_innermost(y.shape, y.dtype)
    convolve_transposed(_innermost(x), w, b, out, axes, 1)
    _near(out, y)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("innermost", [False, True])
@pytest.mark.parametrize("long_row", [1, 10**6])
@pytest.mark.parametrize("groups", GROUPS, ids=str)
@pytest.mark.parametrize("rank", SPATIAL)
def test_parts_that_are_done(
    rank: int,
    groups: tuple[int, int, int],
    innermost: bool,
    threads: str,
    long_row: int,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Each number is finished once, when it is there, on any threads and in any blocks."""
    monkeypatch.setenv("NETC_NUM_THREADS", threads)
    monkeypatch.setattr(workers, "WORTHWHILE", 1)
    monkeypatch.setattr(columns, "LONG_ROW", 12)
    monkeypatch.setattr("netc.runtime.kernels.batch_innermost.LONG_ROW", long_row)
    monkeypatch.setattr(slabs, "BLOCK_BYTES", 2**9)
    slabs.slabs_of.cache_clear()
    request.addfinalizer(slabs.slabs_of.cache_clear)
    random = np.random.default_rng(0)
    group, channels, filters = groups
    for k, stride in product((1, 3), (1, 2)):
        given: dict[str, Any] = {
            "strides": (stride,) * rank,
            "dilations": (1,) * rank,
            "pads": (k // 2,) * 2 * rank,
        }
        kernel = (k,) * rank
        x = _given(random, 5, channels, *SPATIAL[rank])
        w, b = _given(random, filters, channels // group, *kernel), _given(random, filters)
        back = _given(random, channels, filters // group, *kernel)
        extra = (0,) * rank
        for plain, call in (
            (conv(x, w, b, group=group, **given), partial(conv, x, w, b)),
            (
                conv_transpose(x, back, b, group=group, output_padding=extra, **given),
                partial(conv_transpose, x, back, b, output_padding=extra),
            ),
        ):
            y = batch_innermost(plain.shape, x.dtype) if innermost else np.empty_like(plain)
            call(group=group, out=y, finish=partial(_square, y), **given)
            _near(y, plain**2)


def _square(y: Array, part: tuple[slice, ...]) -> None:
    y[part] *= y[part]

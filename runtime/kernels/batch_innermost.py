"""Convolutions and their gradients on arrays whose innermost axis in memory is the batch.

They are products of matrices that lie in memory as they are needed, but for padding; see `slabs`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from math import prod

import numpy as np

from ..kerneldef import Array, Finish, Part
from .parts import at
from .products import correlate, multiply
from .scratch import scratch
from .slabs import Axis, Series, Slabs, in_order, memory_order, slabs_of
from .workers import of_product, shares, spread, threads_for

LEAST_FILTERS = 16  # from which on a separate product pays; measured
# From this length on a row of depthwise windows is added tap by tap; measured.
LONG_ROW = 512
# A gradient of so few numbers is a sum of some that threads compute, as many on any machine.
SMALL_SUM, SUMS = 2**18, 4


def convolve(
    x: Array,
    w: Array,
    b: Array | None,
    y: Array,
    axes: Sequence[Axis],
    finish: Finish = None,
) -> None:
    """X (N, C, *S), w (M, C / group, *K), b (M) => y (N, M, *O), whose batch is innermost."""
    group = x.shape[1] // w.shape[1]
    filters = len(w) // group
    slabs = slabs_of(x.shape, x.itemsize, tuple(axes), group, filters)
    memory = slabs.lay(x)
    terms = _terms(w.reshape(group, filters, *w.shape[1:]), slabs)
    work = x.nbytes + y.nbytes + of_product(y.size * w[0].size)
    threads = threads_for(work)
    blocks = slabs.blocks(threads)
    shifts = None if b is None else b.reshape(group, filters, 1)
    every = [slice(0, len(w))]
    channels = every if len(blocks) >= threads else channel_shares(group, filters)

    def compute(part: tuple[tuple[int, int, Part], slice]) -> None:
        (row, count, place), some = part
        own = within_groups(some, group, filters)
        total = slabs.rows_of(y, place)[:, *own]
        term = scratch("term", total.shape, y.dtype)
        for number, (kernels, see, multiply_each) in enumerate(terms):
            seen = see(memory, row, count)[:, own[0]]
            multiply_each(kernels[own], seen, term if number else total)
            if number:
                total += term
        if shifts is not None:
            total += shifts[own]
        if finish is not None:
            finish((place[0], some, *place[2:]))

    spread(compute, list(product(blocks, channels)), work)


Term = tuple[Array, Callable[[Array, int, int], Array], Callable[[Array, Array, Array], None]]


def _terms(w: Array, slabs: Slabs) -> Sequence[Term]:
    """What kernels (group, M, C, *K) make of windows, as terms of a sum.

    Each is kernels (group, M, ...), what is seen of memory by a number of rows, as (rows, group,
    ...), and what writes the product of these two to (rows, group, M, columns).
    """
    if _adds_taps(slabs):
        return [
            (_taps_of(w[:, :, 0], series), partial(slabs.seen_in_series, series=series), _sum_taps)
            for series in slabs.series()
        ]
    kernels = _matrices(w, slabs)
    return [
        (kernels[tap], partial(slabs.seen, rows=rows, start=start), multiply)
        for rows, start, tap in slabs.taps
    ]


def _adds_taps(slabs: Slabs) -> bool:
    """Whether windows are depthwise, and their rows long enough to be added tap by tap."""
    return slabs.depthwise and slabs.columns >= LONG_ROW


def _sum_taps(kernels: Array, seen: Array, out: Array) -> None:
    """A series of depthwise taps, each scaled and added while a row is in the cache.

    BLAS would lock at each of many short products, which stops other threads.
    """
    np.einsum("gfij,rgijn->rgfn", kernels, seen, out=out)


def _taps_of(w: Array, series: Series) -> Array:
    """A series of the taps of kernels (group, M, *K), on two axes, in the same memory."""
    inner = slice(None) if w.ndim > 3 else None  # a sequence has one axis
    taps: Array = w[at(..., *series.lead, inner, series.taps)]
    return taps


def channel_shares(group: int, filters: int) -> list[slice]:
    """All filters in parts for threads, which are some of one group or some groups."""
    if group == 1:
        return shares(filters, LEAST_FILTERS)
    return [slice(part.start * filters, part.stop * filters) for part in shares(group)]


def within_groups(some: slice, group: int, filters: int) -> tuple[slice, slice]:
    """Such a part of all filters as groups, and filters of each."""
    groups = slice(some.start // filters, -(-some.stop // filters))
    return groups, slice(None) if group > 1 else some


def convolve_transposed(
    x: Array,
    w: Array,
    b: Array | None,
    y: Array,
    axes: Sequence[Axis],
    group: int,
    finish: Finish = None,
) -> None:
    """X (N, C, *S), w (C, M / group, *K), b (M) => y (N, M, *O), whose batch is innermost.

    Each phase y[i::stride] is a convolution of stride 1 with the taps that reach it, reversed.

    The axes say how the window moves over y; its windows are those of x.
    """
    filters = w.shape[1] * group
    parts = w.reshape(group, -1, *w.shape[1:]).swapaxes(1, 2)
    kernels = parts.reshape(filters, len(w) // group, *w.shape[2:])
    whole = all(axis.stride == 1 for axis in axes)
    one = _is_one_window(x, y, axes)
    if one:
        _scale_kernels(x, w, y, group)
    for phase in () if one else product(*(range(axis.stride) for axis in axes)):
        strided = zip(phase, axes, strict=True)
        part = y[at(..., *(slice(p, None, axis.stride) for p, axis in strided))]
        taken = [
            _reaching(axis, p, extent)
            for axis, p, extent in zip(axes, phase, part.shape[2:], strict=True)
        ]
        windows = [window for _, window, _ in taken if window is not None]
        seen = x[at(..., *(start for _, _, start in taken))]
        if len(windows) < len(axes) or not seen.size:  # no tap reaches the phase
            part[...] = 0
        elif whole:
            taps = kernels[at(..., *(tap for tap, _, _ in taken))]
            return convolve(seen, taps, b, y, windows, finish)
        elif part.size:
            found = in_order(scratch("phase", (part.size,), y.dtype), part.shape)
            convolve(seen, kernels[at(..., *(tap for tap, _, _ in taken))], None, found, windows)
            part[...] = found
    if b is not None:
        y += b.reshape(-1, *(1,) * len(axes))
    if finish is not None:
        finish(())


def _is_one_window(x: Array, y: Array, axes: Sequence[Axis]) -> bool:
    """Whether y is one window without padding, as in the gradient of a dense layer on images."""
    fits = (
        axis.windows == 1 and axis.kernel == extent and axis.dilation == 1 and axis.before == 0
        for axis, extent in zip(axes, y.shape[2:], strict=True)
    )
    return all(fits) and x.size > 0


def _scale_kernels(x: Array, w: Array, y: Array, group: int) -> None:
    """y (N, M, *K) as products of x (N, C, 1, ...) with w (C, M / group, *K)."""
    *outer, last = w.shape[2:]
    rows, channels = prod(outer), len(w) // group
    kernels = w.reshape(group, channels, w.shape[1], rows, last).transpose(3, 0, 2, 4, 1)
    left = kernels.reshape(rows, group, w.shape[1] * last, channels)
    right = x.reshape(len(x), group, channels).transpose(1, 2, 0)
    target = y.transpose(memory_order(y.ndim)).reshape(rows, group, -1, len(x))

    def compute(part: slice) -> None:
        np.matmul(left[part], right, out=target[part])

    spread(compute, shares(rows), of_product(y.size * channels))


def _reaching(axis: Axis, phase: int, windows: int) -> tuple[slice, Axis | None, slice]:
    """The taps that reach a phase of y, reversed, the window that they are, and what it sees.

    Tap k puts x[i] to y[i stride + k dilation - before].
    """
    taps = [
        k for k in range(axis.kernel) if not (k * axis.dilation - axis.before - phase) % axis.stride
    ]
    if not taps:
        return slice(0), None, slice(None)
    step = taps[1] - taps[0] if len(taps) > 1 else 1
    first = (phase + axis.before - taps[-1] * axis.dilation) // axis.stride
    reverse = slice(taps[-1], taps[0] - 1 if taps[0] else None, -step)
    window = Axis(len(taps), 1, step * axis.dilation // axis.stride, max(-first, 0), windows)
    return reverse, window, slice(max(first, 0), None)


def _matrices(w: Array, slabs: Slabs) -> Array:
    """Kernels (group, M, C, *K) as matrices (*taps, group, M, height) for each product's tap.

    A product's height counts the taps that lie below each other, channels, and those beside.
    """
    if slabs.rank == 1:
        w = w[:, :, :, None]
    lead = range(3, w.ndim - 2)
    inner, last = w.ndim - 2, w.ndim - 1
    below = (inner,) if slabs.below else ()
    beside = (last,) if slabs.beside else ()
    outside = [axis for axis in (*lead, inner, last) if axis not in (*below, *beside)]
    parts = w.transpose(*outside, 0, 1, *below, 2, *beside)
    taps = [1 if axis in (*below, *beside) else w.shape[axis] for axis in (*lead, inner, last)]
    return np.ascontiguousarray(parts).reshape(*taps, *w.shape[:2], slabs.height)


def weight_gradient(x: Array, dy: Array, dw: Array, axes: Sequence[Axis], group: int) -> None:
    """X (N, C, *S) and dy (N, M, *O), whose batch is innermost => dw (M, C / group, *K)."""
    filters = dy.shape[1] // group
    slabs = slabs_of(x.shape, x.itemsize, tuple(axes), group, filters)
    memory = slabs.lay(x)
    if _adds_taps(slabs):
        return _correlate_taps(memory, dy, dw.reshape(group, filters, *dw.shape[2:]), slabs)
    taps, blocks = slabs.taps, slabs.blocks()
    size = len(taps) * group * filters * slabs.height
    sums = SUMS if len(blocks) >= SUMS and size <= SMALL_SUM else 1
    blocks = slabs.blocks(sums)
    shorter, longer = sorted((filters, slabs.height))
    totals = scratch("totals", (sums, len(taps), group, longer, shorter), x.dtype)
    wide, every = slabs.height > filters, slice(None)
    work = of_product(dy.size * slabs.height * len(taps))

    def compute(part: tuple[int, slice, slice]) -> None:
        own, groups, kept = part
        for first, (row, count, place) in enumerate(blocks[own::sums]):
            given = slabs.rows_of(dy, place)[:, groups, every if wide else kept]
            for number, (rows, start, _) in enumerate(taps):
                seen = slabs.seen(memory, row, count, rows, start)
                seen = seen[:, groups, kept if wide else every]
                sides = (seen, given) if wide else (given, seen)
                correlate(*sides, totals[own, number, groups, kept], fresh=not first)

    whole = sums > 1 or threads_for(work) == 1
    apart = ([every], [every]) if whole else (shares(group), shares(longer, LEAST_FILTERS))
    spread(compute, list(product(range(sums), *apart)), work)
    totals = totals.swapaxes(-1, -2) if wide else totals
    return _kernels(totals[0] if sums == 1 else np.add.reduce(totals), slabs, dw)


def _correlate_taps(memory: Array, dy: Array, dw: Array, slabs: Slabs) -> None:
    """The gradient (group, M, *K) of depthwise weights, as `_sum_taps` computes with these."""
    blocks = slabs.blocks()
    sums = SUMS if len(blocks) >= SUMS else 1
    blocks = slabs.blocks(sums)
    totals = scratch("totals", (sums, *dw.shape), dw.dtype)

    def compute(own: int) -> None:
        total, term = totals[own], scratch("taps", dw.shape, dw.dtype)
        for first, (row, count, place) in enumerate(blocks[own::sums]):
            given = slabs.rows_of(dy, place)
            found = term if first else total
            for series in slabs.series():
                seen = slabs.seen_in_series(memory, row, count, series)
                np.einsum("rgfn,rgijn->gfij", given, seen, out=_taps_of(found, series))
            if first:
                total += term

    spread(compute, range(sums), of_product(dy.size * dw[0, 0].size))
    np.add.reduce(totals, out=dw)


def _kernels(total: Array, slabs: Slabs, dw: Array) -> None:
    """Write products per tap (taps, group, M, height) as kernels (group * M, C, *K)."""
    *lead, inner, last = (axis.kernel for axis in slabs.axes)
    _, group, filters, _ = total.shape
    below, beside = slabs.below, slabs.beside
    apart = total.reshape(
        *lead,
        *(1 if below else inner, 1 if beside else last),
        *(group, filters),
        *(inner if below else 1, slabs.channels, last if beside else 1),
    )
    n = len(lead)
    # One of each pair of axes has all taps: lead, inner, last, g, m, inner, c, last.
    order = (n + 2, n + 3, n + 5, *range(n), n, n + 4, n + 1, n + 6)
    found = apart.transpose(order)
    written = dw.reshape(found.shape)

    def write(part: slice) -> None:
        written[:, part] = found[:, part]

    spread(write, shares(filters), dw.nbytes)

"""`netc.ConvWeightGrad` of images whose channels lie in blocks, for onnxruntime.

A block of channels lies as `by_convolution` wants all of them: what is (N, C / b, H, W, b) in
memory is an image (N, H, W b) for each block. So the images are moved as wholes, or not at all,
where the transposition of single channels takes up to 0.7 of the time of the convolution.
"""

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.windows import Window
from .channel_blocks import BLOCKED_CONV, FROM_BLOCKS, shaped
from .weight_gradient_forms import Correlation, pads_of

SWAPPED = (1, 0, 2, 3)


def from_data(grad: Correlation, blocks: Value, block: int) -> Value:
    """Convolve x, which lies in blocks, with dy: a product with as many rows as dy has channels."""
    build, x, dy = grad.build, grad.x, grad.dy
    pads = pads_of(grad)
    found = _convolved(build, blocks, dy, block, grad.window, grad.window.strides, pads)
    if found.shape[0] != 1:
        found = build.Transpose(found, perm=(1, 0, 2, 3, 4))
    shape = (grad.filters, grad.channels, *grad.window.kernel)
    (w,) = build.op(FROM_BLOCKS, (shaped(build, found, shape),), {"channels": x.shape[1]})
    return w


def from_gradient(grad: Correlation, blocks: Value, block: int) -> Value:
    """Convolve dy, which lies in blocks, with x: as many rows as x has channels.

    The taps come in the opposite order. For strides of 1, and pads below the kernel's reach.
    """
    build, window = grad.build, grad.window
    pads = tuple(r - 1 - p for r, p in zip(window.reach * 2, window.pads, strict=True))
    found = _convolved(build, blocks, grad.x, block, window, (1, 1), pads)
    taps = window.kernel[0] * window.kernel[1]
    lines = shaped(build, found, (1, grad.filters, grad.channels, taps))
    (w,) = build.op(FROM_BLOCKS, (lines,), {"channels": grad.filters})
    turned = build.Gather(w, build.index_constant(tuple(reversed(range(taps)))), axis=3)
    return shaped(build, turned, (grad.filters, grad.channels, *window.kernel))


def of_each_channel(grad: Correlation, blocks: Value, gradients: Value, block: int) -> Value:
    """Convolve each channel of each sample of x with its dy, as `by_channels` does; sum samples.

    Blocks of x are what a depthwise convolution takes as an image, blocks of dy what it takes as
    its weight: one with as many channels as all samples have together. Nothing is moved.
    """
    build, window = grad.build, grad.window
    samples, height, width = (e for e in (grad.x.shape[0], *grad.x.shape[2:]) if isinstance(e, int))
    extents = tuple(e for e in grad.dy.shape[2:] if isinstance(e, int))
    channels = samples * grad.filters
    attributes = {
        "kernel_shape": extents,
        "strides": window.dilations,
        "dilations": window.strides,
        "pads": pads_of(grad),
        "group": channels,
    }
    image = shaped(build, blocks, (1, channels, height, width))
    kernels = shaped(build, gradients, (channels, 1, *extents))
    (found,) = build.op(BLOCKED_CONV, (image, kernels), attributes)
    rows, columns = (e for e in found.shape[2:] if isinstance(e, int))
    lines = shaped(build, found, (samples, grad.filters // block, rows, columns, block))
    total = build.ReduceSum(lines, build.index_constant((0,)), keepdims=0)
    if (rows, columns) != window.kernel:
        cut = ((0, 0), window.kernel, (1, 2))
        total = build.Slice(total, *map(build.index_constant, cut))
    whole = shaped(build, total, (1, grad.filters, *window.kernel))
    (w,) = build.op(FROM_BLOCKS, (whole,), {"channels": grad.filters})
    return shaped(build, w, (grad.filters, 1, *window.kernel))


def _convolved(
    build: Builder,
    blocks: Value,
    kernels: Value,
    block: int,
    window: Window,
    dilations: tuple[int, ...],
    pads: tuple[int, ...],
) -> Value:
    """Images of blocks, samples as channels, convolved with others: (C / b, M, *K, b)."""
    channels, height, width = (e for e in blocks.shape[1:] if isinstance(e, int))
    count = channels // block
    data = blocks
    if count > 1:
        split = shaped(build, blocks, (0, count, height, width * block))
        data = build.Transpose(split, perm=SWAPPED)
    else:
        data = shaped(build, blocks, (1, -1, height, width * block))
    found = build.Conv(
        data,
        build.Transpose(kernels, perm=SWAPPED),
        kernel_shape=tuple(e for e in kernels.shape[2:] if isinstance(e, int)),
        strides=(window.dilations[0], 1),
        dilations=(dilations[0], dilations[1] * block),
        pads=tuple(p * s for p, s in zip(pads, (1, block) * 2, strict=True)),
    )
    rows, columns = (e for e in found.shape[2:] if isinstance(e, int))
    parts = shaped(build, found, (count, 0, rows, columns // block, block))
    if (rows, columns // block) == window.kernel:
        return parts
    ends = (window.kernel[0], window.reach[1])
    cut = ((0, 0), ends, (2, 3), (1, window.dilations[1]))
    return build.Slice(parts, *map(build.index_constant, cut))

"""Images (n, C, H, W) -> turned images, and windows of images; 0 is outside."""

import numpy as np

from ..kerneldef import Array


def cut(images: Array, start: Array, size: tuple[int, int]) -> Array:
    """The window of each image that starts at (x, y), `start` (n, 2), which may be negative."""
    height, width = size
    result = np.zeros((*images.shape[:2], height, width), images.dtype)
    for image, window, (x, y) in zip(images, result, start.tolist(), strict=True):
        top, left = max(y, 0), max(x, 0)
        part = image[:, top : max(y + height, 0), left : max(x + width, 0)]
        rows, columns = part.shape[1:]
        window[:, top - y : top - y + rows, left - x : left - x + columns] = part
    return result


def rotated(images: Array, cos: Array, sin: Array, *, nearest: bool) -> Array:
    """Each image turned around its centre: (x, y) goes to (cos x - sin y, sin x + cos y).

    Interpolated linearly, or with `nearest` from the nearest pixel.
    """
    count, channels, height, width = images.shape
    # A border of 0, one pixel before and two behind: what lies outside is sampled there.
    stride = width + 3
    framed = np.zeros((count, channels, height + 3, stride), images.dtype)
    framed[:, :, 1:-2, 1:-2] = images
    flat = framed.reshape(count, channels, -1)
    x, y = _origins(cos, sin, height, width)
    if nearest:
        x, y = np.rint(x), np.rint(y)
    x, y = np.clip(x, -1, width), np.clip(y, -1, height)
    left, top = np.floor(x), np.floor(y)
    place = (top.astype(np.intp) + 1) * stride + left.astype(np.intp) + 1
    result = np.empty((count, channels, height * width), images.dtype)
    for pixels, into, origin, across, down in zip(
        flat, result, place, x - left, y - top, strict=True
    ):
        if nearest:
            into[...] = pixels.take(origin, axis=1)
        else:
            into[...] = _interpolated(pixels, origin, stride, across, down)
    return result.reshape(images.shape)


def _interpolated(pixels: Array, origin: Array, stride: int, across: Array, down: Array) -> Array:
    """Between four pixels: the one at `origin`, its right neighbour, and those below both."""
    upper = pixels.take(origin, axis=1) * (1 - across) + pixels.take(origin + 1, axis=1) * across
    origin = origin + stride
    lower = pixels.take(origin, axis=1) * (1 - across) + pixels.take(origin + 1, axis=1) * across
    between: Array = upper * (1 - down) + lower * down
    return between


def _origins(cos: Array, sin: Array, height: int, width: int) -> tuple[Array, Array]:
    """Where each pixel of the turned images comes from: x and y, (n, H W), float32."""
    across = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
    down = np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2)
    c, s = (each.astype(np.float32)[:, None, None] for each in (cos, sin))
    x = c * across + s * down[:, None] + np.float32((width - 1) / 2)
    y = c * down[:, None] - s * across + np.float32((height - 1) / 2)
    return x.reshape(len(c), -1), y.reshape(len(c), -1)

"""Transforms of signals, and the determinant."""

import numpy as np

from ..kerneldef import Array, kernel


@kernel("DFT")
def dft(
    x: Array,
    length: Array | None = None,
    axis: Array | None = None,
    *,
    inverse: int,
    onesided: int,
) -> Array:
    """The discrete Fourier transform along an axis, of numbers in one or two parts."""
    place = -2 if axis is None else int(axis.reshape(()))
    place = place % x.ndim
    count = None if length is None else int(length.reshape(()))
    numbers = x[..., 0] if x.shape[-1] == 1 else x[..., 0] + 1j * x[..., 1]
    if inverse and onesided:
        return np.asarray(np.fft.irfft(numbers, count, place)[..., None], x.dtype)
    if onesided:
        return _parts(np.fft.fft(numbers, count, place), x, place)
    transform = np.fft.ifft if inverse else np.fft.fft
    return _parts(transform(numbers, count, place), x)


def _parts(y: Array, like: Array, halved: int | None = None) -> Array:
    """Real and imaginary parts; of an axis that is halved the first frequencies."""
    if halved is not None:
        y = y.take(range(y.shape[halved] // 2 + 1), halved)
    return np.stack((y.real, y.imag), -1).astype(like.dtype)


@kernel("STFT")
def stft(
    x: Array,
    step: Array,
    window: Array | None = None,
    length: Array | None = None,
    *,
    onesided: int,
) -> Array:
    """Transforms of windows that slide along a signal (N, S, 1 or 2)."""
    count = len(window) if window is not None else x.shape[1] if length is None else int(length)
    frames = np.lib.stride_tricks.sliding_window_view(x, count, 1)[:, :: int(step)]
    frames = np.moveaxis(frames, -1, 2)
    if window is not None:
        frames = frames * window[:, None]
    numbers = frames[..., 0] if x.shape[-1] == 1 else frames[..., 0] + 1j * frames[..., 1]
    return _parts(np.fft.fft(numbers, axis=2), x, 2 if onesided else None)


@kernel("Det")
def determinant(x: Array) -> Array:
    """The determinants of matrices (*A, M, M)."""
    return np.asarray(np.linalg.det(x), x.dtype)

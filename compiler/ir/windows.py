"""Geometry of sliding windows, shared by convolutions, pools, and receptive fields."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ...grammar.records import record
from .dim import Dim
from .signature import InferenceError


@record
class Window:
    """A window that slides over spatial axes; one entry per axis in each tuple."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dilations: tuple[int, ...]
    ceil: bool = False

    @property
    def rank(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    @property
    def reach(self) -> tuple[int, ...]:
        """Extent from the first to the last tap: d (K - 1) + 1."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    @property
    def pads(self) -> tuple[int, ...]:
        """ONNX's `pads`: all befores, then all afters."""
        return self.before + self.after

    @property
    def attributes(self) -> dict[str, Any]:
        """What a `Conv` or a pool that slides so has for attributes; see `window_of`."""
        return {
            "kernel_shape": self.kernel,
            "strides": self.strides,
            "pads": self.pads,
            "dilations": self.dilations,
        }

    def padded(self, extents: Sequence[Dim]) -> tuple[Dim, ...]:
        """Extents with the padding added."""
        return tuple(e + b + a for e, b, a in zip(extents, self.before, self.after, strict=True))

    def output(self, extents: Sequence[Dim]) -> tuple[Dim, ...]:
        """Output extents: floor((N + 2P - K) / S) + 1.

        With `ceil` the division rounds up, but a window that would start in the padding after
        the data is dropped, as PyTorch does: ceil((N + 2P - max(K, P + S)) / S) + 1.
        """
        return _output(self, tuple(extents))

    def scattered(self, extents: Sequence[Dim]) -> tuple[Dim, ...]:
        """Output extents of a transposed convolution: (N - 1) S - 2P + reach."""
        return tuple(
            (e - 1) * s - b - a + r
            for e, s, b, a, r in zip(
                extents, self.strides, self.before, self.after, self.reach, strict=True
            )
        )

    def unseen(self, extents: Sequence[int]) -> tuple[int, ...]:
        """How many last rows, columns, ... of the padded input's data no window sees."""
        last = [
            (o - 1) * s + r
            for o, s, r in zip(self.output(extents), self.strides, self.reach, strict=True)
            if isinstance(o, int)
        ]
        return tuple(
            max(e + b - end, 0) for e, b, end in zip(extents, self.before, last, strict=True)
        )


@lru_cache(maxsize=1_000)  # networks repeat few windows on few extents
def _output(window: Window, extents: tuple[Dim, ...]) -> tuple[Dim, ...]:
    padded, reach = window.padded(extents), window.reach
    geometry = zip(padded, reach, window.strides, window.after, strict=True)
    if not window.ceil:
        return tuple((p - r) // s + 1 for p, r, s, _ in geometry)
    return tuple(-((max(r, a + s) - p) // s) + 1 for p, r, s, a in geometry)


def window_of(attributes: Mapping[str, Any]) -> Window:
    """The window of a `Conv`, `MaxPool` or `AveragePool` from its ONNX attributes.

    Raises:
        InferenceError: An extent, a stride or a dilation is below 1.
    """
    kernel = tuple(attributes["kernel_shape"])
    rank = len(kernel)
    return _window(
        kernel,
        tuple(attributes["strides"] or (1,) * rank),
        tuple(attributes["pads"] or (0,) * (2 * rank)),
        tuple(attributes["dilations"] or (1,) * rank),
        ceil=bool(attributes.get("ceil_mode", 0)),
    )


@lru_cache(maxsize=1_000)  # kernels ask again at each call
def _window(
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pads: tuple[int, ...],
    dilations: tuple[int, ...],
    *,
    ceil: bool,
) -> Window:
    rank = len(kernel)
    window = Window(kernel, strides, pads[:rank], pads[rank:], dilations, ceil)
    if any(number < 1 for number in (*window.kernel, *window.strides, *window.dilations)):
        raise InferenceError("a window has extents, strides and dilations of 1 or more")
    return window

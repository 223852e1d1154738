"""Geometry of sliding windows, shared by convolutions, pools, and receptive fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .dim import Dim


@dataclass(frozen=True, slots=True)
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

    def padded(self, extents: Sequence[Dim]) -> tuple[Dim, ...]:
        """Extents with the padding added."""
        return tuple(e + b + a for e, b, a in zip(extents, self.before, self.after, strict=True))

    def output(self, extents: Sequence[Dim]) -> tuple[Dim, ...]:
        """Output extents: floor((N + 2P - K) / S) + 1.

        With `ceil` the division rounds up, but a window that would start in the padding behind
        the data is dropped, as PyTorch does.
        """
        slack = [p - r for p, r in zip(self.padded(extents), self.reach, strict=True)]
        if not self.ceil:
            return tuple(s // stride + 1 for s, stride in zip(slack, self.strides, strict=True))
        counts: list[Dim] = []
        for s, stride, extent, before in zip(
            slack, self.strides, extents, self.before, strict=True
        ):
            count = -((-s) // stride) + 1
            if isinstance(count, int) and isinstance(extent, int):
                count -= (count - 1) * stride >= extent + before
            counts.append(count)
        return tuple(counts)

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


def window_of(attributes: Mapping[str, Any]) -> Window:
    """The window of a `Conv`, `MaxPool` or `AveragePool` from its ONNX attributes."""
    kernel = attributes["kernel_shape"]
    rank = len(kernel)
    pads = attributes["pads"] or (0,) * (2 * rank)
    return Window(
        kernel=tuple(kernel),
        strides=tuple(attributes["strides"] or (1,) * rank),
        before=tuple(pads[:rank]),
        after=tuple(pads[rank:]),
        dilations=tuple(attributes["dilations"] or (1,) * rank),
        ceil=bool(attributes.get("ceil_mode", 0)),
    )

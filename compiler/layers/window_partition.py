"""Layers that cut images into windows as sequences, and put them back.

Liu et al. 2021, "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", with
the padding and the masks of torchvision's `swin_transformer`.
"""

from collections import deque
from itertools import product
from math import prod

from ...grammar.records import record
from ..expressions.arguments import NaturalPerAxis, PerAxis
from ..ir.graph import Graph, Value
from ..ops.cuts import END
from .layer_builder import LayerBuilder
from .layerdef import layer
from .padding import padded
from .slicing import cut, rolled
from .spatial import SpatialInput, as_before, channels_first, describe, per_axis

WINDOW, UNWINDOW = "WINDOW", "UNWINDOW"


@record
class Partition:
    """How an image (N, C, *extents) lies in windows; one entry per spatial axis in each tuple.

    Attributes:
        extents: The image's extents.
        size: The windows' extents.
        shift: By how much the image is to be rolled towards its start before it is cut.
        was_sequence: Whether the image is a sequence (N, L, C).
    """

    extents: tuple[int, ...]
    size: tuple[int, ...]
    shift: tuple[int, ...]
    was_sequence: bool

    @property
    def positions(self) -> int:
        """How many positions a window has."""
        return prod(self.size)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows there are; the image is padded at the end to fill them."""
        return tuple(-(-e // s) for e, s in zip(self.extents, self.size, strict=True))

    @property
    def rolls(self) -> tuple[int, ...]:
        """The shift, and 0 where one window holds the whole extent."""
        return tuple(s if c > 1 else 0 for s, c in zip(self.shift, self.counts, strict=True))

    @property
    def padding(self) -> dict[int, tuple[int, int]]:
        """What fills the last windows, by axis of (N, C, *S)."""
        axes = zip(self.extents, self.size, self.counts, strict=True)
        return {axis: (0, c * s - e) for axis, (e, s, c) in enumerate(axes, 2)}

    def regions(self) -> tuple[tuple[int, ...], ...]:
        """For each window, the region of the image that each of its positions comes from.

        The last rows and columns of a rolled image come from its start, and are not neighbours of
        the others in their windows: positions may attend to those of the same region.
        """
        axes = [
            [[3**axis * _region(s * w + i, s * c, s, roll) for i in range(s)] for w in range(c)]
            for axis, (s, c, roll) in enumerate(
                zip(self.size, self.counts, self.rolls, strict=True)
            )
        ]
        return tuple(tuple(map(sum, product(*rows))) for rows in product(*axes))


def _region(index: int, extent: int, size: int, roll: int) -> int:
    """0 before the last window; within it 1, and 2 for what was rolled there from the start."""
    return int(index >= extent - size) + int(index >= extent - roll) if roll else 0


@layer(WINDOW, size="size", counts="size")
def window(build: LayerBuilder, x: Value, *, size: PerAxis, shift: NaturalPerAxis = 0) -> Value:
    """Cuts an image (N, C, H, W) into windows as sequences (N windows, positions, C).

    The image is padded with zeros at the end to fill the last windows, then rolled by `shift`
    towards its start, so that what leaves there fills the last windows. An extent that one
    window holds is not rolled.
    """
    source = channels_first(build, x)
    channels, *extents = build.concrete(source.value, range(1, source.value.type.rank))
    partition = _partition(build, tuple(extents), size, shift, source.was_sequence)
    y = padded(build, source.value, partition.padding)
    y = rolled(build, y, {axis: -roll for axis, roll in enumerate(partition.rolls, 2)})
    pairs = [n for pair in zip(partition.counts, partition.size, strict=True) for n in pair]
    y = build.Reshape(y, build.index_constant((0, channels, *pairs)))
    last = 2 + len(pairs)
    y = build.Transpose(y, perm=(0, *range(2, last, 2), *range(3, last, 2), 1))
    return build.Reshape(y, build.index_constant((-1, partition.positions, channels)))


@layer(UNWINDOW, size="size", counts="size")
def unwindow(
    build: LayerBuilder,
    x: Value,
    *,
    size: PerAxis | None = None,
    shift: NaturalPerAxis | None = None,
) -> Value:
    """Puts the windows of the nearest `WINDOW` before it back into an image.

    It undoes the shift and the padding, too. The number of channels may have changed, that of
    positions may not. `size` and `shift` are that layer's, and may be repeated for the reader.
    """
    partition = windows_before(build, x)
    if partition is None or x.type.rank != 3 or x.shape[1] != partition.positions:
        message = f"needs windows from a {WINDOW} before it, but its input is {describe(x)}"
        help = f"remove it, or put a `{WINDOW}` before it"
        raise build.fail("E201", message, help=help)
    for name, given, found in (("size", size, partition.size), ("shift", shift, partition.shift)):
        if given is not None and per_axis(build, given, name, len(found)) != found:
            stated = "x".join(map(str, found))
            message = f"must undo the {name} of its {WINDOW}, {stated}"
            raise build.fail("E103", message, at=name)
    y = _joined(build, x, partition)
    y = rolled(build, y, dict(enumerate(partition.rolls, 2)))
    added = {axis: after for axis, (_, after) in partition.padding.items()}
    y = cut(build, y, {axis: (0, -after if after else END) for axis, after in added.items()})
    return as_before(build, y, SpatialInput(y, partition.was_sequence))


def _joined(build: LayerBuilder, x: Value, partition: Partition) -> Value:
    """Windows (N windows, positions, C) side by side as an image (N, C, *S)."""
    (channels,) = build.concrete(x, (2,))
    counts, size = partition.counts, partition.size
    x = build.Reshape(x, build.index_constant((-1, *counts, *size, channels)))
    rank = len(size)
    pairs = [axis for i in range(1, 1 + rank) for axis in (i, i + rank)]
    x = build.Transpose(x, perm=(0, 1 + 2 * rank, *pairs))
    whole = [c * s for c, s in zip(counts, size, strict=True)]
    return build.Reshape(x, build.index_constant((0, channels, *whole)))


def windows_before(build: LayerBuilder, x: Value) -> Partition | None:
    """How the nearest `WINDOW` that `x` comes from cuts its input, if there is one."""
    path = nearest_window(build.graph, x)
    if path is None:
        return None
    source, given = cut_by(build.graph, path), build.graph.layers[path].arguments
    axes = range(1, 2) if source.type.rank == 3 else range(2, source.type.rank)
    extents = build.concrete(source, axes)
    return _partition(build, extents, given["size"], given["shift"], source.type.rank == 3)


def nearest_window(graph: Graph, x: Value) -> str | None:
    """The path of the nearest `WINDOW` that `x` comes from, no `UNWINDOW` in between."""
    pending, seen = deque([x]), {x.node}
    while pending:
        value = pending.popleft()
        node = graph.producer(value)
        found = graph.layers.get(node.scope)
        if found is not None and value in found.outputs and found.kind in (WINDOW, UNWINDOW):
            if found.kind == WINDOW:
                return node.scope
            continue
        # Windows stay windows as long as they multiply the batch.
        for before in node.inputs:
            if before is not None and before.node not in seen and before.shape[:1] == x.shape[:1]:
                seen.add(before.node)
                pending.append(before)
    return None


def cut_by(graph: Graph, path: str) -> Value:
    """What a `WINDOW` that is in the graph already cuts."""
    (source,) = graph.layers[path].outputs
    while (node := graph.producer(source)).scope == path:
        source = node.input(0)
    return source


def _partition(
    build: LayerBuilder,
    extents: tuple[int, ...],
    size: int | tuple[int, ...],
    shift: int | tuple[int, ...],
    was_sequence: bool,
) -> Partition:
    sizes = per_axis(build, size, "size", len(extents))
    shifts = per_axis(build, shift, "shift", len(extents))
    for extent, by in zip(sizes, shifts, strict=True):
        if by >= extent:
            message = f"cannot shift windows of {extent} by {by}"
            raise build.fail("E103", message, at="shift", help=f"shift by at most {extent - 1}")
    return Partition(extents, sizes, shifts, was_sequence)

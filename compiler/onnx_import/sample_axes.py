"""Where samples lie in tensors: the axis that counts them, and shapes that say so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from ..ir.builder import Builder
from ..ir.dim import BATCH, Dim, substitute
from ..ir.graph import Node, Value
from ..ir.types import Shape
from ..ops.opdef import Operands
from .recognition.trail import SHAPING
from .reshaping import stated_extents, target_between

OTHERS = 7_919  # what other open extents than that of the samples count as


# Arguments that state the extents of a result, the batch among them.
SIZES = {"AffineGrid": 1, "MaxUnpool": 2, "Resize": 3}


def place_of(shape: Shape) -> int | None:
    """The axis whose extent counts samples."""
    return next((place for place, extent in enumerate(shape) if depends_on_batch(extent)), None)


def depends_on_batch(extent: Dim) -> bool:
    """Whether an extent depends on the number of samples."""
    return substitute(extent, {"N": 1}) != extent


def is_multiple(extent: Dim) -> bool:
    """Whether an extent is the number of samples, or a multiple of it."""
    return extent == BATCH * substitute(extent, {"N": 1})


@dataclass(eq=False, slots=True)
class SampleAxes:
    """Where the samples lie in each tensor, row by row.

    Attributes:
        batch: How many samples the model takes.
        outer: By what extents before the samples an extent that counts them is multiplied.
    """

    batch: int
    outer: dict[Value, int] = field(default_factory=dict)

    def restated(
        self, build: Builder, node: Node, operands: Operands
    ) -> tuple[Value | None, ...] | None:
        """The arguments after the first that state a shape, for any number of samples."""
        x, after = operands[0] if operands else None, node.outputs[0].shape
        place = None if x is None else place_of(x.shape)
        if x is None or place is None or len(operands) < 2:
            return None
        if node.op_type == "Reshape":
            wanted = self._reshaped(x, after)
            target = None if wanted is None else target_between(x.shape, wanted)
            return None if target is None else (build.index_constant(target),)
        if node.op_type == "Expand":
            place += len(after) - x.type.rank
            kept = tuple(1 if i == place else e for i, e in enumerate(after))
            extents = tuple(extent for extent in kept if isinstance(extent, int))
            return (build.index_constant(extents),) if len(extents) == len(kept) else None
        last = SIZES.get(node.op_type, len(operands))
        sizes = operands[last] if last < len(operands) else None
        known = None if sizes is None else build.known(sizes)
        if not isinstance(known, tuple) or known[:1] != (self.batch,) or place:
            return None
        stated = stated_extents(build, (x.shape[0], *known[1:]))
        return *operands[1:last], stated, *operands[last + 1 :]

    def _reshaped(self, x: Value, after: Shape) -> Shape | None:
        """A shape in which the samples are counted where they lie, row by row."""
        offset = self._offset(x)
        many = [substitute(extent, {"N": self.batch}, others=OTHERS) for extent in after]
        extents = [extent for extent in many if isinstance(extent, int)]
        before = 1
        for place, extent in enumerate(extents):
            if offset % before == 0 and extent * before % (offset * self.batch) == 0:
                whole = after[place]
                if not isinstance(whole, int):
                    return None
                opened = BATCH * (whole // self.batch)
                return (*after[:place], opened, *after[place + 1 :])
            before *= extent
        return None

    def _offset(self, x: Value) -> int:
        """How many elements there are of what comes before the samples."""
        place = place_of(x.shape)
        assert place is not None
        extents = [substitute(extent, {}, others=OTHERS) for extent in x.shape[:place]]
        return prod(e for e in extents if isinstance(e, int)) * self.outer.get(x, 1)

    def follow(self, build: Builder, node: Node, results: Sequence[Value]) -> None:
        """Note what comes before samples within the extents that count them."""
        x = build.graph[results[0].node].inputs[0] if results else None
        for value in results:
            place = place_of(value.shape)
            if place is None or x is None or (before := place_of(x.shape)) is None:
                continue
            if node.op_type in SHAPING:
                sizes = [substitute(e, {}, others=OTHERS) for e in value.shape[:place]]
                outer = self._offset(x) // prod(e for e in sizes if isinstance(e, int))
            else:
                outer = self.outer.get(x, 1) if value.shape[place] == x.shape[before] else 1
            if outer > 1:
                self.outer[value] = outer


def equal_parts(
    build: Builder, node: Node, operands: Operands, batch: int
) -> tuple[Value, ...] | None:
    """Equal parts of an axis that several batches lie on, one behind the other."""
    x = operands[0]
    place = None if x is None else place_of(x.shape)
    if x is None or place is None or node.op_type not in ("Slice", "Split"):
        return None
    count = substitute(x.shape[place], {"N": 1})
    if not isinstance(count, int) or count < 2 or x.shape[place] != BATCH * count:
        return None
    known = [None if each is None else build.known(each) for each in operands[1:]]
    taken = slice(0, count)
    if node.op_type == "Slice":
        first, last = (each[0] if each else 0 for each in known[:2])
        if known[2:3] != [(place,)] or known[3:] not in ([], [None], [(1,)]):
            return None
        last = min(last, count * batch)
        if first % batch or last != first + batch:
            return None
        taken = slice(first // batch, last // batch)
    elif node.attributes["axis"] % x.type.rank != place or known[:1] not in (
        [],
        [None],
        [(batch,) * count],
    ):
        return None
    attributes = {"axis": place, "num_outputs": count}
    return build.op("Split", (x,), attributes, outputs=count)[taken]

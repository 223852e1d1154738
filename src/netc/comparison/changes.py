"""Records of what changed: layers on both sides, their differences, and totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..compiler.ir.dim import Dim
from ..summary.columns import COLUMNS
from ..summary.rows import LayerRow

OUTPUT = "OUTPUT"

ChangeKind = Literal["added", "removed", "changed", "follows", "renamed", "same"]

# The columns of the layer table that JSON shows of a layer.
_COLUMNS = ("layer", "kind", "arguments", "output", "params", "trainable", "frozen", "macs")


@dataclass(frozen=True, slots=True)
class LayerSide:
    """A layer, or an output of the network, on one side.

    Attributes:
        row: Its row of the layer table; an output's kind is `OUTPUT`.
        inputs: The layers that it reads.
        lenders: The layers whose weights it uses.
        labelled: Whether the author gave it its name.
    """

    row: LayerRow
    inputs: tuple[str, ...]
    lenders: tuple[str, ...] = ()
    labelled: bool = True

    @property
    def name(self) -> str:
        """The layer's path, or the output's name."""
        return self.row.name

    def to_dict(self) -> dict[str, Any]:
        """What JSON shows of it."""
        shown = {key: COLUMNS[key].value(self.row) for key in _COLUMNS}
        return {**shown, "inputs": list(self.inputs)}


class Difference(NamedTuple):
    """One thing about a layer that differs: what it is, and its text or number on both sides."""

    what: str
    before: str | int
    after: str | int


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer before and after; None where it is not there.

    Attributes:
        change: What happened to it. A layer `follows` where nothing about it was changed, but
            its shape or its parameters are others because of what comes before it.
        before, after: The layer on both sides.
        differences: What differs, names apart.
    """

    change: ChangeKind
    before: LayerSide | None
    after: LayerSide | None
    differences: tuple[Difference, ...] = ()

    def __repr__(self) -> str:
        found = (f"{each.what} {each.before} -> {each.after}" for each in self.differences)
        return f"<LayerChange {self.entry.name}: {', '.join([self.change, *found])}>"

    @property
    def entry(self) -> LayerSide:
        """The layer as it is, or as it was where it is gone."""
        entry = self.after or self.before
        assert entry is not None
        return entry

    def to_dict(self) -> dict[str, Any]:
        """The change as JSON shows it."""
        return {
            "change": self.change,
            "before": None if self.before is None else self.before.to_dict(),
            "after": None if self.after is None else self.after.to_dict(),
            "differences": [difference._asdict() for difference in self.differences],
        }


class Total(NamedTuple):
    """A count of the whole network on both sides."""

    name: str
    before: Dim
    after: Dim


def listed(names: Sequence[str]) -> str:
    """Names for readers: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), *quoted[-1:]] if len(quoted) > 1 else quoted)

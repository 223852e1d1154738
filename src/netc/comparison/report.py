"""Records of what changed to the report of a comparison: lookup, text and JSON."""

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..summary.columns import quantity
from .changes import LayerChange, Total
from .text import marked, text

NO_DIFFERENCE = "no difference"


@dataclass(frozen=True)
class Diff:
    """What changed between two networks.

    Attributes:
        names: The networks' names, before and after.
        layers: Every layer and output of either side, in order, changed or not.
        totals: Layers, parameters, MACs and FLOPs of both.
    """

    names: tuple[str, str]
    layers: tuple[LayerChange, ...] = field(repr=False)
    totals: tuple[Total, ...]

    @property
    def changes(self) -> tuple[LayerChange, ...]:
        """The layers and outputs that differ."""
        return tuple(change for change in self.layers if change.change != "same")

    @property
    def equal(self) -> bool:
        """Whether both are the same network; the networks' own names do not count."""
        return not self.changes

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the lines, coloured by what they say."""
        colours = {"added": "#1e8449", "removed": "#c0392b", "changed": "#9a6700"}
        rows = []
        for line in str(self).split("\n"):
            colour = colours.get(line.partition(" ")[0])
            text = escape(line)
            rows.append(f'<span style="color:{colour}">{text}</span>' if colour else text)
        return f"<pre>{chr(10).join(rows)}</pre>"

    def __str__(self) -> str:
        """A line per change, then the counts of both."""
        return self.to_text()

    def to_text(self, *, room: int | None = None) -> str:
        """A line per change, then the counts; `room` is how many characters a line holds."""
        return NO_DIFFERENCE if self.equal else text(self.layers, self.totals, room=room)

    def to_markdown(self) -> str:
        """As `to_text`, in GitHub's Markdown, such as a summary of a job shows."""
        return NO_DIFFERENCE if self.equal else marked(self.layers, self.totals)

    def to_dict(self) -> dict[str, Any]:
        """All changes with the layers before and after, and the counts of both."""
        return {
            "before": self.names[0],
            "after": self.names[1],
            "equal": self.equal,
            "changes": [change.to_dict() for change in self.changes],
            "totals": {
                total.name: {
                    "before": quantity(total.before),
                    "after": quantity(total.after),
                    "difference": quantity(total.after - total.before),
                }
                for total in self.totals
            },
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

"""Graph to the layer table, and its rendering as text, JSON, Markdown and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..compiler.analysis.counts import Counts, convention, count
from ..compiler.analysis.memory import measure
from ..compiler.analysis.receptive_fields import receptive_fields
from ..compiler.ir.dim import Dim
from ..compiler.ir.graph import Graph
from ..tables import GAP, aligned, fitted_widths, hanging, markdown
from .columns import COLUMNS, USUAL_COLUMNS, Column, byte_count, chosen_columns, quantity
from .rows import DEFAULT_MARK, LayerRow, folded, rows_of


@dataclass(frozen=True)
class Summary:
    """The layer table of a network.

    Attributes:
        name: The network's name.
        rows: Its layers, or scopes, in order.
        counts: Its totals.
        memory: The peak of live activations for one sample at inference, in bytes.
        layers: How many layers it has, folded or not.
        convention: What the counts are of.
        keys: The columns that were chosen, or None for the usual ones.
    """

    name: str
    rows: tuple[LayerRow, ...]
    counts: Counts
    memory: Dim
    layers: int
    convention: str
    keys: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the text."""
        return chosen_columns(self.keys or USUAL_COLUMNS)

    @property
    def data_columns(self) -> tuple[Column, ...]:
        """The columns of JSON and CSV: the chosen ones, or else all but the text's own."""
        return chosen_columns(self.keys or [key for key in COLUMNS if key != "call"])

    def cells(self) -> list[list[str]]:
        """The text of each row's cells."""
        return [[column.text(row) for column in self.columns] for row in self.rows]

    def totals(self) -> list[tuple[str, str]]:
        """The lines after the table: a name and its text."""
        counts = self.counts
        kinds = f"{counts.trainable:,} trainable, {counts.frozen:,} frozen"
        buffers = f"; {counts.buffers:,} in buffers" if counts.buffers else ""
        return [
            ("parameters", f"{counts.params:,} ({kinds}{buffers})"),
            ("MACs", _shown(counts.macs)),
            ("FLOPs", f"{_shown(counts.flops)} ({_shown(counts.elementwise)} elementwise)"),
            ("activation memory", f"{byte_count(self.memory)} at the peak"),
            ("counted", self.convention),
        ]

    def footnote(self) -> str | None:
        """What the mark means, where a cell has one."""
        texts = [column.key for column in self.columns if column.key in ("call", "arguments")]
        if not texts or not any(row.defaulted for row in self.rows):
            return None
        more = "; the column `arguments` shows all of them" if "arguments" not in texts else ""
        return f"{DEFAULT_MARK} filled in by a default{more}"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, room: int | None = None) -> str:
        """Aligned columns, then the totals; plain text without colour.

        Args:
            room: How many characters a line holds; columns that do not fit are left out.
        """
        columns, cells = self.columns, self.cells()
        titles = [column.title for column in columns]
        texts = list(zip(titles, *cells, strict=True))
        widths: Sequence[int | None] = (
            [column.wrap for column in columns] if room is None else fitted_widths(texts, room)
        )
        shown = len(widths)
        left = [place for place, column in enumerate(columns) if column.align == "left"]
        rows = [row[:shown] for row in (titles, *cells)]
        lines = [*aligned(rows, left=left, widths=widths, ruled=True)]
        if left_out := ", ".join(f"`{column.key}`" for column in columns[shown:]):
            note = f"the terminal is too narrow for {left_out}; `--columns` chooses"
            lines += hanging("", note, room)
        if (mark := self.footnote()) is not None:
            lines += [*hanging("", mark, room), ""]
        longest = max(len(name) for name, _ in self.totals())
        for name, text in self.totals():
            lines += hanging(f"{name:<{longest}}{GAP}", text, room)
        return "\n".join([*hanging("", self.name, room), "", *lines])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the table, then the totals."""
        sides = [f' style="text-align:{column.align}"' for column in self.columns]

        def line(tag: str, texts: Sequence[str]) -> str:
            cells = (f"<{tag}{s}>{escape(t)}</{tag}>" for s, t in zip(sides, texts, strict=True))
            return f"<tr>{''.join(cells)}</tr>"

        head = line("th", [column.title.replace("\n", " ") for column in self.columns])
        body = "".join(line("td", cells) for cells in self.cells())
        note = self.footnote()
        notes = [note] if note else []
        notes += [f"{name}: {text}" for name, text in self.totals()]
        lines = "<br>".join(map(escape, notes))
        title = f"<caption>{escape(self.name)}</caption>"
        return f"<table>{title}<thead>{head}</thead><tbody>{body}</tbody></table><p>{lines}</p>"

    def to_dict(self) -> dict[str, Any]:
        """Rows and totals; counts are integers, or formulas where extents are symbolic.

        Sizes are spelled as in a program, channels last: `"28x28x6"`.
        """
        columns = self.data_columns
        return {
            "name": self.name,
            "layers": [{column.key: column.value(row) for column in columns} for row in self.rows],
            "totals": {
                "layers": self.layers,
                "params": self.counts.params,
                "trainable": self.counts.trainable,
                "frozen": self.counts.frozen,
                "buffers": self.counts.buffers,
                "macs": quantity(self.counts.macs),
                "elementwise": quantity(self.counts.elementwise),
                "flops": quantity(self.counts.flops),
                "memory": quantity(self.memory),
            },
            "convention": self.convention,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_markdown(self) -> str:
        """A table in GitHub's Markdown, then the totals as a list."""
        columns = self.columns
        heads = [column.title.replace("\n", " ") for column in columns]
        left = [place for place, column in enumerate(columns) if column.align != "right"]
        lines = markdown([heads, *self.cells()], left=left)
        note = self.footnote()
        marks = [f"\n{note.replace(DEFAULT_MARK, chr(92) + DEFAULT_MARK, 1)}"] if note else []
        totals = [f"- {name}: {text}" for name, text in self.totals()]
        return "\n".join([*lines, *marks, "", *totals]) + "\n"

    def to_csv(self) -> str:
        """Rows as comma-separated values under a line of the columns' keys; no totals."""
        columns = self.data_columns
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.key for column in columns)
        for row in self.rows:
            writer.writerow(_flat(column, row) for column in columns)
        return text.getvalue()


def summarize(
    graph: Graph, *, depth: int | None = None, columns: Sequence[str] | None = None
) -> Summary:
    """The layer table of a graph.

    Args:
        graph: The network, unoptimised.
        depth: Scopes that lie deeper are folded into one row; None folds nothing.
        columns: Keys of `COLUMNS` to show; None for the usual ones.

    Raises:
        NetError: There is no such column.
    """
    keys = None if columns is None else tuple(column.key for column in chosen_columns(columns))
    counts, memory = count(graph), measure(graph)
    rows = rows_of(graph, counts, memory, receptive_fields(graph))
    shown = rows if depth is None else folded(rows, depth)
    layers = len(graph.layers)
    return Summary(graph.name, shown, counts, memory.peak, layers, convention(graph), keys)


def _flat(column: Column, row: LayerRow) -> Any:
    """A value for CSV: lists and mappings become the text that readers see, or nothing."""
    value = column.value(row)
    return value if isinstance(value, int | str) else column.text(row) if value else ""


def _shown(dim: Dim) -> str:
    return f"{dim:,}" if isinstance(dim, int) else str(dim)

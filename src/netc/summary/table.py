"""Graph to the layer table, and its rendering as text, JSON, Markdown and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from ..compiler.analysis.counts import CONVENTION, Counts, count
from ..compiler.analysis.memory import measure
from ..compiler.analysis.receptive_fields import receptive_fields
from ..compiler.ir.dim import Dim
from ..compiler.ir.graph import Graph
from .columns import COLUMNS, USUAL, Column, byte_count, chosen_columns, quantity
from .rows import DEFAULT_MARK, Row, folded, rows_of

__all__ = ["Row", "Summary", "summarize"]

GAP = "  "


@dataclass(frozen=True)
class Summary:
    """The layer table of a network.

    Attributes:
        name: The network's name.
        rows: Its layers, or scopes, in order.
        counts: Its totals.
        memory: The peak of live activations for one sample at inference, in bytes.
        layers: How many layers it has, folded or not.
        keys: The columns that were chosen, or None for the usual ones.
    """

    name: str
    rows: tuple[Row, ...]
    counts: Counts
    memory: Dim
    layers: int
    keys: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the text."""
        return chosen_columns(self.keys or USUAL)

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
            ("counted", CONVENTION),
        ]

    def footnote(self) -> str | None:
        """What the mark means, where a cell has one."""
        texts = [column.key for column in self.columns if column.key in ("call", "arguments")]
        if not texts or not any(row.defaulted for row in self.rows):
            return None
        more = "; the column `arguments` shows all of them" if "arguments" not in texts else ""
        return f"{DEFAULT_MARK} filled in by a default{more}"

    def __str__(self) -> str:
        """Aligned columns, then the totals; plain text without colour."""
        width = max(len(name) for name, _ in self.totals())
        totals = [f"{name:<{width}}{GAP}{text}" for name, text in self.totals()]
        note = self.footnote()
        marks = [note, ""] if note else []
        table = _table(self.columns, self.cells())
        return "\n".join([self.name, "", *table, *marks, *totals])

    def __repr__(self) -> str:
        return str(self)

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
            "convention": CONVENTION,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_markdown(self) -> str:
        """A table in GitHub's Markdown, then the totals as a list."""
        columns = self.columns
        rules = ["---:" if column.align == "right" else "---" for column in columns]
        heads = [column.title.replace("\n", " ") for column in columns]
        cells = [[text.replace("|", "\\|") for text in row] for row in self.cells()]
        lines = [f"| {' | '.join(row)} |" for row in (heads, rules, *cells)]
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
    return Summary(graph.name, shown, counts, memory.peak, len(graph.layers), keys)


def _table(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[str]:
    """Heading, rule, rows, rule; long cells go on in further lines."""
    heads = _block([column.title.split("\n") for column in columns], at_bottom=True)
    body = [
        line
        for row in cells
        for line in _block([_wrapped(c, text) for c, text in zip(columns, row, strict=True)])
    ]
    widths = [max(map(len, texts)) for texts in zip(*heads, *body, strict=True)]
    rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
    return [
        *(_line(columns, widths, line) for line in heads),
        rule,
        *(_line(columns, widths, line) for line in body),
        rule,
    ]


def _block(cells: Sequence[Sequence[str]], *, at_bottom: bool = False) -> list[tuple[str, ...]]:
    """Cells of several lines each as lines of cells."""
    turned = [list(reversed(cell)) if at_bottom else cell for cell in cells]
    lines = list(zip_longest(*turned, fillvalue=""))
    return lines[::-1] if at_bottom else lines


def _wrapped(column: Column, text: str) -> list[str]:
    if column.wrap is None or len(text) <= column.wrap:
        return [text]
    return wrap(text, column.wrap, subsequent_indent="  ", break_long_words=False)


def _line(columns: Iterable[Column], widths: Iterable[int], cells: Iterable[str]) -> str:
    padded = [
        f"{cell:>{width}}" if column.align == "right" else f"{cell:<{width}}"
        for column, width, cell in zip(columns, widths, cells, strict=True)
    ]
    return GAP.join(padded).rstrip()


def _flat(column: Column, row: Row) -> Any:
    """A value for CSV: lists and mappings become the text that readers see, or nothing."""
    value = column.value(row)
    return value if isinstance(value, int | str) else column.text(row) if value else ""


def _shown(dim: Dim) -> str:
    return f"{dim:,}" if isinstance(dim, int) else str(dim)

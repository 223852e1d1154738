"""Rows, items and sentences to lines that fit a width, without breaks inside words."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from textwrap import wrap

from .compiler.ir.dim import Dim

GAP = "  "
LEAST = 20  # characters beside a head, without which the text starts below it
_UNBROKEN = "\N{NO-BREAK SPACE}"


def table(
    rows: Sequence[Sequence[str]], *, room: int | None, left: Sequence[int] = (0,)
) -> list[str]:
    """Rows under their columns' names, aligned; a few short lines for each where that is too wide.

    Args:
        rows: The names of the columns, and then the cells.
        room: How many characters a line holds; None where there is no limit.
        left: The columns that are aligned to the left.
    """
    lines = aligned(rows, left=left)
    if room is None or max(map(len, lines)) <= room:
        return lines
    names, *body = rows
    found: list[str] = []
    for title, *cells in body:
        pairs = zip(names[1:], cells, strict=True)
        items = [f"{name} {cell}".strip() for name, cell in pairs if cell]
        found += hanging("", f"{names[0]} {title}".lstrip(), room, indent=GAP)
        found += filled(items, room, head=GAP)
    return found


def markdown(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    """Rows as a table in GitHub's Markdown; the first holds the names of the columns."""
    head, *body = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    rules = ["---" if place in left else "---:" for place in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rules, *body)]


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    left: Sequence[int] = (0,),
    widths: Sequence[int | None] | None = None,
    ruled: bool = False,
) -> list[str]:
    """Rows with their cells below each other.

    Args:
        rows: The names of the columns, which end on one line, and then the cells.
        left: The columns that are aligned to the left.
        widths: How wide each column may be before its cells go on in further lines.
        ruled: Whether a rule stands below the names and at the end.
    """
    widths = widths or [None] * len(rows[0])
    head, *body = ([_lines(*pair) for pair in zip(row, widths, strict=True)] for row in rows)
    tallest = max(map(len, head), default=0)
    head = [[*[""] * (tallest - len(cell)), *cell] for cell in head]
    lines = [list(zip_longest(*row, fillvalue="")) for row in (head, *body)]
    taken = [max(map(len, column)) for column in zip(*chain(*lines), strict=True)]
    found = [[_padded(line, taken, left) for line in row] for row in lines]
    rule = ["-" * (sum(taken) + len(GAP) * (len(taken) - 1))] if ruled else []
    return [*found[0], *rule, *chain(*found[1:]), *rule]


def _lines(cell: str, width: int | None) -> list[str]:
    if width is None or len(cell) <= width:
        return cell.split("\n")
    longest = max(map(len, cell.split()), default=0)
    indent = GAP if longest + len(GAP) <= width else ""
    return wrap(cell, width, subsequent_indent=indent, break_long_words=False)


def _padded(cells: Sequence[str], widths: Sequence[int], left: Sequence[int]) -> str:
    pairs = enumerate(zip(cells, widths, strict=True))
    padded = (c.ljust(width) if n in left else c.rjust(width) for n, (c, width) in pairs)
    return GAP.join(padded).rstrip()


def fitted_widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide columns may be to fit a terminal, without breaks inside words.

    Args:
        columns: The texts of each column.
        room: The terminal's width.

    Returns:
        A width for each of the first columns; there is no room for the others.
    """
    gap = len(GAP)
    least = [max(len(word) for text in texts for word in text.split() or [""]) for texts in columns]
    count = max((n for n in range(len(least) + 1) if sum(least[:n]) + gap * n <= room), default=0)
    least = least[: max(count, 1)]
    widths = [
        max(len(line) for text in texts for line in text.split("\n"))
        for texts in columns[: len(least)]
    ]
    for place in sorted(range(len(widths)), key=lambda place: least[place] - widths[place]):
        excess = sum(widths) + gap * len(widths) - room
        if excess > 0:
            widths[place] = max(widths[place] - excess, least[place])
    return widths


def filled(
    items: Sequence[str], room: int | None, *, head: str = "", indent: str = GAP
) -> list[str]:
    """Items side by side, such as `loss 0.5`, each whole, on as many lines as they need."""
    most = room or 0
    kept = [x.replace(" ", _UNBROKEN) if len(indent + x) <= most else x for x in items]
    lines = hanging(head, GAP.join(kept), room, indent=indent)
    return [line.replace(_UNBROKEN, " ") for line in lines]


def hanging(head: str, text: str, room: int | None, *, indent: str | None = None) -> list[str]:
    """A text after a head; further lines are indented, by default to stand below each other.

    Where there is little room beside the head, or a word has none, the text starts below it.
    """
    if room is None or len(head + text) <= room:
        return [head + text]
    beside = len(head) + max(LEAST, *map(len, text.split())) <= room
    later = (" " * len(head) if beside else GAP) if indent is None else indent
    lines = wrap(
        text,
        room,
        initial_indent=head if beside else later if head else "",
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines if beside or not head.strip() else [head.rstrip(), *lines]


def counted(count: Dim, noun: str) -> str:
    """`1 file`, `2 files`, `8 L MACs`."""
    number = f"{count:,}" if isinstance(count, int) else str(count)
    return f"{number} {noun}" + "s" * (count != 1)

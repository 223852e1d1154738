"""Rows, items and sentences to lines that fit a width, without breaks inside words."""

from collections.abc import Sequence
from textwrap import wrap

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


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    """Rows with their cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (
        [
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    )
    return [GAP.join(cells).rstrip() for cells in padded]


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

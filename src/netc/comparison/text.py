"""What changed between two networks in words: a line per change, then the counts of both."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter

from ..compiler.ir.dim import Dim
from ..summary.columns import grouped
from ..tables import GAP, hanging, markdown, table
from .changes import OUTPUT, Difference, LayerChange, LayerSide, Total, listed

MOST_FOLLOWING = 3  # lines on layers in a row whose outputs merely follow


def text(layers: Sequence[LayerChange], totals: Sequence[Total], *, room: int | None = None) -> str:
    """Words for readers: changes in order, then a table of counts.

    Args:
        layers: Every layer of either side, in order.
        totals: The counts of both networks.
        room: How many characters a line holds; None where there is no limit.
    """
    lines = list(_lines(layers))
    longest = max(len(word) for word, _ in lines)
    listing = (hanging(f"{word:<{longest}}{GAP}", words, room) for word, words in lines)
    counts = [("", "before", "after", "difference"), *map(_cells, totals)]
    return "\n".join([*chain(*listing), "", *table(counts, room=room)])


def marked(layers: Sequence[LayerChange], totals: Sequence[Total]) -> str:
    """As `text`, in GitHub's Markdown: a list and a table."""
    items = [f"- **{word}** {words}" for word, words in _lines(layers)]
    counts = [("", "before", "after", "difference"), *map(_cells, totals)]
    return "\n".join([*items, "", *markdown(counts)])


def _lines(layers: Sequence[LayerChange]) -> Iterator[tuple[str, str]]:
    """A line per change, or for several that belong together."""
    scopes = {"added": _scopes_of(layers, "added"), "removed": _scopes_of(layers, "removed")}
    named = Counter(_renaming(c) for c in layers if c.change == "renamed" and not _is_shift(c))
    shifts = sum(c.change == "renamed" and _is_shift(c) for c in layers)
    for change, run in groupby(layers, attrgetter("change")):
        changes = list(run)
        match change:
            case "added" | "removed":
                yield from ((change, words) for words in _came_or_went(changes, scopes[change]))
            case "changed":
                yield from ((change, _title(c) + _differing(c)) for c in changes)
            case "follows":
                yield from ((change, words) for words in _following(changes))
            case "renamed":
                yield from ((change, words) for words in _renamed(changes, named))
    if shifts:
        yield (
            "renamed",
            f"{shifts} automatic names shift" if shifts > 1 else "1 automatic name shifts",
        )


# Layers that came or went


def _scopes_of(layers: Sequence[LayerChange], word: str) -> frozenset[str]:
    """The scopes that still hold a layer of that side: what is in others came or went with them."""
    kept = [c for c in layers if c.change != word and c.entry.row.kind != OUTPUT]
    sides = [c.after if word == "added" else c.before for c in kept]
    return frozenset(scope for entry in sides if entry for scope in _around(entry.name))


def _around(name: str) -> list[str]:
    """The scopes around a name, outermost first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _came_or_went(changes: Sequence[LayerChange], kept: frozenset[str]) -> Iterator[str]:
    """Single layers, scopes that came or went as a whole, and runs of equal ones."""

    def scope(change: LayerChange) -> str:
        return next((s for s in _around(change.entry.name) if s not in kept), change.entry.name)

    wholes = [(name, [c.entry for c in run]) for name, run in groupby(changes, scope)]
    for _, run in groupby(wholes, _likeness):
        alike = list(run)
        name, entries = alike[0]
        if len(entries) == 1 and len(alike) == 1:
            yield _single(entries[0])
            continue
        names = f"`{name}`" if len(alike) == 1 else f"`{name}` to `{alike[-1][0]}`"
        times = f"{len(alike)} times " if len(alike) > 1 else ""
        yield f"{names}: {times}{_contents(entries)}{_holding(e for _, es in alike for e in es)}"


def _likeness(whole: tuple[str, Sequence[LayerSide]]) -> object:
    """Scopes in a row are one line where they hold the same within one scope."""
    name, entries = whole
    roof, dot, _ = name.rpartition(".")
    inner = tuple((e.name.removeprefix(name), e.row.called(), e.row.params) for e in entries)
    return (roof, inner) if dot or len(entries) > 1 else name


def _contents(entries: Sequence[LayerSide]) -> str:
    """`10 layers (3 CONV, 3 BN, 3 RELU, ADD)`."""
    if len(entries) == 1:
        return entries[0].row.called()
    counts = Counter(entry.row.kind for entry in entries)
    kinds = ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in counts.items())
    return f"{len(entries)} layers ({kinds})"


def _single(entry: LayerSide) -> str:
    if entry.row.kind == OUTPUT:
        return f"output `{entry.name}` of {listed(entry.inputs)}: {entry.row.output}"
    place = f" after {listed(entry.inputs)}" if entry.inputs else ""
    return f"`{entry.name}`: {entry.row.called()}{place}{_holding([entry])}"


def _holding(entries: Iterable[LayerSide]) -> str:
    params = sum(entry.row.params for entry in entries)
    return f", {params:,} parameters" if params else ""


# Layers that are on both sides


def _title(change: LayerChange) -> str:
    """What a line is about: `conv1`, and its new name if it has one."""
    assert change.before is not None
    assert change.after is not None
    kind = "output " if change.after.row.kind == OUTPUT else ""
    if change.before.name == change.after.name:
        return f"{kind}`{change.after.name}`"
    return f"{kind}`{change.before.name}` -> `{change.after.name}`"


def _differing(change: LayerChange) -> str:
    return ": " + "; ".join(map(_difference, change.differences))


def _difference(difference: Difference) -> str:
    before, after = (
        f"{side:,}" if isinstance(side, int) else side
        for side in (difference.before, difference.after)
    )
    return f"{difference.what} {before} -> {after}"


def _following(changes: Sequence[LayerChange]) -> Iterator[str]:
    """Layers whose parameters follow singly; those whose outputs alone do, together."""

    def in_output_alone(change: LayerChange) -> bool:
        return all(difference.what == "output" for difference in change.differences)

    for outputs_alone, run in groupby(changes, in_output_alone):
        several = list(run)
        lines = [list(same) for _, same in groupby(several, _differing if outputs_alone else id)]
        if outputs_alone and len(lines) > MOST_FOLLOWING:
            yield f"{_span(several)}: other outputs"
            continue
        for same in lines:
            yield _span(same) + _differing(same[0])


def _span(changes: Sequence[LayerChange]) -> str:
    """`a`, `a` and `b`, or `a` to `c` (7 layers)."""
    if len(changes) == 1:
        return _title(changes[0])
    names = [f"`{change.entry.name}`" for change in changes]
    if len(changes) == 2:
        return " and ".join(names)
    return f"{names[0]} to {names[-1]} ({len(changes)} layers)"


# Names


def _is_shift(change: LayerChange) -> bool:
    """Whether a layer's automatic name is another: `relu2` became `relu3`."""
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    automatic = not before.labelled and not after.labelled
    return automatic and _renaming(change) == (before.name, after.name)


def _renaming(change: LayerChange) -> tuple[str, str]:
    """The parts of both names that differ: of `a.conv1` and `b.conv1` the scopes `a` and `b`."""
    assert change.before is not None
    assert change.after is not None
    before, after = change.before.name.split("."), change.after.name.split(".")
    same = 0
    while same < min(len(before), len(after)) - 1 and before[-1 - same] == after[-1 - same]:
        same += 1
    return ".".join(before[: len(before) - same]), ".".join(after[: len(after) - same])


def _renamed(changes: Iterable[LayerChange], named: "Counter[tuple[str, str]]") -> Iterator[str]:
    """New names, each once with the count of the layers in it; automatic ones are distinguished."""
    for change in changes:
        count = 0 if _is_shift(change) else named.pop(_renaming(change), 0)
        if count == 1:
            yield _title(change)
        elif count:
            before, after = _renaming(change)
            yield f"`{before}` -> `{after}` ({count} layers)"


# Counts


def _cells(total: Total) -> tuple[str, str, str, str]:
    return (
        total.name,
        grouped(total.before),
        grouped(total.after),
        _signed(total.after - total.before),
    )


def _signed(dim: Dim) -> str:
    if not isinstance(dim, int):
        return str(dim)
    return f"{dim:+,}" if dim else "none"

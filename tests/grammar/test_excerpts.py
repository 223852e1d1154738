"""Diagnostics show the part of a wide line that matters."""

from netc.grammar.diagnostics import WIDEST, Diagnostic, render
from netc.grammar.source import Source, Span


def test_a_wide_line_is_cut_around_the_carets() -> None:
    """Of a line of a thousand characters the carets' surroundings are shown, marked as cut."""
    source = Source("wide.net", "INPUT" + " -> RELU" * 50 + " -> BOOM" + " -> RELU" * 50)
    start = source.text.index("BOOM")
    text = render(Diagnostic("E101", "unknown layer `BOOM`", Span(source, start, start + 4)))
    shown, marks = text.splitlines()[3:5]
    assert shown.startswith(" 1 | ...")
    assert shown.endswith("...")
    assert len(shown) == len(" 1 | ") + WIDEST + 6
    assert shown[marks.index("^") :].startswith("BOOM")
    assert marks.count("^") == 4


def test_the_ends_of_a_wide_line() -> None:
    """At its start nothing is cut before the carets, and at its end nothing behind them."""
    source = Source("wide.net", "A" * 10 + "-" * 1000 + "Z" * 10)
    first = render(Diagnostic("E101", "a", Span(source, 0, 10))).splitlines()
    last = render(Diagnostic("E101", "z", Span(source, 1010, 1020))).splitlines()
    assert first[3].startswith(" 1 | AAAAAAAAAA-")
    assert first[4] == "   | ^^^^^^^^^^"
    assert last[3].endswith("-ZZZZZZZZZZ")
    assert last[4].endswith("^" * 10)
    assert last[4].index("^") == last[3].index("Z")

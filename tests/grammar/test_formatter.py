"""The formatter: its layout, that it changes no meaning, and that it loses no comment."""

import dataclasses
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.programs import random_program

from netc.grammar.ast import Argument, Call, Label, Name, Number, Reference, Shorthand, Size, Syntax
from netc.grammar.diagnostics import NetError
from netc.grammar.formatter import format_source
from netc.grammar.layout import WIDTH
from netc.grammar.parser import parse
from netc.grammar.source import Source

HERE = Path(__file__).parent
CASES = sorted((HERE / "formatter").glob("*.txt"))
SPECS = sorted((HERE.parents[1] / "specs").rglob("*.net"))
DIVIDER = "----\n"


def formatted(text: str) -> str:
    """The canonical text of a program."""
    return format_source(Source("test.net", text))


def spelled_out(tree: Any) -> Any:
    """A syntax tree with its shorthand written out."""
    if isinstance(tree, tuple):
        return tuple(map(spelled_out, tree))
    if not isinstance(tree, Syntax):
        return tree
    if isinstance(tree, Shorthand):
        size = [] if tree.kernel is None else [Size(tree.kernel, span=tree.span)]
        values = [*size, Number(tree.count, span=tree.span)]
        arguments = tuple(Argument(None, value, span=tree.span) for value in values)
        return Call(tree.kind.upper(), arguments, span=tree.span, name_span=tree.span)
    if isinstance(tree, Reference):
        if tree.label.literal == "maxpool":
            return Reference(Label((("POOL",),), span=tree.span), span=tree.span)
        if tree.label.literal == "avgpool":
            return pool(Call("avgpool", (), span=tree.span, name_span=tree.span))
    fields = [f.name for f in dataclasses.fields(tree) if not f.name.endswith("span")]
    found = dataclasses.replace(tree, **{name: spelled_out(getattr(tree, name)) for name in fields})
    return pool(found) if isinstance(found, Call) else found


def pool(call: Call) -> Call:
    """`maxpool(...)` and `avgpool(...)` as `POOL(...)`, unless their arguments name a mode."""
    if call.name not in ("maxpool", "avgpool"):
        return call
    plain = [a for a in call.arguments if a.name is None]
    if any(isinstance(a.value, Name) for a in plain) or any(
        a.name == "mode" for a in call.arguments
    ):
        return call
    mode = [Argument(None, Name("avg", span=call.span), span=call.span)]
    place = sum(a.name is None for a in call.arguments)
    extra = mode if call.name == "avgpool" else []
    arguments = (*call.arguments[:place], *extra, *call.arguments[place:])
    return dataclasses.replace(call, name="POOL", arguments=arguments)


def check(text: str) -> None:
    """Formatting keeps the tree and the comments, and a second time changes nothing."""
    found = formatted(text)
    before, after = (parse(Source("test.net", t)) for t in (text, found))
    assert spelled_out(after.statements) == spelled_out(before.statements)
    assert [c.text for c in after.comments] == [c.text for c in before.comments]
    assert formatted(found) == found
    assert not found.startswith("\n")
    assert found.endswith("\n")
    assert not found.endswith("\n\n")
    assert "\n\n\n" not in found
    assert all(line == line.rstrip() for line in found.split("\n"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_layout(case: Path, update_golden: bool) -> None:
    """Each construct is laid out as recorded, and what is laid out so stays as it is."""
    before, _, expected = case.read_text(encoding="utf-8").partition(DIVIDER)
    found = formatted(before)
    if update_golden:
        case.write_text(before + DIVIDER + found, encoding="utf-8")
        expected = found
    assert found == expected
    check(before)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_width(case: Path) -> None:
    """No line of code is longer than the width, wherever there is a place to break it."""
    _, _, after = case.read_text(encoding="utf-8").partition(DIVIDER)
    assert [line for line in after.split("\n") if len(line.split("  #")[0]) > WIDTH] == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs(path: Path) -> None:
    """The shipped specs are in canonical form."""
    text = path.read_text(encoding="utf-8")
    check(text)
    assert formatted(text) == text


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_random_programs(random: Random) -> None:
    """Whatever a program says and however it is laid out, its tree and its comments are kept."""
    check(random_program(random))


def test_syntax_errors() -> None:
    """A program that does not parse is refused with the parser's own words."""
    with pytest.raises(NetError) as formatting:
        formatted("INPUT CONV")
    with pytest.raises(NetError) as parsing:
        parse(Source("test.net", "INPUT CONV"))
    assert str(formatting.value) == str(parsing.value)


@pytest.mark.parametrize(
    "text",
    [
        "a -> " + "( " * 100 + "b" + " )" * 100,
        "a -> " + "[" * 100 + "b" + "]" * 100,
        "let x = " + "[" * 100 + "]" * 100,
        "let x = " + "f(" * 100 + ")" * 100,
        "a -> " + "for i in b { " * 100 + "c" + " }" * 100,
        "a -> " + "if b { " * 100 + "c" + " }" * 100,
        "a -> if b { c }" + " else if b { c }" * 99,
        "let x = " + " + ".join(["a_rather_long_name"] * 100),
    ],
    ids=["groups", "repeats", "lists", "calls", "for", "if", "else if", "operators"],
)
def test_deep_nesting(text: str) -> None:
    """All that the parser's limits allow is formatted."""
    check(text)


def test_line_ends() -> None:
    """Lines end with a line feed, whatever they ended with before."""
    assert formatted("a -> b # c\r\n\r\n\r\nb\r\n") == "a -> b  # c\n\nb\n"


def test_pools_with_defaults_of_their_own() -> None:
    """A pool keeps its spelling where new defaults might tell one spelling from another."""
    text = "default POOL(3x3, avg)\nx -> maxpool\n"
    assert formatted(text) == text

"""The formatter: its layout, that it changes no meaning, and that it loses no comment."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.programs import random_program
from support.refusals import refusal

from netc.grammar.ast import (
    Argument,
    Call,
    Expression,
    Label,
    Name,
    Number,
    Reference,
    Shorthand,
    Size,
    Syntax,
)
from netc.grammar.formatting.formatter import format_source
from netc.grammar.formatting.layout import LINE_WIDTH
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

HERE = Path(__file__).parent
CASES = sorted((HERE / "formatter").glob("*.txt"))
SHIPPED = HERE.parents[1] / "specs"
SPECS = sorted(SHIPPED.rglob("*.net"))
DIVIDER = "----\n"


def formatted(text: str) -> str:
    """The canonical text of a program."""
    return format_source(Source("test.net", text))


def said(tree: Any) -> list[Any]:
    """What a tree says, shorthand written out, as a list, which unlike a tree is never deep."""
    found: list[Any] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            found.append(len(node))
            pending.extend(reversed(node))
        elif isinstance(node, Syntax):
            node = spelled_out(node)
            found.append(type(node).__name__)
            fields = [f.name for f in dataclasses.fields(node) if not f.name.endswith("span")]
            pending.extend(getattr(node, name) for name in reversed(fields))
        else:
            found.append(node)
    return found


def spelled_out(node: Syntax) -> Syntax:
    """A node, or what it stands for if it is shorthand."""
    match node:
        case Shorthand(kind, kernel, count):
            size = [] if kernel is None else [Size(kernel, span=node.span)]
            return call(kind.upper(), [*size, Number(count, span=node.span)])
        case Reference(Label((("maxpool",),))):
            return Reference(Label((("POOL",),), span=node.span), span=node.span)
        case Reference(Label((("avgpool",),))):
            return call("POOL", [Name("avg", span=node.span)])
        case Call("maxpool" | "avgpool"):
            return pool(node)
    return node


def call(name: str, values: Sequence[Expression]) -> Call:
    """A call with positional arguments."""
    arguments = tuple(Argument(None, value, span=value.span) for value in values)
    span = values[0].span
    return Call(name, arguments, span=span, name_span=span)


def pool(node: Call) -> Call:
    """`maxpool(...)` and `avgpool(...)` as `POOL(...)`, unless their arguments name a mode."""
    positional = [a for a in node.arguments if a.name is None]
    named = any(isinstance(a.value, Name) for a in positional)
    if named or any(a.name == "mode" for a in node.arguments):
        return node
    place = len(positional)
    mode = call("", [Name("avg", span=node.span)]).arguments if node.name == "avgpool" else ()
    arguments = (*node.arguments[:place], *mode, *node.arguments[place:])
    return dataclasses.replace(node, name="POOL", arguments=arguments)


def check(text: str) -> None:
    """Formatting keeps the tree and the comments, and a second time changes nothing."""
    found = formatted(text)
    before, after = (parse(Source("test.net", t)) for t in (text, found))
    assert said(after.statements) == said(before.statements)
    assert [c.text for c in after.comments] == [c.text for c in before.comments]
    assert formatted(found) == found
    assert ("\r" in found) == ("\r\n" in text[: text.find("\n") + 1])
    found = found.replace("\r\n", "\n")
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
    assert [line for line in after.split("\n") if len(line.split("  #")[0]) > LINE_WIDTH] == []


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs(path: Path) -> None:
    """The shipped specs keep their meaning and their comments."""
    check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("*.net")), ids=lambda path: path.stem)
def test_specs_are_canonical(path: Path) -> None:
    """What ships is in canonical form."""
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


def test_the_manual() -> None:
    """The manual's page shows a program, and then what becomes of it."""
    page = (SHIPPED.parent / "docs" / "language" / "formatting.md").read_text(encoding="utf-8")
    before, after = (block.split("```")[0] for block in page.split("```net\n")[1:])
    assert formatted(before) == after


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_random_programs(random: Random) -> None:
    """Whatever a program says and however it is laid out, its tree and its comments are kept."""
    check(random_program(random))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 4000, 500))
def test_many_random_programs(first: int) -> None:
    """Thousands of random programs keep their trees and their comments."""
    for seed in range(first, first + 500):
        check(random_program(Random(seed)))


def test_syntax_errors() -> None:
    """A program that does not parse is refused with the parser's own words."""
    formatting = refusal(formatted, "INPUT CONV")
    assert formatting == refusal(parse, Source("test.net", "INPUT CONV"))


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
    assert formatted("a -> b # c\r\n\r\n\r\nb\r\n") == "a -> b  # c\r\n\r\nb\r\n"


def test_pools_with_defaults_of_their_own() -> None:
    """A pool keeps its spelling where new defaults might tell one spelling from another."""
    text = "default POOL(3x3, avg)\nx -> maxpool\n"
    assert formatted(text) == text

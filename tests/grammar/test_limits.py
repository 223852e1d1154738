"""Hostile and mistaken text: limits hold, and nothing but a `NetError` ever comes out."""

import os
import signal
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netc
from netc.grammar.ast import Module
from netc.grammar.diagnostics import Diagnostic, NetError, render_all
from netc.grammar.limits import MAX_NESTING, MAX_TEXT
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source


def codes(text: str) -> list[str]:
    """The codes of the errors of a program."""
    try:
        parse(Source("test.net", text))
    except NetError as failure:
        return [diagnostic.code for diagnostic in failure.diagnostics]
    return []


DEEP = {
    "brackets": "a -> " + "(" * 101 + "b" + ")" * 101,
    "a million brackets": "(" * 10**6,
    "a sum": "let x = " + "+".join("1" * 5000),
    "a power": "let x = " + "^".join("1" * 5000),
    "signs": "let x = " + "-" * 5000 + "1",
    "not": "let x = " + "not " * 5000 + "a",
    "choices": "let x = " + "if a then b else " * 2000 + "c",
    "attributes": "let x = a" + ".b" * 5000,
    "indices": "let x = a" + "[0]" * 5000,
    "else if": "a -> if b { c }" + " else if b { c }" * 2000,
    "a sum in an argument": "a -> b(c=" + "+".join("1" * 5000) + ")",
    "a sum in a count": "[a]*(" + "+".join("1" * 5000) + ")",
    "a sum in a label": "a as b{" + "+".join("1" * 5000) + "}",
    "sums in sums": "let x = " + "(" * 50 + "1" + "+1+1+1)" * 50,
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_text_is_refused(kind: str) -> None:
    """Whatever nests deeper than the limit is E402, with brackets or without."""
    assert codes(DEEP[kind]) == ["E402"]


SHALLOW = {
    "brackets": "a -> " + "(" * 100 + "b" + ")" * 100,
    "a sum": "let x = " + "+".join("1" * MAX_NESTING),
    "else if": "a -> if b { c }" + " else if b { c }" * (MAX_NESTING - 1),
    "comparisons": "let x = " + "<".join("a" * 5000),
    "a list": "let x = [" + "1, " * 5000 + "]",
    "many ifs": "a -> if b { c } else { d }\n" * 300,
    "a dotted label": "a as b" + ".c" * 5000,
}


@pytest.mark.parametrize("kind", SHALLOW)
def test_wide_text_is_not_deep(kind: str) -> None:
    """Up to the limit, and in any width, text parses."""
    assert codes(SHALLOW[kind]) == []


def test_too_much_text() -> None:
    """Text over 10 MiB is refused before it is parsed."""
    assert codes(" " * (MAX_TEXT + 1)) == ["E403"]


@pytest.mark.parametrize(
    "text",
    [
        "let x = 9223372036854775808",
        "let x = 10000000000G",
        "let x = " + "9" * 10_000,
        "let x = 1x9223372036854775808",
        "let x = 1e400",
        "let x = 1.0e" + "9" * 100 + "M",
        "a -> conv3-9223372036854775808",
    ],
)
def test_large_numbers(text: str) -> None:
    """Integers beyond 2^63 - 1 and floats beyond their range are E404."""
    assert codes(text) == ["E404"]


@pytest.mark.slow
def test_thirty_thousand_layers() -> None:
    """A chain of 30,000 layers parses without recursion, in seconds."""
    text = "INPUT" + "\n  -> CONV(3x3, 8) -> RELU" * 15_000
    start = time.process_time()
    tree = parse(Source("test.net", text))
    assert time.process_time() - start < 6  # 1 on an idle machine
    (chain,) = tree.statements
    assert len(chain.chain.steps) == 30_001  # type: ignore[union-attr]  # a chain, as written


TOKENS = (
    "INPUT CONV a b 3x3 8 1.5 10k -> -> -> | ( ) [ ] { } *2 * + - / // % ^ < == not and or if then"
    ' else for in as let x = = block net "s" output assert train default import language conv3-8'
    " , : ; . .0 FC( w[ d{i} yes no # \n \n \n @ \u00d7 \\ ' \" _ \u00a0 3xk 10K"
).split(" ")


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), max_size=40), st.sampled_from(["", " "]))
def test_token_soup(words: list[str], glue: str) -> None:
    """Any sequence of tokens gives a tree, or errors that render."""
    check_anything(glue.join(words))


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_arbitrary_text(text: str) -> None:
    """Any text gives a tree, or errors that render."""
    check_anything(text)


def check_anything(text: str) -> None:
    """Parse a text, and look at every diagnostic's place."""
    diagnostics: tuple[Diagnostic, ...] = ()
    try:
        assert isinstance(parse(Source("test.net", text)), Module)
    except NetError as failure:
        diagnostics = failure.diagnostics
    assert isinstance(render_all(diagnostics), str)
    for span in (diagnostic.span for diagnostic in diagnostics):
        assert span is None or 0 <= span.start <= span.end <= len(text)


def test_the_limit_of_recursion_is_left_alone() -> None:
    """No part of the parser raises Python's limit of recursion."""
    before = sys.getrecursionlimit()
    codes(DEEP["a sum"])
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize(
    "text",
    [
        'net "' + "a" * 10_001 + '"',
        'net "' + "a" * (MAX_TEXT - 10) + '"',
        "a as b" + ".c" * 3_000_000,
        "let x = a" + ".b" * 3_000_000,
    ],
    ids=["string", "huge string", "label", "attribute"],
)
def test_one_token_that_is_too_long(text: str) -> None:
    """Strings and dotted names beyond any use are refused before they are parsed."""
    start = time.process_time()
    assert codes(text) == ["E403"]
    assert time.process_time() - start < 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_another_thread_parses() -> None:
    """A child of a process that is parsing in another thread can parse as well."""
    parsing = threading.Thread(target=codes, args=("INPUT" + " -> RELU" * 30_000,))
    parsing.start()
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(len(codes("INPUT -> FC")))
    assert os.waitpid(child, 0)[1] == 0
    parsing.join()


UNPRINTABLE = ("\0", "\x1b", "\x7f", "\x9b", "\ud800", "\ufffe", "\uffff")


@pytest.mark.parametrize("character", UNPRINTABLE, ids=ascii)
@pytest.mark.parametrize("form", ['net "a%s"', "a -> b # %s", "a%s -> b"])
def test_characters_that_no_picture_or_file_can_hold(form: str, character: str) -> None:
    """Control characters, lone surrogates and noncharacters are refused wherever they stand."""
    assert codes(form % character) == ["E010"]


def test_uneven_pools_share_a_limit() -> None:
    """The rows that uneven bins gather are counted for the program as a whole."""
    step = "ADAPTIVEPOOL(19999x3) -> ADAPTIVEPOOL(19998x2)"
    netc.compile(f"INPUT(7x7x2) -> {step}")
    with pytest.raises(netc.NetError, match=r"E404.*the limit of such rows in a program"):
        netc.compile(f"INPUT(7x7x2) -> [{step}]*4")

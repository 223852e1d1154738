"""Malformed programs and the whole text that each is answered with.

`syntax_errors.txt` holds the cases, parted by `====`: a program, a line `----`, and the rendered
diagnostics. `--update-golden` writes the answers; they are reviewed like code.
"""

from pathlib import Path

import pytest
from support.refusals import failure_of

from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source
from netc.grammar.syntax_failures.malformed import EXAMPLES

GOLDEN = Path(__file__).with_name("syntax_errors.txt")


def cases() -> list[tuple[str, str]]:
    """Programs, each without its last line break, and their answers."""
    blocks = GOLDEN.read_text(encoding="utf-8").split("====\n")
    pairs = [block.partition("\n----\n") for block in blocks]
    return [(program, expected) for program, _, expected in pairs]


def answer(program: str) -> str:
    """What the parser says of a malformed program."""
    caught = failure_of(parse, Source("test.net", program))
    return f"{caught}\n"


@pytest.mark.parametrize(("program", "expected"), cases(), ids=lambda text: text[:20])
def test_whole_rendered_text(program: str, expected: str, update_golden: bool) -> None:
    """The rendered diagnostics are the recorded ones, to the last caret."""
    if update_golden:
        pytest.skip("written by test_update")
    assert answer(program) == expected


def test_update(update_golden: bool) -> None:
    """The file of cases is rewritten on demand, and else holds just what is read of it."""
    pairs = [(program, answer(program) if update_golden else text) for program, text in cases()]
    text = "====\n".join(f"{program}\n----\n{answered}" for program, answered in pairs)
    if update_golden:
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [text for example in EXAMPLES for text in example.texts])
def test_examples_get_a_message_of_their_own(text: str) -> None:
    """No labelled example falls through to the message for what is not known."""
    found = answer(text)
    assert "does not fit here" not in found
    assert "in the middle of a statement" not in found


def test_later_errors_do_not_depend_on_earlier_programs() -> None:
    """The table of syntax errors, built at the first error, serves the next program as well."""
    first = answer("a -> ")
    assert first.startswith("error[E020]")
    assert answer("x = 5").startswith("error[E018]")
    assert answer("a -> ") == first
    assert parse(Source("test.net", "a -> b")).statements


def test_at_most_twenty_errors() -> None:
    """A program full of errors is not answered with a flood."""
    caught = failure_of(parse, Source("test.net", "x = 5\n" * 100))
    assert len(caught.diagnostics) == 20
    assert [d.span.start for d in caught.diagnostics if d.span] == [
        4 + 6 * line for line in range(20)
    ]

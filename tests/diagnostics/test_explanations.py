"""Every code is explained: by programs from the cases, or in words where no program shows it.

`--update-golden` writes `grammar/explanations.txt` and `docs/diagnostics.md` from the cases.
"""

from pathlib import Path

import pytest
from support.explanations import to_markdown, write_examples

from netc.grammar.codes import CODES
from netc.grammar.explanations import (
    SITUATIONS,
    Example,
    Explanation,
    explain,
    read_examples,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "grammar" / "explanations.txt"
PAGE = ROOT / "docs" / "diagnostics.md"
CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
DIVIDER = "----\n"
MOST = 2  # examples of a code; the shortest show it best


def examples() -> list[tuple[str, Example]]:
    """The examples that the cases give, by code."""
    found: dict[str, list[Example]] = {}
    for case in CASES:
        program, _, answer = case.read_text(encoding="utf-8").partition(DIVIDER)
        if program and answer:
            found.setdefault(case.stem.split("_")[0], []).append(Example(program, answer))
    return [
        (code, example)
        for code in CODES
        for example in sorted(found.get(code, []), key=lambda e: len(e.program + e.answer))[:MOST]
    ]


def test_the_data_file_is_what_the_cases_give(update_golden: bool) -> None:
    """What `netc explain` reads is written from the cases, and nothing is lost in between."""
    text = write_examples(examples())
    if update_golden:
        DATA.write_text(text, encoding="utf-8")
    assert DATA.read_text(encoding="utf-8") == text
    read = [(code, example) for code, found in read_examples(text).items() for example in found]
    assert read == examples()


def test_the_page_is_what_the_cases_give(update_golden: bool) -> None:
    """The manual's page is written from the cases, too."""
    shown = read_examples(write_examples(examples()))
    text = to_markdown(
        Explanation(code, about, SITUATIONS.get(code), shown.get(code, ()))
        for code, about in CODES.items()
    )
    if update_golden:
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    """A code has a program that shows it, or words that do."""
    explanation = explain(code)
    assert explanation.examples or explanation.situation
    for example in explanation.examples:
        assert f"[{code}]: " in example.answer


def test_situations_are_of_codes() -> None:
    """No words are left behind by a code that is gone."""
    assert set(SITUATIONS) <= set(CODES)

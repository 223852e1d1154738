"""The manual lists everything that a `train` block may say, with the defaults that it has."""

import re
from pathlib import Path

import pytest

from netc.compiler.expressions.evaluate import Environment, evaluate
from netc.compiler.training.settings import SETTINGS
from netc.compiler.training.term_table import TERMS
from netc.grammar import ast
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "docs" / "language" / "training.md").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
HEADINGS = {
    "data": "Data",
    "preprocess": "Preprocessing",
    "augment": "Augmentation",
    "loss": "Losses",
    "regularize": "Regularizers",
    "clip": "Clipping",
    "optimizer": "Optimizers",
    "schedule": "Schedules",
}
ARGUMENT = re.compile(r"(\*\*)?`(\w+)=([^`]*)`")


def rows(heading: str) -> dict[str, str]:
    """The arguments' column of a table of the reference, by the names in the first one."""
    section = REFERENCE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    return {name.strip().strip("`"): arguments for _, name, arguments, *_ in cells}


def value(text: str) -> object:
    """The value that a text spells."""
    statement = parse(Source("<test>", f"let x = {text}\n")).statements[0]
    assert isinstance(statement, ast.LetStatement)
    return evaluate(statement.value, Environment(words=True))


@pytest.mark.parametrize("kind", TERMS)
def test_reference_has_every_choice_with_its_arguments(kind: str) -> None:
    """Names, arguments and defaults are those of the table; bold ones are positional."""
    listed = rows(HEADINGS[kind])
    lines = f"the lines under `{HEADINGS[kind]}` in `docs/language/training.md`"
    assert list(listed) == list(TERMS[kind]), f"{lines} are not the rows of the table"
    for name, row in TERMS[kind].items():
        arguments = ARGUMENT.findall(listed[name])
        assert [argument for _, argument, _ in arguments] == list(row.kinds), name
        positional = {*row.numbers, row.size, row.choice}
        for bold, argument, default in arguments:
            assert bool(bold) == (argument in positional), (name, argument)
            assert bool(default) == (argument in row.defaults), (name, argument)
            if default:
                found = row.kinds[argument].convert(value(default))
                assert found == row.defaults[argument], (name, argument)


def test_reference_has_every_setting() -> None:
    """The settings' table is complete, and in order."""
    section = REFERENCE.split("| setting |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(SETTINGS)


@pytest.mark.parametrize("kind", ["loss", "regularize", "clip", "optimizer", "schedule"])
def test_manual_has_the_formula_of_each(kind: str) -> None:
    """Each loss, regularizer, optimizer and schedule is in the manual's tables."""
    for name in TERMS[kind]:
        assert re.search(rf"`{name}[`(]", MANUAL), f"`docs/training.md` has no line on `{name}`"

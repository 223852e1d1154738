"""Tables on terminals of any width, and the list of the zoo."""

import io
import json
import sys
from collections.abc import Callable

import pytest
from support.command_line import Outcome

import netc as package
from netc.cli import run
from netc.cli.terminal import fitted_widths, show_summary
from netc.sources import description, zoo

Call = Callable[..., Outcome]

COUNTS = "11,689,512 parameters, 1,814,073,344 MACs"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Terminal]:
    """Makes standard output a terminal of a width."""

    def make(columns: int) -> Terminal:
        stream = Terminal()
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return make


@pytest.mark.parametrize(
    ("room", "widths"),
    [(100, [9, 3, 6]), (24, [9, 3, 6]), (23, [8, 3, 6]), (20, [5, 3, 6]), (19, [9, 3]), (3, [5])],
)
def test_widths(room: int, widths: list[int]) -> None:
    """The widest cells wrap first, never below their longest word; what has no room is left out."""
    assert fitted_widths([["aaaa bbbb", "ccccc"], ["x", "abc"], ["a\nsecond"]], room) == widths


@pytest.mark.parametrize("columns", [40, 60, 78, 200])
def test_the_layer_table(columns: int, terminal: Callable[[int], Terminal]) -> None:
    """Every line fits, every word is whole, and columns that are left out are named."""
    stream = terminal(columns)
    show_summary(package.load("zoo:resnet18").summary(depth=1))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    words = " ".join(lines).split()
    assert {"stride=2,", "bias=no)", "CONV(7x7,", "parameters"} <= set(words)
    assert ("too narrow" in " ".join(words)) == (columns < 78)
    if columns == 60:
        assert "the terminal is too narrow for `macs`, `receptive_field`;" in " ".join(words)


def test_no_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe the table is whole, also in colour."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "20")
    summary = package.load("zoo:lenet5").summary()
    show_summary(summary)
    assert capsys.readouterr().out == f"{summary}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    show_summary(summary)
    coloured = capsys.readouterr().out
    assert "\x1b[" in coloured
    assert "too narrow" not in coloured


def test_the_list_of_the_zoo(called: Call) -> None:
    """Words filter names and descriptions, whatever their case; counts and descriptions show."""
    found = called("zoo", "ResNet", "torchvision", "18")
    assert found.status == 0
    head, row = found.out.splitlines()
    assert head.split() == ["name", "parameters", "MACs", "description"]
    shown = ["resnet/resnet18", "11,689,512", "1,814,073,344", "ResNet-18, as in torchvision"]
    assert [cell.strip() for cell in row.split("  ") if cell] == shown
    (only,) = json.loads(called("zoo", "resnet18", "--json").out)
    assert only == {
        "name": "resnet/resnet18",
        "params": 11_689_512,
        "macs": 1_814_073_344,
        "description": "ResNet-18, as in torchvision",
    }


def test_no_such_spec(called: Call) -> None:
    """Words that occur nowhere are an error that names the nearest spec."""
    assert called("zoo", "rasnet50") == (
        1,
        "",
        "error[E001]: the zoo has no spec with `rasnet50`\n  = help: did you mean `resnet50`?\n\n",
    )


def test_the_zoo_on_a_narrow_terminal(terminal: Callable[[int], Terminal]) -> None:
    """A few short lines for each spec, none broken inside a word."""
    stream = terminal(50)
    assert run(["zoo", "resnet18"]) == 0
    assert stream.getvalue() == f"resnet/resnet18\n  {COUNTS}\n  ResNet-18, as in torchvision\n"


def test_every_spec_is_described() -> None:
    """Each description is a short sentence without its citations."""
    for name, path in zoo().items():
        text = description(path)
        assert 4 <= len(text) <= 220, name
        assert not text.endswith((".", ":", ",")), name
        assert text.count("(") == text.count(")"), name

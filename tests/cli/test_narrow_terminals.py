"""Tables on terminals of any width, and the list of the zoo."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Call
from support.command_line import netc as command_line

import netc as package
from netc.cli import run
from netc.cli.terminal import show_summary
from netc.sources import description, zoo
from netc.tables import fitted_widths, hanging, table

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


PROGRAM = """\
INPUT(8x8) -> [CONV(3x3, 2) -> BN -> RELU -> POOL]*2 as a_rather_long_name -> FC(10) as head

train {
  data  = digits
  split = (0.1, 0.1, 0.8)
  epochs = 1
}
"""
OTHER = "INPUT(8x8) -> CONV(5x5, 8, bias=no) as stem -> CONV(3x3, 2) as c -> FC(10) as head\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a program, another one, a run, and samples."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "a.net").write_text(PROGRAM)
    (folder / "b.net").write_text(OTHER)
    np.save(folder / "x.npy", np.full((3, 1, 8, 8), 0.5, np.float32))
    assert command_line("train", "a.net", cwd=folder).status == 0
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "diff a.net b.net",
        "evaluate a.net --run run",
        "explain",
        "gradcheck a.net --samples 2",
        "predict a.net --run run --input x.npy --top 5",
        "run a.net --input x.npy",
        "run a.net --input x.npy --weights run/weights.safetensors",
        "sanity a.net --steps 2",
        "summary a.net",
        "zoo resnet",
    ],
)
def test_tables(
    command: str,
    trained: Path,
    terminal: Callable[[int], Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines fit the terminal, and each word is one that a wide terminal shows as well."""
    monkeypatch.chdir(trained)
    wide = terminal(1000)
    status = run(command.split())
    own = {"class", "parameter", "parameters,"}  # blocks tell the names of columns
    words = {word.strip("[]") for word in wide.getvalue().split()} | own
    for columns in (40, 60, 80):
        narrow = terminal(columns)
        assert run(command.split()) == status
        assert max(map(len, narrow.getvalue().splitlines())) <= columns
        if "summary" not in command:  # which leaves columns out, and says so
            assert {word.strip("[]") for word in narrow.getvalue().split()} <= words


def test_a_table_becomes_blocks() -> None:
    """Where a row does not fit, its cells stand side by side with the names of their columns."""
    rows = [
        ["class", "precision", "f1", ""],
        ["a cat", "0.5", "0.75", ""],
        ["b", "1", "0", "WRONG"],
    ]
    aligned = ["class  precision    f1", "a cat        0.5  0.75", "b              1     0  WRONG"]
    assert table(rows, room=None) == aligned
    assert table(rows, room=29) == aligned
    assert table(rows, room=28) == [
        *("class a cat", "  precision 0.5  f1 0.75"),
        *("class b", "  precision 1  f1 0  WRONG"),
    ]
    assert table(rows, room=15)[:3] == ["class a cat", "  precision 0.5", "  f1 0.75"]


@pytest.mark.parametrize(
    ("head", "text", "lines"),
    [
        ("", "short", ["short"]),
        ("ok  ", "one two three four five", ["ok  one two three four", "    five"]),
        ("ok  ", "one " + "x" * 21, ["ok", "  one", "  " + "x" * 21]),
        ("a head of its own  ", "one two", ["a head of its own", "  one two"]),
        (" " * 10, "one two three four", ["  one two three four"]),
    ],
)
def test_a_text_after_a_head(head: str, text: str, lines: list[str]) -> None:
    """Further lines stand below the first; where there is too little room, below the head."""
    assert hanging(head, text, 24) == lines
    assert hanging(head, text, None) == [head + text]


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
    found = called("zoo", "ResNet", "torchvision", "18").ok()
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

"""`netc show`: each picture from the command line, its file, and wrong usage."""

import re
from pathlib import Path

import pytest
from support.command_line import Call

from netc.show import __all__ as PICTURES

DIGITS = "INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> POOL -> FC(10)\ntrain { data = digits }\n"
SPIRALS = "INPUT(2) -> FC(8) -> TANH -> FC(3)\ntrain { data = spirals(30), epochs = 2 }\n"
STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture
def runs(here: Path, called: Call) -> Path:
    """A folder with two runs: `run` on digits, `plane` on points."""
    (here / "plane.net").write_text(SPIRALS)
    (here / "digits.net").write_text(DIGITS)
    assert called("train", "digits.net", "--epochs", "1", "-o", "run").status == 0
    assert called("train", "plane.net", "-o", "plane").status == 0
    return here


def test_every_picture(runs: Path, called: Call) -> None:
    """Each function of `netc.show` is a command, which writes its picture and says so."""
    pictures = {
        "activations": ["plane.net"],
        "boundary": ["plane.net", "--run", "plane"],
        "filters": ["digits.net", "--run", "run", "--most", "2"],
        "history": ["run", "plane", "--metric", "accuracy"],
        "maps": ["digits.net", "--run", "run", "--sample", "2", "--most", "2"],
        "predictions": ["digits.net", "--run", "run", "--part", "validation", "--most", "3"],
        "receptive": ["digits.net", "conv1", "--at", "0", "1"],
        "saliency": [
            "digits.net",
            "--run",
            "run",
            "--class",
            "3",
            "--label",
            "output",
            "--sample",
            "1",
        ],
        "samples": ["digits.net", "--set", "augment=flip", "--count", "2", "--draws", "1"],
        "weights": ["digits.net", "--weights", "run/weights.safetensors"],
    }
    assert sorted(pictures) == sorted(PICTURES)
    for name, arguments in pictures.items():
        found = called("show", name, *arguments)
        assert (found.status, found.out, found.err) == (0, f"wrote {name}.svg\n", ""), name
        assert (runs / f"{name}.svg").read_bytes().startswith(STARTS["svg"])


@pytest.mark.parametrize("format", STARTS)
def test_formats(format: str, called: Call, tmp_path: Path) -> None:
    """The suffix chooses the format, or `--format` does."""
    chain = "INPUT(3) -> FC(2) -> TANH"
    assert called("show", "weights", chain, "-o", f"w.{format}").status == 0
    assert called("show", "activations", chain, "-o", "a", "--format", format).status == 0
    for name in (f"w.{format}", "a"):
        assert (tmp_path / name).read_bytes().startswith(STARTS[format])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["filters", "digits.net"], 1, "error[E546]: there are no weights"),
        (["weights", "digits.net", "-o", "w.gif"], 1, "error[E505]: there is no picture format"),
        (["activations", "digits.net", "--span", "0"], 1, "error[E103]: the span must be"),
        (["receptive", "digits.net", "conv7"], 1, "error[E101]: unknown layer or value `conv7`"),
        (["boundary", "zoo:xor", "--data", "digits"], 1, "error[E566]: a sample of `digits`"),
        (["history", "nothing"], 1, "error[E546]: `nothing` holds no history"),
        (["maps", "digits.net", "--rename", "a=b"], 2, "`--rename` needs `--weights`"),
        (["filter", "digits.net"], 2, "no command `filter`; did you mean `filters`?"),
        (["saliency", "digits.net", "--sample", "-1"], 2, "Invalid value for '--sample'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(
    arguments: list[str], status: int, message: str, called: Call, here: Path
) -> None:
    """Errors are diagnostics with status 1, or wrong usage with status 2; nothing is written."""
    before = sorted(here.iterdir())
    found = called("show", *arguments)
    assert found.status == status
    assert message in re.sub(r"\s+", " ", found.err)
    assert sorted(here.iterdir()) == before

"""`netc bench`: what it prints, and its exit status."""

import json
import re
from pathlib import Path

import pytest
from support.command_line import netc

PROGRAM = """INPUT(4x4x2) -> CONV(3x3, 4) as conv -> RELU -> FC(3) as scores
train { loss = cross_entropy, optimizer = sgd(lr=0.1), batch = 5 }
"""
QUICK = ("--seconds", "0", "--threads", "1")
NUMBER = r"[\d.,e+-]+"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder with a program that can be trained."""
    (tmp_path / "net.net").write_text(PROGRAM)
    return tmp_path


def test_both_modes_have_a_table(folder: Path) -> None:
    """Forward and a step each have a row for each engine, in samples of the block's batch."""
    engines = ("--engine", "numpy", "--engine", "onnxruntime")
    found = netc("bench", "net.net", *engines, *QUICK, cwd=folder).quiet()
    forward, step = found.out.split("net: ")[1:]
    assert forward.startswith("forward, batch 5\n")
    assert step.startswith("a step of training, batch 5\n")
    for text in (forward, step):
        assert re.search(rf"^numpy( +{NUMBER}){{4}} +{NUMBER}% +- +({NUMBER}|-)$", text, re.M)
        assert re.search(rf"^onnxruntime( +{NUMBER}){{4}} ", text, re.M)
        assert re.search(r"^the machine: \d+ GFLOP/s in products of matrices, ", text, re.M)


def test_json_holds_all_figures(folder: Path) -> None:
    """JSON is a list of modes, with seconds of each round."""
    options = ("--step", "--batch", "7", "--engine", "numpy", "--json")
    found = netc("bench", "net.net", *options, *QUICK, cwd=folder)
    (mode,) = json.loads(found.out)
    assert (mode["network"], mode["mode"], mode["batch"]) == ("net", "step", 7)
    (timing,) = mode["timings"]
    assert (timing["contender"], timing["failure"], len(timing["rounds"])) == ("numpy", None, 5)
    forward = 7 * (16 * 9 * 2 * 4 + 64 * 3)
    # The first layer needs no gradient of its input.
    assert mode["macs"] == 2 * forward + 7 * 64 * 3


def test_a_network_without_a_loss_runs_forward(folder: Path) -> None:
    """What no loss fits is timed forward, and that is said."""
    found = netc("bench", "INPUT(4) -> FC(1)", "--engine", "numpy", *QUICK, cwd=folder).ok()
    assert found.out.startswith("chain: forward, batch 32\n")
    assert "a step" not in found.out
    assert found.err == (
        "no step of training is timed: the output `output` has one channel: 1, which"
        " `cross_entropy` does not take\n"
    )


def test_profile_has_a_row_for_each_layer(folder: Path) -> None:
    """Layers stand in order with their shares, and a picture holds the same names."""
    found = netc("bench", "net.net", "--profile", "-o", "times.svg", *QUICK, cwd=folder).quiet()
    lines = found.out.splitlines()
    assert lines[0] == "net: a step of training on NumPy, batch 5"
    rows = [line.split()[0] for line in lines[3:8]]
    assert rows == ["conv", "relu1", "scores", "loss", "update"]
    shares = [float(share) for share in re.findall(r" ([\d.]+)% ", found.out)[:5]]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert lines[-1] == "wrote times.svg"
    assert (folder / "times.svg").read_text().startswith("<?xml")


def test_profile_forward_has_no_backward_column(folder: Path) -> None:
    """Forward alone there is no gradient, and no update."""
    found = netc("bench", "net.net", "--profile", "--forward", *QUICK, cwd=folder)
    assert "backward" not in found.out
    assert "update" not in found.out


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("net.net", "--engine", "torch"), 1, "error[E502]: unknown engine `torch`"),
        (("net.net", "--batch", "0"), 2, "0 is not in the range x>=1"),
        (("net.net", "--batch", f"{10**20}"), 1, "error[E507]"),
        (("net.net", "--threads", "0"), 2, "0 is not in the range 1<=x<=1024"),
        (("net.net", "--seconds", "nan"), 2, "nan is not a number"),
        (("net.net", "--profile", "--step", "--forward"), 2, "`--profile` is of one mode"),
        (("net.net", "-o", "a.svg"), 2, "`-o` draws what `--profile` finds"),
        (("net.net", "--profile", "--engine", "numpy"), 2, "it excludes `--engine`"),
        (("nothing.net",), 1, "error[E001]"),
        (("INPUT(4) -> FC(1)", "--step"), 1, "error[E132]"),
        (("INPUT((H, W, 3)) -> CONV -> GAP -> FC(3)", "--forward"), 1, "error[E565]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_faults(arguments: tuple[str, ...], status: int, text: str, folder: Path) -> None:
    """Wrong usage ends with 2, and what does not fit with 1; nothing is timed."""
    found = netc("bench", *arguments, cwd=folder)
    assert found.status == status
    assert text in found.err
    assert found.out == ""


def test_the_plan(folder: Path) -> None:
    """Each step has its layout, its memory and its threads; chains are one step."""
    (folder / "net.net").write_text(
        "INPUT(16x16x2) -> CONV(3x3, 4) as conv -> RELU -> POOL -> FC(3) as scores\n"
        "train { loss = cross_entropy, optimizer = sgd(lr=0.1, momentum=0.9), batch = 16 }\n"
    )
    found = netc("bench", "net.net", "--plan", cwd=folder).quiet()
    forward, step = found.out.split("net: ")[1:]
    assert forward.startswith("forward, batch 16\n\nstep  operators")
    lines = [line.split("  ") for line in forward.splitlines()]
    rows = {
        cells[1].strip(): [c.strip() for c in cells[2:] if c.strip()]
        for cells in map(_cells, lines)
        if len(cells) > 2
    }
    assert rows["Conv Relu"][:2] == ["float32[16, 4, 16, 16]", "batch innermost"]
    assert rows["Conv Relu"][2].startswith("arena + ")
    assert rows["Gemm"] == ["float32[16, 3]", "row-major", "leaves", "1"]
    assert re.search(r"^arena: [\d,]+ bytes$", forward, re.M)
    assert re.search(r" Exp +float32\[16, 3\] +\d+'s ", step)  # in place of what it reads
    assert re.search(r" Mul Add Mul Sub +float32\[4, 2, 3, 3\] +row-major +leaves ", step)


def _cells(parts: list[str]) -> list[str]:
    """A row's cells, without the blanks between them."""
    return [part.strip() for part in parts if part.strip()]


def test_the_plan_times_nothing(folder: Path) -> None:
    """What only times can use is refused."""
    found = netc("bench", "net.net", "--plan", "--profile", cwd=folder)
    assert found.status == 2
    assert "times nothing" in found.err

"""`netc gradcheck sanity features`: what they print, and their exit status."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from support.command_line import ENVIRONMENT, netc, netc_process

NETWORK = "INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> POOL -> FC(10)"
PROGRAM = f"{NETWORK}\ntrain {{\n  data = digits\n  epochs = 1\n}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program that trains on digits."""
    (tmp_path / "net.net").write_text(PROGRAM)
    return tmp_path


def test_gradcheck_on_data(folder: Path) -> None:
    """A row per parameter, and a verdict."""
    found = netc("gradcheck", "net.net", "--samples", "5", cwd=folder).quiet()
    rows = found.out.splitlines()
    head = ["parameter", "compared", "kinks", "error", "at", "gradient", "difference"]
    assert rows[0].split() == head
    assert [row.split()[0] for row in rows[1:-1]] == [
        *("conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias")
    ]
    assert rows[-1] == (
        "all gradients agree with central differences on 4 samples of the data, to 1e-06"
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "hinge"])
def test_gradcheck_without_data(loss: str, tmp_path: Path) -> None:
    """Without a `train` block inputs and targets are drawn, for any loss."""
    found = netc("gradcheck", NETWORK, "--loss", loss, "--samples", "all", cwd=tmp_path).ok()
    assert found.out.endswith("on 4 samples drawn at random, to 1e-06\n")


def test_gradcheck_of_tokens(tmp_path: Path) -> None:
    """Integers that look up a table are drawn below its number of rows."""
    chain = "INPUT(6, dtype=int64) -> EMBED(12, 4) -> GAP -> FC(3)"
    found = netc("gradcheck", chain, "--json", cwd=tmp_path).ok()
    rows = json.loads(found.out)
    assert [row["ok"] for row in rows] == [True] * 3


def test_gradcheck_json_repeats(folder: Path) -> None:
    """The same seed prints the same, another one compares other numbers."""
    command = ("gradcheck", "net.net", "--json", "--samples", "3", "--seed")
    first, second, other = (netc(*command, seed, cwd=folder).out for seed in ("1", "1", "2"))
    assert first == second != other


def test_gradcheck_names_a_wrong_gradient(folder: Path) -> None:
    """A wrong rule makes it exit with 1, and marks the parameters that it spoils."""
    (folder / "sitecustomize.py").write_text(WRONG)
    env = {**ENVIRONMENT, "PYTHONPATH": f"{folder}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"}
    found = netc_process("gradcheck", "net.net", "--samples", "5", cwd=folder, env=env)
    assert found.status == 1, found.err
    marked = [row.split()[0] for row in found.out.splitlines() if row.endswith("WRONG")]
    assert marked == ["conv1.weight", "conv1.bias"]
    assert "2 of 4 gradients are wrong" in found.out


WRONG = """
from dataclasses import replace
from netc.compiler import ops
from netc.compiler.ops.opdef import OPS
right = OPS.named("Relu").vjp
def twice(build, call):
    (dx,) = right(build, call)
    return [build.Add(dx, dx)]
OPS[OPS.named("Relu").key] = replace(OPS.named("Relu"), vjp=twice)
"""


@pytest.mark.parametrize("samples", ["0", "-1", "some", "1.5"])
def test_gradcheck_refuses_odd_numbers(samples: str, folder: Path) -> None:
    """Wrong usage exits with 2."""
    found = netc("gradcheck", "net.net", "--samples", samples, cwd=folder)
    assert found.status == 2
    assert "is neither a number nor `all`" in found.err


def test_gradcheck_of_open_extents(tmp_path: Path) -> None:
    """An input without a size is an error that says what to do."""
    found = netc("gradcheck", "INPUT((H, W, 3)) -> CONV -> GAP -> FC(3)", cwd=tmp_path).failed()
    assert found.err == (
        "error[E565]: `input` has open extents: float32[N, 3, H, W]\n"
        "  = help: name data in a `train` block, or give the input a size\n\n"
    )


def test_sanity(folder: Path) -> None:
    """A line per check, and 0 where all are well."""
    found = netc("sanity", "net.net", cwd=folder).ok()
    assert [row[:4] for row in found.out.splitlines()] == ["ok  "] * 9
    assert "expected 2.303 (ln 10)" in found.out


def test_sanity_of_a_mistake(folder: Path) -> None:
    """1 where a check fails, with advice; JSON holds the same."""
    (folder / "dead.net").write_text(PROGRAM.replace("4)", "4, init=zeros)"))
    found = netc("sanity", "dead.net", "--steps", "5", cwd=folder).failed()
    assert "FAIL  gradients" in found.out
    assert "help: look at what follows" in found.out
    rows = json.loads(netc("sanity", "dead.net", "--steps", "5", "--json", cwd=folder).out)
    assert "gradients" in [row["name"] for row in rows if not row["ok"]]


def test_sanity_needs_data(tmp_path: Path) -> None:
    """Without data there is nothing to look at."""
    found = netc("sanity", NETWORK, cwd=tmp_path).failed()
    assert "[E544]" in found.err


def test_features(folder: Path) -> None:
    """A layer's output goes to a file, which a head is trained on."""
    assert netc("train", "net.net", "-o", "run", cwd=folder).status == 0
    found = netc(
        "features", "net.net", "--run", "run", "--label", "pool1", "-o", "f.npz", cwd=folder
    ).ok()
    assert found.out == "1797 samples of 4x4x4 numbers of `pool1` written to f.npz\n"
    with np.load(folder / "f.npz") as file:
        assert (file["x"].shape, file["y"].shape) == ((1797, 4, 4, 4), (1797,))
    head = (
        'INPUT(4x4x4) -> FC(10)\ntrain {\n  data = npz("f.npz")\n  loss = hinge\n  epochs = 1\n}\n'
    )
    (folder / "head.net").write_text(head)
    assert netc("train", "head.net", "-o", "head", cwd=folder).status == 0


def test_features_with_another_head(folder: Path) -> None:
    """Weights of another head are left out where a pattern says so, and the report says it."""
    assert netc("train", "net.net", "-o", "run", cwd=folder).status == 0
    (folder / "five.net").write_text(PROGRAM.replace("FC(10)", "FC(12)"))
    command = ("features", "five.net", "--weights", "run/weights.safetensors", "--label", "pool1")
    refused = netc(*command, "-o", "f.npz", cwd=folder).failed()
    assert "[E562]" in refused.err
    found = netc(*command, "-o", "f.npz", "--allow", "fc1.*", cwd=folder).ok()
    assert "2 unfit, initialized: fc1.weight" in found.out

"""Weights as PyTorch names and stores them: state dicts, wrappers, counters, pickles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import Call

import netc as package
from netc.runtime.weights.foreign_names import new_name

PROGRAM = "INPUT(8x8x1) -> CONV(3x3, 2) as conv -> BN as bn -> RELU -> FC(3) as head"


def weights(folder: Path, change: Callable[[str], str], **more: Any) -> Path:
    """A file of the network's weights under other names, with PyTorch's counter."""
    state = {
        name: np.array(array) for name, array in package.compile(PROGRAM).initialize(3).items()
    }
    state["bn.num_batches_tracked"] = np.array(7)
    package.save_weights(folder / "w.safetensors", {change(n): a for n, a in state.items()} | more)
    return folder / "w.safetensors"


def outputs(called: Call, folder: Path, *options: str) -> Any:
    """What `netc run` computes with weights."""
    np.save(folder / "x.npy", np.ones((2, 1, 8, 8), np.float32))
    words = [PROGRAM, "--input", f"{folder}/x.npy", "-o", f"{folder}/y.npy", *options]
    called("run", *words).quiet()
    return np.load(folder / "y.npy")


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "module._orig_mod.", "state_dict.", "model.", "model.module."],
)
def test_wrappers(called: Call, tmp_path: Path, prefix: str) -> None:
    """What stands before every name is left out, and the counters of BN are."""
    path = weights(tmp_path, lambda name: prefix + name)
    expected = outputs(called, tmp_path, "--seed", "3")
    assert np.array_equal(outputs(called, tmp_path, "--weights", str(path)), expected)


def test_new_names(called: Call, tmp_path: Path) -> None:
    """`--rename` gives beginnings of names others, on every command that takes weights."""
    path = weights(tmp_path, lambda name: f"module.net.{name}".replace("net.head", "net.fc"))
    options = ["--weights", str(path), "--rename", "net.=", "--rename", "net.fc=head"]
    expected = outputs(called, tmp_path, "--seed", "3")
    assert np.array_equal(outputs(called, tmp_path, *options), expected)
    wrapped = ["--weights", str(path), "--rename", "module.net.=", "--rename", "module.net.fc=head"]
    assert np.array_equal(outputs(called, tmp_path, *wrapped), expected)
    called("export", PROGRAM, *options, "-o", f"{tmp_path}/a.onnx", "--verify").quiet()


def test_a_name_of_nothing(called: Call, tmp_path: Path) -> None:
    """A new name for a beginning that no weight has is refused, and so is no new name at all."""
    path = str(weights(tmp_path, str))
    out = ["-o", f"{tmp_path}/a.onnx"]
    found = called("export", PROGRAM, "--weights", path, "--rename", "heda.=x.", *out).failed()
    assert "[E563]: no weight's name begins with `heda.`" in found.err
    assert called("export", PROGRAM, "--weights", path, "--rename", "head", *out).status == 2
    assert called("export", PROGRAM, "--rename", "a=b", *out).status == 2


def test_counters_in_python() -> None:
    """A state dict with counters fits as it is."""
    network = package.compile(PROGRAM)
    state = {**network.initialize(0), "bn.num_batches_tracked": np.array(1)}
    network.check_weights(state)


def test_patterns(called: Call, tmp_path: Path) -> None:
    """`--rename` takes patterns, whose `*` stand for what they stand for in the new name."""
    path = weights(tmp_path, lambda name: f"net.{name}.data")
    options = ["--weights", str(path), "--rename", "net.*.data=*"]
    expected = outputs(called, tmp_path, "--seed", "3")
    assert np.array_equal(outputs(called, tmp_path, *options), expected)
    longer = [*options, "--rename", "net.*.running_*.data=*.running_*"]
    assert np.array_equal(outputs(called, tmp_path, *longer), expected)
    for pattern, message in (
        ("net.*.date=*", "[E563]: no weight's name matches `net.*.date`"),
        ("net.*=*.*", "[E563]: `*.*` has more `*` than `net.*`"),
        ("net.*.data=same", "would be renamed to `same`"),
    ):
        found = called("run", PROGRAM, "--weights", str(path), "--rename", pattern)
        assert (found.status, message in found.err) == (1, True)


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("encoder.0.w", "enc.0.w"),
        ("layers.3.attn.q", "blocks.3.attention.q"),
        ("layers.3.attn.attn.q", "blocks.3.attention.attn.q"),
        ("norm.gamma", "norm.weight"),
        ("head.bias", "out.bias"),
        ("a+b.c", "sum.c"),
        ("other", "other"),
    ],
)
def test_new_names_by_pattern(name: str, new: str) -> None:
    """Of all that fit, the longest counts; the first `*` stands for as little as possible."""
    table = {
        "encoder.*": "enc.*",
        "layers.*.attn.*": "blocks.*.attention.*",
        "*.gamma": "*.weight",
        "head": "out",
        "a+b.": "sum.",
    }
    assert new_name(name, table) == new


@pytest.mark.oracle
@pytest.mark.parametrize("wrap", [{}, {"epoch": 3}], ids=["plain", "checkpoint"])
def test_a_checkpoint(called: Call, tmp_path: Path, wrap: dict[str, Any]) -> None:
    """A file of `torch.save`, wrapped by training and `DataParallel`, runs as it is."""
    torch = pytest.importorskip("torch")
    state = {
        f"module.{n}": torch.tensor(np.array(a))
        for n, a in package.compile(PROGRAM).initialize(3).items()
    }
    state["module.bn.num_batches_tracked"] = torch.tensor(1)
    torch.save({**wrap, "state_dict": state} if wrap else state, tmp_path / "w.pt")
    expected = outputs(called, tmp_path, "--seed", "3")
    got = outputs(called, tmp_path, "--weights", f"{tmp_path}/w.pt")
    assert np.array_equal(got, expected)

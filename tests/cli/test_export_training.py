"""`netc export --training`: one step of training as an ONNX model."""

from pathlib import Path

import numpy as np
import onnx
from support.command_line import netc

from netc.runtime.engines.session import Session


def test_one_step(tmp_path: Path) -> None:
    """The model moves weights against their gradient at the rate that it is fed with."""
    found = netc(
        *("export", "INPUT(2) -> FC(1, bias=no)", "-o", "step.onnx", "--training"),
        *("--set", "loss=mse", "--set", "optimizer=sgd"),
        cwd=tmp_path,
    ).quiet()
    assert found.out == "wrote step.onnx\n"
    model = onnx.load(tmp_path / "step.onnx")
    settings = {entry.key: entry.value for entry in model.metadata_props}
    assert settings["train.loss"] == "{output: mse}"
    session = Session(str(tmp_path / "step.onnx"))
    feeds = {
        "input": np.array([[1.0, 2.0]], np.float32),
        "target": np.array([[1.0]], np.float32),
        "fc1.weight": np.array([[1.0, 1.0]], np.float32),
        "lr": np.float32(0.1),
        "momentum": np.float32(0),
        "step": np.int64(0),
    }
    results = session.run({name: feeds[name] for name in session.inputs})
    assert results["loss"] == 4.0  # (3 - 1)^2
    np.testing.assert_allclose(results["fc1.weight.next"], [[0.6, 0.2]], rtol=1e-6)


def test_weights_are_inputs(tmp_path: Path) -> None:
    """Weights cannot be put into a step, and the command says so."""
    found = netc(
        *("export", "INPUT(2) -> FC", "-o", "s.onnx", "--training", "--weights", "w.npz"),
        cwd=tmp_path,
    )
    assert found.status == 2
    assert "a step takes weights as inputs" in found.err
    assert list(tmp_path.iterdir()) == []

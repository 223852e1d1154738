"""ONNX models where commands take files."""

from pathlib import Path

import numpy as np
from support.command_line import Call

import netc


def test_both_engines_run_a_model(called: Call, tmp_path: Path) -> None:
    """`netc run` takes a model on onnxruntime as it is, and on NumPy as a network."""
    netc.load("zoo:lenet5").export(tmp_path / "m.onnx", seed=1)
    np.save(tmp_path / "x.npy", np.ones((2, 1, 32, 32), np.float32))
    for engine in ("numpy", "onnxruntime"):
        files = ("--input", "x.npy", "--output", f"{engine}.npz")
        assert called("run", "m.onnx", "--engine", engine, *files).status == 0
    (y,), (again,) = (np.load(tmp_path / f"{e}.npz").values() for e in ("numpy", "onnxruntime"))
    np.testing.assert_allclose(y, again, rtol=1e-4, atol=1e-5)


def test_models_are_no_programs(called: Call, tmp_path: Path) -> None:
    """`netc fmt` says what makes a program of a model."""
    netc.compile("INPUT(4) -> FC(2)").export(tmp_path / "m.onnx")
    found = called("fmt", "m.onnx").failed()
    assert "error[E505]: `m.onnx` is an ONNX model, and no program" in found.err
    assert "`netc import` writes a model as a program" in found.err

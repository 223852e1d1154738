"""`netc export --dtype`: what the command prints, and what it refuses."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from support.command_line import Call


def test_the_command(called: Call, tmp_path: Path) -> None:
    """`netc export --dtype` reports each output's difference, and `--verify` judges it."""
    found = called("export", "zoo:lenet5", "-o", "m.onnx", "--dtype", "float16", "--verify").quiet()
    first, second, third, fourth = found.out.splitlines()
    assert first == "wrote m.onnx"
    assert second == "float16 against float32 on a random batch of 3"
    assert third.startswith("  output  max |difference| ")
    assert fourth.startswith("float16 and float32 agree within ")
    found = called("export", "zoo:lenet5", "-o", "m.onnx", "--dtype", "bfloat16")
    assert found.out.splitlines()[-1] == (
        "  (onnxruntime has no `Conv` for these operands; computed in float32, each result"
        " rounded to bfloat16)"
    )
    found = called("export", "zoo:lenet5", "-o", "m.onnx", "--dtype", "float16", "--training")
    assert (found.status, "drop --dtype" in found.err) == (2, True)


def test_an_overflow_is_found(called: Call, tmp_path: Path) -> None:
    """Where float16 overflows, the report says so, and `--verify` fails."""
    (tmp_path / "a.net").write_text(
        "INPUT(4) -> FC(8, init=constant(6e4)) -> RELU -> FC(2, init=constant(6e4))"
    )
    found = called("export", "a.net", "-o", "m.onnx", "--dtype", "float16")
    assert (found.status, "inf of the largest" in found.out) == (0, True)
    found = called("export", "a.net", "-o", "m.onnx", "--dtype", "float16", "--verify").failed()
    assert "error[E504]: float16 and float32 differ by inf of the largest" in found.err


@pytest.mark.slow
def test_raw_samples(called: Call, tmp_path: Path) -> None:
    """The preprocessing of a run takes samples beyond float16's range, and stays in float32."""
    random = np.random.default_rng(1)
    rows = [
        f"{x:.1f},{kind}"
        for kind, centre in (("low", 2e5), ("high", 3e5))
        for x in random.normal(centre, 1e4, 40)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["x,kind", *rows]) + "\n")
    (tmp_path / "a.net").write_text(
        "INPUT(1) -> FC(2)\ntrain {\n"
        '  data = csv("a.csv", target="kind")\n  optimizer = sgd(lr=0.3)\n'
        "  preprocess = standardize\n  epochs = 20\n}\n"
    )
    assert called("train", "a.net", "-o", "run").status == 0
    called("export", "a.net", "--run", "run", "-o", "m.onnx", "--dtype", "float16").quiet()
    model = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    x = np.array([[2e5], [3e5]], np.float32)
    (y,) = model.run(None, {"input": x})
    assert y.argmax(axis=1).tolist() == [1, 0]  # classes in the order of their names

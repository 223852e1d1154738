"""`netc import`: a program and its weights, written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from support.command_line import ENVIRONMENT, FULL_DISK, netc

import netc as package


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A small model in the folder that the command runs in."""
    program = "net small\nINPUT(8x8x3) as x -> CONV(3x3, 4) as conv -> RELU -> FC(10) as fc"
    package.compile(program).export(tmp_path / "small.onnx", seed=1)
    return "small.onnx"


def test_program_and_weights(model: str, tmp_path: Path) -> None:
    """Both are written beside each other, and mean what the model means."""
    found = netc("import", model, cwd=tmp_path).quiet()
    assert found.out == (
        "wrote small.net: 4 layers, 2,682 parameters, 9,472 MACs\n"
        "wrote small.safetensors: 4 tensors\n"
    )
    net = package.load(tmp_path / "small.net")
    state = package.load_weights(tmp_path / "small.safetensors")
    net.check_weights(state)
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8), np.float32)
    np.testing.assert_array_equal(
        net.run(x, state),
        package.load(tmp_path / model).run(x),
    )


def test_what_is_written_where(model: str, tmp_path: Path) -> None:
    """`-o` names the program, `--no-weights` leaves the weights out, `-` prints."""
    found = netc("import", model, "-o", "a.net", "--no-weights", cwd=tmp_path)
    assert found.out.startswith("wrote a.net: ")
    assert not (tmp_path / "a.safetensors").exists()
    printed = netc("import", model, "-o", "-", cwd=tmp_path)
    assert printed.out == (tmp_path / "a.net").read_text()
    wrong = netc("import", model, "-o", "a.txt", cwd=tmp_path)
    assert wrong.status == 2
    assert "-o a.net" in wrong.err


def test_nothing_is_overwritten(model: str, tmp_path: Path) -> None:
    """Either file in the way is an error, before anything is written; `--force` overwrites."""
    (tmp_path / "small.safetensors").write_text("mine")
    found = netc("import", model, cwd=tmp_path).failed()
    assert "error[E004]: `small.safetensors` is there already" in found.err
    assert not (tmp_path / "small.net").exists()
    assert (tmp_path / "small.safetensors").read_text() == "mine"
    assert netc("import", model, "--force", cwd=tmp_path).status == 0


def test_a_full_disk_leaves_nothing(model: str, tmp_path: Path) -> None:
    """Where the weights do not fit, there is no program either."""
    package.compile("INPUT(64) as x -> FC(1000) as fc").export(tmp_path / "large.onnx")
    found = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(limit=100_000), "import", "large.onnx"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "error[E004]" in found.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["large.onnx", "small.onnx"]


def test_operators_and_names_are_told(tmp_path: Path) -> None:
    """What is no layer is counted, and an output whose name a program cannot give is named."""
    nodes = [
        helper.make_node("Erf", ["x"], ["a"]),
        helper.make_node("Erf", ["a"], ["b"]),
        helper.make_node("Cos", ["b"], ["12:0"]),
    ]
    shape: list[str | int | None] = ["N", 4]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("12:0", TensorProto.FLOAT, shape)],
    )
    opset = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    found = netc("import", "m.onnx", cwd=tmp_path)
    assert found.out.splitlines()[-2:] == [
        "operators without a layer: Erf 2 times, Cos",
        "the output `12:0` is called `output`",
    ]


def test_what_cannot_be_said(tmp_path: Path) -> None:
    """A fixed batch is opened; an input of another type is refused, and nothing is written."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, [7, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [7, 4])],
    )
    opset = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    found = netc("import", "m.onnx", cwd=tmp_path).failed()
    assert "error[E579]: a program cannot say the input `x` of float16" in found.err
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    found = netc("import", "m.onnx", cwd=tmp_path).ok()
    assert found.out.splitlines()[-1] == "a batch of 7 became one of any number of samples"
    assert "INPUT(4) as x -> RELU" in (tmp_path / "m.net").read_text()


def test_an_open_length(tmp_path: Path) -> None:
    """Counts that depend on an extent are formulas."""
    program = "net open\nINPUT((L, 8), sequence) -> LINEAR(4)"
    package.compile(program).export(tmp_path / "open.onnx", seed=1)
    found = netc("import", "open.onnx", cwd=tmp_path).quiet()
    assert found.out.startswith("wrote open.net: 2 layers, 36 parameters, 32*L MACs\n")

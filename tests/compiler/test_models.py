"""Models without a program: all that users do with a network works on `Model(graph)`."""

from pathlib import Path

import numpy as np
import pytest

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Layer, Value
from netc.compiler.ir.initializers import GLOROT, ZEROS
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.model import Model

TEXT = "INPUT(6) as x -> FC(5) as hidden -> TANH as tanh -> FC(3) as logits\n"


def dense(build: Builder, path: str, x: Value, units: int) -> Value:
    """A dense layer of a graph built by hand."""
    fan_in = x.shape[1]
    assert isinstance(fan_in, int)
    build.scope = path
    weight = build.parameter(f"{path}.weight", (units, fan_in), init=GLOROT)
    bias = build.parameter(f"{path}.bias", (units,), init=ZEROS)
    y = build.Gemm(x, weight, bias, transB=1)
    build.graph.layers[path] = Layer("FC", (y,), {"units": units})
    return y


@pytest.fixture
def net() -> netc.Network:
    """The network of `TEXT`, built node by node."""
    graph = Graph("handmade")
    build = Builder(graph, scope="x")
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 6)))
    arguments = {"size": 6, "dtype": "float32"}
    graph.layers["x"] = Layer("INPUT", (x,), arguments, frozenset({"dtype"}))
    hidden = dense(build, "hidden", x, 5)
    build.scope = "tanh"
    tanh = build.Tanh(hidden)
    graph.layers["tanh"] = Layer("TANH", (tanh,))
    logits = dense(build, "logits", tanh, 3)
    graph.labels.update(x=x, hidden=hidden, tanh=tanh, logits=logits)
    graph.outputs["output"] = logits
    return netc.Network(Model(graph))


def test_what_is_said_of_it(net: netc.Network, tmp_path: Path) -> None:
    """Counts, table and picture are the program's; they differ in defaults that it has not."""
    program = netc.compile(TEXT, name="handmade.net")
    assert (net.params, net.macs, net.name) == (53, 45, "handmade")
    assert str(net.summary()) == str(program.summary())
    assert {change.change for change in netc.diff(net, program).changes} == {"changed"}
    net.draw(tmp_path / "net.dot")
    program.draw(tmp_path / "program.dot")
    assert (tmp_path / "net.dot").read_text() == (tmp_path / "program.dot").read_text()


def test_what_it_computes(net: netc.Network, tmp_path: Path) -> None:
    """It runs, is exported, differentiated and checked."""
    x = np.ones((2, 6), np.float32)
    state = net.initialize(seed=1)
    y = np.asarray(net.run(x, state))
    net.export(tmp_path / "net.onnx", state)
    assert np.allclose(np.asarray(net.run(x, state, engine="onnxruntime")), y, rtol=1e-5)
    errors = net.gradcheck(x, np.array([0, 2]), state, loss="cross_entropy")
    assert set(errors) == {"hidden.weight", "hidden.bias", "logits.weight", "logits.bias"}
    assert max(errors.values()) < 1e-6
    net.export_training(tmp_path / "step.onnx", loss="cross_entropy", optimizer=netc.SGD(lr=0.1))


def test_its_training(net: netc.Network, tmp_path: Path) -> None:
    """It is trained on arrays, and measured with what the run left."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 6)).astype(np.float32)
    data = x, x[:, :3].argmax(1)
    run = net.train(
        data, output=tmp_path / "run", loss="cross_entropy", batch=10, epochs=30, lr=0.5
    )
    assert run.history.rows[-1].loss < 0.5 * run.history.rows[0].loss
    found = net.evaluate(run=tmp_path / "run", data=data, part="all")
    assert found.metrics["accuracy"] > 0.9
    assert len(net.predict(x, run=run).answers["output"]) == 60


def test_what_it_lacks(net: netc.Network) -> None:
    """Without a block of settings the data must be given."""
    with pytest.raises(netc.NetError, match="`handmade` does not say what to train on"):
        net.train(loss="cross_entropy")


def test_without_layers(tmp_path: Path) -> None:
    """A graph of bare operators is counted, drawn and run as a whole."""
    graph = Graph("bare")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 6)))
    weight = build.parameter("weight", (6, 3), init=GLOROT)
    graph.outputs["y"] = build.Relu(build.MatMul(x, weight))
    net = netc.Network(Model(graph))
    assert (net.params, net.macs) == (18, 18)
    assert "18" in str(net.summary())
    net.draw(tmp_path / "net.dot")
    net.draw(tmp_path / "backward.dot", style="backward", loss="mse")
    with pytest.raises(netc.NetError, match="chains of dense layers, and it has no layers"):
        net.draw(tmp_path / "net.svg", style="neurons")
    y = np.asarray(net.run(np.ones((2, 6), np.float32), net.initialize(0)))
    assert y.shape == (2, 3)

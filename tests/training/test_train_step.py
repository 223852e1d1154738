"""The step of training as a graph: its names, and what they may not meet."""

import pytest
from support.refusals import failure_of

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.initializers import ZEROS
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.training.descent import Descent
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import TrainStep, train_step

MSE = Term("loss", "mse", {"half": False})


def step_of(program: str) -> TrainStep:
    """A step of SGD with momentum on the mean squared error."""
    graph = netc.compile(program).graph
    descent = Descent(OPTIMIZERS.term("sgd", momentum=0.9))
    return train_step(graph, Objective({"output": MSE}), descent)


def test_inputs_and_outputs() -> None:
    """Batch, target, scalars and all state come in; the loss and all state that changes go out."""
    step = step_of("INPUT(2) -> FC(3) -> BN -> FC(1, frozen=yes)")
    trained = ["fc1.weight", "fc1.bias", "bn1.weight", "bn1.bias"]
    slots = {f"{name}.momentum" for name in trained}
    buffers = {"bn1.running_mean", "bn1.running_var"}
    frozen = {"fc2.weight", "fc2.bias"}
    state = {*trained, *slots, *buffers, *frozen}
    assert step.slots == slots
    assert step.state.keys() == state
    assert step.graph.inputs.keys() == {"input", "target", "step", "lr", "momentum", *state}
    changing = {f"{name}.next" for name in state - frozen}
    assert step.graph.outputs.keys() == {"output", "loss", *changing}
    assert not step.graph.parameters
    assert {f"{name}.grad" for name in trained} <= step.graph.labels.keys()


def test_names_that_training_needs() -> None:
    """An input of the network is never taken for one of training's own."""
    caught = failure_of(step_of, "INPUT(1) as target -> FC(1)")
    assert caught.diagnostics[0].code == "E134"
    assert "has an input `target`" in str(caught)


@pytest.mark.parametrize("name", ["lr", "momentum", "step"])
def test_scalars_make_way(name: str) -> None:
    """What counts steps, and what is scheduled, has another name where the network takes it."""
    for program in (f"INPUT(1) as {name} -> FC(1)", f"output {name} = INPUT(1) -> FC(1)"):
        graph = netc.compile(program).graph
        objective = Objective(dict.fromkeys(graph.outputs, MSE))
        step = train_step(graph, objective, Descent(OPTIMIZERS.term("adam")))
        own = {"lr", "momentum", "step"} - {name} | {f"train:{name}"}
        assert own <= step.graph.inputs.keys()
        assert (name in step.graph.inputs) == (name in graph.inputs)


def test_a_scalar_of_the_networks_own() -> None:
    """A model from elsewhere may take a scalar of the very type, which data cannot feed."""
    build = Builder(Graph("test"))
    x = build.input("input", TensorType(DType.FLOAT32, (BATCH, 3)))
    scaled = build.Mul(x, build.input("lr", TensorType(DType.FLOAT32, ())))
    w = build.parameter("w", (3, 1), init=ZEROS)
    build.graph.outputs["output"] = build.MatMul(scaled, w)
    with pytest.raises(netc.NetError, match=r"E134.*an input `lr`"):
        train_step(build.graph, Objective({"output": MSE}), Descent(OPTIMIZERS.term("sgd")))

"""The step of training as a graph: its names, and what they may not meet."""

import pytest

import netc
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


@pytest.mark.parametrize("name", ["lr", "momentum", "step", "target"])
def test_names_that_training_needs(name: str) -> None:
    """An input of the network is never taken for one of training's own."""
    with pytest.raises(netc.NetError) as caught:
        step_of(f"INPUT(1) as {name} -> FC(1)")
    assert caught.value.diagnostics[0].code == "E134"
    assert f"has an input `{name}`" in str(caught.value)

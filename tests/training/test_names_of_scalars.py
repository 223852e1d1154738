"""Networks whose inputs bear the names of training's own scalars train as any others."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import netc

PROGRAM = """x = INPUT(4) as image
( x | INPUT(1) as {} ) -> CONCAT -> FC(8) as a -> RELU -> DROPOUT(0.3) -> FC(2) as b
train {{ loss = mse, optimizer = adam(lr=0.01), epochs = 3, batch = 8, split = (0.8, 0.2, 0) }}"""
RANDOM = np.random.default_rng(0)
IMAGE, TIME, TARGET = (RANDOM.normal(size=(40, n)).astype(np.float32) for n in (4, 1, 2))


def trained(name: str, **options: Any) -> Any:
    """A run of the program whose second input has that name."""
    data = ({"image": IMAGE, name: TIME}, TARGET)
    return netc.compile(PROGRAM.format(name)).train(data, **options)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("name", ["step", "lr", "momentum"])
def test_training(name: str, engine: str, tmp_path: Path) -> None:
    """The weights are those of another name's, also of a run that was resumed."""
    folder = str(tmp_path / "run")
    trained(name, engine=engine, output=folder, epochs=2)
    found = trained(name, engine=engine, output=folder, resume=True, epochs=3)
    expected = trained("time", engine=engine)
    for key, array in expected.last.items():
        np.testing.assert_allclose(found.last[key], array, rtol=1e-5, atol=1e-7)


def test_checks_before_training() -> None:
    """Sanity checks, LSUV and gradients feed the network's own input, too."""
    nets = [netc.compile(PROGRAM.format(name)) for name in ("step", "time")]
    feeds = [{"image": IMAGE, name: TIME} for name in ("step", "time")]
    found, expected = (
        [str(check) for check in net.sanity(data=(x, TARGET)) if check.name != "inputs"]
        for net, x in zip(nets, feeds, strict=True)
    )
    assert found == expected
    state = nets[0].initialize(0)
    (loss, gradients), (other, others) = (
        net.value_and_grad(x, TARGET, state) for net, x in zip(nets, feeds, strict=True)
    )
    assert loss == other
    np.testing.assert_array_equal(gradients["a.weight"], others["a.weight"])


def test_an_exported_step(tmp_path: Path) -> None:
    """The model takes `step`, which is the network's, and `train:step`, which counts."""
    path = tmp_path / "step.onnx"
    net = netc.compile(PROGRAM.format("step"))
    net.export_training(path)
    session = onnxruntime.InferenceSession(str(path))
    names = {argument.name for argument in session.get_inputs()}
    assert {"image", "step", "target", "train:step", "lr"} <= names
    state = {name: np.array(array) for name, array in net.initialize(0).items()}
    slots = {name for name in names - state.keys() if "." in name}
    zeros = {name: np.zeros_like(state[name.rpartition(".")[0]]) for name in slots}
    fed: dict[str, Any] = {"image": IMAGE, "step": TIME, "target": TARGET, **state, **zeros}
    fed |= {"train:step": np.int64(0), "lr": np.float32(0.01), "momentum": np.float32(0)}
    (loss,) = session.run(["loss"], {n: np.asarray(fed[n]) for n in names})
    expected, _ = net.value_and_grad({"image": IMAGE, "step": TIME}, TARGET, state)
    assert loss == pytest.approx(expected, rel=1e-5)

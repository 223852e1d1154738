"""Batches that leave BN one value per channel are refused before the first step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of

import netc
from netc.grammar.diagnostics import Diagnostic, NetError
from netc.runtime.engines.session import Session
from netc.runtime.sanity.checks import sanity
from netc.runtime.training.run import train

RANDOM = np.random.default_rng(0)
DENSE = "INPUT(4) -> FC(8) -> BN -> RELU -> FC(3)"
POOLED = "INPUT(4x4x2) -> CONV(3x3, 4) -> GAP -> BN -> FC(3)"
OPEN = "INPUT((L, 4), sequence) -> BN -> GAP -> FC(3)"


def _program(chain: str, **settings: Any) -> str:
    lines = "\n".join(f"  {name} = {value}" for name, value in settings.items())
    block = "loss = cross_entropy\n  optimizer = sgd(lr=0.1)\n  split = (1, 0, 0)\n  epochs = 1"
    return f"{chain}\n\ntrain {{\n  {block}\n{lines}\n}}\n"


def _data(samples: int, *extents: int) -> tuple[Any, Any]:
    return RANDOM.random((samples, *extents), np.float32), np.arange(samples) % 3


def _refusal(program: str, data: Any, **options: Any) -> Diagnostic:
    """What training says, and sanity checks do, too."""
    answers = []
    for attempt in (train, sanity):
        with pytest.raises(NetError) as caught:
            attempt(job_of(program, data, **options))
        (problem,) = caught.value.diagnostics
        answers.append(problem)
    assert answers[0].message == answers[1].message
    assert answers[0].code == "E570"
    return answers[0]


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(("chain", "extents"), [(DENSE, (4,)), (POOLED, (2, 4, 4)), (OPEN, (1, 4))])
def test_batches_of_one(chain: str, extents: tuple[int, ...], engine: str) -> None:
    """One sample with one position is one value per channel."""
    problem = _refusal(_program(chain, batch=1), _data(6, *extents), engine=engine)
    assert problem.message == "`bn1` has one value per channel in a batch of 1 sample"
    assert problem.help == "take 2 samples or more, or use `LN`, which needs no batch"


@pytest.mark.parametrize(("samples", "batch"), [(9, 4), (33, 32), (7, 3)])
def test_a_last_batch_of_one(samples: int, batch: int) -> None:
    """A short last batch is told before the epoch begins, with the way out, which works."""
    data = _data(samples, 4)
    problem = _refusal(_program(DENSE, batch=batch), data)
    assert "in the last batch of an epoch, of 1 sample" in problem.message
    assert problem.help is not None
    assert "`last = drop`" in problem.help
    run = train(job_of(_program(DENSE, batch=batch, last="drop"), data))
    assert run.history.rows[-1].step == samples // batch


@pytest.mark.parametrize(
    ("chain", "data"),
    [
        (DENSE.replace("BN", "BN(frozen=yes)"), _data(3, 4)),
        (DENSE.replace("BN", "LN"), _data(3, 4)),
        ("INPUT(4x4x2) -> CONV(3x3, 4) -> BN -> RELU -> FC(3)", _data(3, 2, 4, 4)),
        (OPEN, _data(3, 2, 4)),
    ],
)
def test_batches_of_one_that_are_fine(chain: str, data: Any) -> None:
    """Several positions have a deviation, and frozen layers need none."""
    run = train(job_of(_program(chain, batch=1), data))
    assert np.isfinite(run.history.rows[-1].loss)


def test_gradients_of_one_sample() -> None:
    """Gradients in training mode are refused as well; in inference mode they are not."""
    network = netc.compile(DENSE)
    state = network.initialize(0)
    x, t = _data(1, 4)
    with pytest.raises(NetError, match="one value per channel") as caught:
        network.value_and_grad(x, t, state, loss="cross_entropy")
    assert caught.value.diagnostics[0].code == "E570"
    loss, _ = network.value_and_grad(x, t, state, loss="cross_entropy", training=False)
    assert np.isfinite(loss)


def test_validation_and_use_of_one_sample() -> None:
    """What does not train normalizes by the running statistics, and takes one sample."""
    x, t = _data(5, 4)
    program = _program(DENSE, batch=2).replace("(1, 0, 0)", "(0.8, 0.2)")
    run = train(job_of(program, (x, t)))
    assert np.isfinite(run.history.rows[-1].val_loss or np.nan)
    y = netc.compile(DENSE).run(x[:1], run.state)
    assert isinstance(y, np.ndarray)
    assert np.isfinite(y).all()


def test_an_exported_step_of_one_sample(tmp_path: Path) -> None:
    """A model refuses nothing: the layer yields its bias, and no gradient passes through it."""
    network = netc.compile("INPUT(4) -> FC(3) as f -> BN as b -> FC(2) as g")
    network.export_training(tmp_path / "s.onnx", loss="cross_entropy", optimizer=netc.SGD(lr=0.1))
    state = {name: np.array(array) for name, array in network.initialize(0).items()}
    settings = {"lr": np.float32(0.1), "momentum": np.float32(0), "step": np.int64(0)}
    feeds = {
        "input": np.full((1, 4), 10.3, np.float32),
        "target": np.array([1]),
        **settings,
        **state,
    }
    session = Session(str(tmp_path / "s.onnx"))
    found = session.run({name: feeds[name] for name in session.inputs})
    np.testing.assert_allclose(found["loss"], np.log(2), rtol=1e-6)
    np.testing.assert_array_equal(found["f.weight.next"], state["f.weight"])
    np.testing.assert_allclose(found["b.running_var.next"], 0.9)
    np.testing.assert_allclose(found["g.bias.next"], [-0.05, 0.05], rtol=1e-6)

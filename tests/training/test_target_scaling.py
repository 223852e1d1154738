"""Targets in a unit of their own: trained in it, measured and answered in that of the data."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.refusals import failure_of

import netc

PROGRAM = """INPUT(3) -> FC(8) -> TANH -> FC(2)
train {{ loss = huber, optimizer = sgd(0.1), epochs = 4, split = (0.6, 0.2, 0.2){} }}"""
PLAIN, SCALED = (PROGRAM.format(more) for more in ("", ", targets = standardize"))


def samples() -> tuple[Any, Any]:
    """Vectors and two numbers of large units, some of which are not known."""
    random = np.random.default_rng(0)
    x = random.normal(size=(100, 3)).astype(np.float32)
    t = np.stack([3000 + 500 * x.sum(1), 0.01 * x[:, 0] ** 2], 1).astype(np.float32)
    t[::7, 1] = np.nan
    return x, t


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_training(engine: Any, tmp_path: Path) -> None:
    """As with targets that were standardized before; metrics, answers and models undo it."""
    x, t = samples()
    net = netc.compile(SCALED)
    run = net.train((x, t), engine=engine, output=str(tmp_path / "run"))
    part = t[run.job.split.train].astype(np.float64)
    mean, std = np.nanmean(part, 0), np.nanstd(part, 0)
    scaled = ((t - mean) / std).astype(np.float32)
    expected = netc.compile(PLAIN).train((x, scaled), engine=engine)
    for row, other in zip(run.history.rows, expected.history.rows, strict=True):
        assert row.loss == pytest.approx(other.loss, rel=1e-4)
        assert row.val_loss == pytest.approx(other.val_loss, rel=1e-4)
    wanted = np.asarray(expected.predict(x)) * std + mean
    np.testing.assert_allclose(np.asarray(run.predict(x)), wanted, rtol=1e-4, atol=1e-4)
    test = run.job.split.test
    mae = np.nanmean(np.abs(wanted[test] - t[test]))
    assert run.test["mae"] == pytest.approx(mae, rel=1e-3)
    again = net.evaluate(run=str(tmp_path / "run"), data=(x, t))
    assert again.metrics["mae"] == pytest.approx(run.test["mae"], rel=1e-6)
    assert again.metrics["loss"] == pytest.approx(run.test["loss"], rel=1e-6)
    found = net.predict(x[:5], run=str(tmp_path / "run"))
    np.testing.assert_allclose(found.outputs["output"], wanted[:5], rtol=1e-4, atol=1e-4)
    run.export(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    (y,) = session.run(None, {"input": x})
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)


def test_resuming(tmp_path: Path) -> None:
    """The unit is kept with the run."""
    folder, net = str(tmp_path / "run"), netc.compile(SCALED)
    net.train(samples(), output=folder, epochs=2)
    run = net.train(samples(), output=folder, epochs=4, resume=True)
    whole = net.train(samples())
    assert all(np.array_equal(run.last[name], whole.last[name]) for name in whole.last)
    assert run.test == whole.test


@pytest.mark.parametrize(
    ("choice", "low", "high"), [("scale", 0.0, 1.0), ("scale(low=-1)", -1.0, 1.0)]
)
def test_scales(choice: str, low: float, high: float) -> None:
    """The smallest and the largest known target of the training part become these."""
    x, t = samples()
    run = netc.compile(PROGRAM.format(f", targets = {choice}")).train((x, t), epochs=1)
    standard = run.job.objective.standards["output"]
    scaled = (t[run.job.split.train] - standard.shift) * standard.factor
    assert (np.nanmin(scaled), np.nanmax(scaled)) == pytest.approx((low, high), abs=1e-6)


def test_one_of_several_outputs() -> None:
    """The others stay as they are; a number may come without an axis of its own."""
    text = """x = INPUT(3) -> FC(8) -> TANH
output kind = x -> FC(2)
output size = x -> FC(1)
train { loss = {kind: cross_entropy, size: mse}, targets = {size: standardize}, epochs = 3 }"""
    x, t = samples()
    targets = {"kind": (x[:, 0] > 0).astype(np.int64), "size": t[:, 0]}
    run = netc.compile(text).train((x, targets))
    assert run.history.rows[0].loss < 10
    assert 2000 < run.predict(x)["size"].mean() < 4000
    assert run.job.settings["targets"] == "{size: standardize}"


def test_sanity_knows() -> None:
    """What a guess costs is told in the unit in which the loss is."""
    found = netc.compile(SCALED.replace("huber", "mse")).sanity(data=samples())
    assert "expected loss" not in str(found)
    said = {check.name: check for check in found}
    assert said["initial loss"].ok
    told = re.search(r"ok, ([0-9.]+) with small weights", str(said["initial loss"]))
    assert told
    assert float(told[1]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ("targets = whiten", "E126", "choose one of `mean_subtract`, `standardize`, `scale`"),
        ("loss = cross_entropy, targets = standardize", "E126", "a loss such as `mse`"),
        ("targets = {box: standardize}", "E127", "there is no output `box`"),
        ("targets = [standardize]", "E125", "`targets` must be"),
        ("loss = mse(target=input), targets = scale", "E126", "use `preprocess` for inputs"),
    ],
)
def test_what_is_refused(settings: str, code: str, said: str) -> None:
    """What cannot be undone, and what is no number."""
    loss = "" if "loss" in settings else "loss = mse, "
    caught = failure_of(netc.compile, f"INPUT(2) -> FC(2)\ntrain {{ {loss}{settings} }}")
    assert code in {found.code for found in caught.diagnostics}
    assert said in str(caught)


@pytest.mark.parametrize("choice", ["scale", "standardize", "mean_subtract"])
def test_no_target_is_known(choice: str) -> None:
    """There is nothing to fit to, which is told; a column of several may be missing."""
    x, t = samples()
    net = netc.compile(PROGRAM.format(f", targets = {choice}"))
    with pytest.raises(netc.NetError, match=rf"E530.*`{choice}` needs targets of `output`"):
        net.train((x, np.full_like(t, np.nan)))
    t[:, 1] = np.nan
    run = net.train((x, t), epochs=1)
    standard = run.job.objective.standards["output"]
    scaled = (t[:, 0] - standard.shift[0]) * standard.factor[0]
    assert np.isfinite(scaled).all()
    assert np.isfinite(np.asarray(run.predict(x))).all()


@pytest.mark.parametrize("number", [0.0, 3.0, 1e-40])
@pytest.mark.parametrize(
    ("choice", "made"), [("scale(low=-1)", -1.0), ("standardize", 0.0), ("mean_subtract", 0.0)]
)
@pytest.mark.parametrize("count", [1, 9])
def test_targets_that_do_not_vary(choice: str, made: float, number: float, count: int) -> None:
    """They are only shifted: nothing is divided by 0, nor by what float32 cannot divide by."""
    x = samples()[0][:count]
    t = np.full((count, 2), number, np.float32)
    net = netc.compile(PROGRAM.format(f", targets = {choice}"))
    run = net.train((x, t), split=(1, 0, 0), epochs=1)
    standard = run.job.objective.standards["output"]
    assert (standard.factor == 1).all()
    np.testing.assert_allclose((t - standard.shift) * standard.factor, made, atol=1e-6)


def test_a_scale_of_one_number() -> None:
    """What maps everything to one number cannot be undone, and tells inputs nothing."""
    for where in ("targets", "preprocess"):
        net = netc.compile(PROGRAM.format(f", {where} = scale(low=1)"))
        with pytest.raises(netc.NetError, match=r"E530.*to the same number, 1"):
            net.train(samples())

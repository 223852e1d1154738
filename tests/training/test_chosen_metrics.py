"""Metrics that a program or a command chooses, measured after each epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of

import netc

PROGRAM = """INPUT(4) -> FC(8) -> RELU -> FC(2)
train {{ epochs = 2, split = (0.6, 0.2, 0.2){} }}"""
TWO = """x = INPUT(4) -> FC(8) -> RELU
output kind = x -> FC(2)
output size = x -> FC(1)
train {{ loss = {{kind: cross_entropy, size: mse}}, epochs = 1, metrics = {} }}"""


def samples() -> tuple[Any, Any]:
    """Vectors, and whether their sum is positive."""
    x = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    return x, (x.sum(1) > 0).astype(np.int64)


def test_a_list() -> None:
    """Each has a column for training and one for validation, and is that of `evaluate`."""
    net = netc.compile(PROGRAM.format(", metrics = [f1, roc_auc]"))
    run = net.train(samples())
    assert run.history.metrics == ("f1", "roc_auc")
    assert {"val_f1", "val_roc_auc"} <= run.history.rows[0].values().keys()
    found = net.evaluate(run=run, metrics=["f1", "roc_auc"]).metrics
    assert run.test["f1"] == pytest.approx(found["f1"])
    assert run.test["roc_auc"] == pytest.approx(found["roc_auc"])


@pytest.mark.parametrize("names", ["f1", ["f1"], "[f1]", ("f1",)])
def test_from_python(names: Any) -> None:
    """A name, or a list of names."""
    run = netc.compile(PROGRAM.format("")).train(samples(), metrics=names)
    assert run.history.metrics == ("f1",)


def test_what_is_monitored_is_measured() -> None:
    """Besides what is measured anyway; it decides which epoch is best."""
    net = netc.compile(PROGRAM.format(""))
    run = net.train(samples(), monitor="val_f1", epochs=4)
    assert run.history.metrics == ("accuracy", "f1")
    best = max(run.history.rows, key=lambda row: row.values()["val_f1"] or 0)
    assert run.best_epoch == best.epoch
    with pytest.raises(netc.NetError, match="no epoch will have a `val_g1`"):
        net.train(samples(), monitor="val_g1")


def test_of_outputs() -> None:
    """An output in front; each output's loss stays."""
    x, t = samples()
    targets = {"kind": t, "size": x[:, 0]}
    run = netc.compile(TWO.format("[kind.recall, size.rmse]")).train((x, targets))
    assert run.history.metrics[:4] == ("kind.recall", "size.rmse", "kind.loss", "size.loss")
    run = netc.compile(TWO.format("mae")).train((x, targets))
    assert "size.mae" in run.history.metrics
    assert "kind.accuracy" not in run.history.metrics


def test_resuming(tmp_path: Path) -> None:
    """A run that goes on measures the same."""
    folder, net = str(tmp_path / "run"), netc.compile(PROGRAM.format(""))
    net.train(samples(), output=folder, epochs=1, metrics="[roc_auc]", monitor="val_f1")
    run = net.train(samples(), output=folder, epochs=2, resume=True)
    whole = net.train(samples(), epochs=2, metrics="[roc_auc]", monitor="val_f1")
    assert [r.values()["val_f1"] for r in run.history.rows] == [
        r.values()["val_f1"] for r in whole.history.rows
    ]


@pytest.mark.parametrize(
    ("metrics", "code", "said"),
    [
        ("[f2]", "E551", "unknown metric `f2`"),
        ("auc", "E551", "write `roc_auc`"),
        ("[mae]", "E551", "mae"),
        ("3", "E125", "a metric or a list of metrics"),
        ("[f1(2)]", "E125", "a metric or a list of metrics"),
    ],
)
def test_what_is_refused(metrics: str, code: str, said: str) -> None:
    """Metrics that there are not, or not for such an output."""
    program = PROGRAM.format(f", metrics = {metrics}")
    (found,) = failure_of(lambda: netc.compile(program).train(samples())).diagnostics
    assert found.code == code
    assert said in str(found.message) + str(found.help)
    assert found.span is not None
    assert found.span.text in metrics

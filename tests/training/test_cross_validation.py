"""Cross-validation: a run for each fold, and what they come to together."""

from pathlib import Path

import numpy as np
import pytest

import netc

X = np.random.default_rng(0).normal(size=(31, 2)).astype(np.float32)
T = (X[:, 0] > 0).astype(np.int64)


@pytest.fixture
def net() -> netc.Network:
    """A network that learns the sign of a number."""
    return netc.compile("INPUT(2) -> FC(2)\ntrain { epochs = 2, optimizer = sgd(lr=0.5) }")


def test_every_sample_is_tested_once(net: netc.Network, tmp_path: Path) -> None:
    """The report is the mean and the deviation of what the runs measured on their folds."""
    found = net.cross_validate((X, T), folds=4, output=tmp_path / "cv")
    tested = np.concatenate([run.job.split.test for run in found.runs])
    assert sorted(tested) == list(range(31))
    accuracies = [run.test["accuracy"] for run in found.runs]
    assert found.mean["accuracy"] == pytest.approx(np.mean(accuracies))
    assert found.deviation["accuracy"] == pytest.approx(np.std(accuracies, ddof=1))
    lines = (tmp_path / "cv" / "folds.csv").read_text().splitlines()
    assert lines[0] == "fold,loss,accuracy"
    assert [float(line.split(",")[2]) for line in lines[1:]] == accuracies
    assert str(found).splitlines()[-2].split()[0] == "mean"
    again = net.evaluate(run=tmp_path / "cv" / "fold2", data=(X, T))
    assert again.metrics["accuracy"] == pytest.approx(accuracies[1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "`folds` must be at least 2"),
        ({"folds": "many"}, "`folds` must be a positive integer"),
        ({"folds": 32}, "does not divide into 32 folds"),
        ({"folds": 2, "test": "digits"}, "`fold` takes the test part from the data"),
    ],
)
def test_folds_that_make_no_sense(
    net: netc.Network, settings: dict[str, object], message: str
) -> None:
    """Too few, too many, or beside a test part that is given."""
    with pytest.raises(netc.NetError, match=message):
        net.cross_validate((X, T), **settings)  # type: ignore[arg-type]  # on purpose

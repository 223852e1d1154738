"""What synthetic curves of each kind are read as."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from netc.runtime.learning_curves.diagnosis import read_curves, read_history
from netc.runtime.learning_curves.trends import RunContext
from netc.runtime.run_folder.history import Epoch, History

LN_10 = float(np.log(10))
E = np.arange(1, 41)
NAN = float("nan")


def noise(seed: int, size: float, count: int = 40) -> Any:
    """Normal noise of a fixed seed."""
    return size * np.random.default_rng(seed).normal(size=count)


def falling(floor: float, pace: float = 5.0) -> Any:
    """A loss that falls from a guess's to a floor."""
    return floor + (LN_10 - floor) * np.exp(-E / pace)


CURVES: dict[str, Callable[[int], tuple[Any, Any]]] = {
    "overfitting": lambda s: (
        falling(0.02) + noise(s, 0.01),
        falling(0.3) + 0.02 * np.maximum(E - 15, 0) + noise(s + 100, 0.01),
    ),
    "underfitting": lambda s: (
        falling(1.8) + noise(s, 0.01),
        falling(1.85) + noise(s + 100, 0.01),
    ),
    "diverged": lambda s: (
        LN_10 * np.exp(0.05 * np.maximum(E - 5, 0)) + noise(s, 0.02),
        LN_10 * np.exp(0.05 * np.maximum(E - 5, 0)) + noise(s + 100, 0.02),
    ),
    "oscillating": lambda s: (
        1.0 + 0.4 * (-1.0) ** E + noise(s, 0.05),
        1.1 + 0.4 * (-1.0) ** E + noise(s + 100, 0.05),
    ),
    "high_variance": lambda s: (
        falling(0.05) + noise(s, 0.002),
        falling(1.0) + noise(s + 100, 0.01),
    ),
    "plateau": lambda s: (
        falling(0.6, 3.0) + noise(s, 0.001),
        falling(0.7, 3.0) + noise(s + 100, 0.001),
    ),
    "improving": lambda s: (
        LN_10 * (1 - E / 50) + noise(s, 0.005),
        LN_10 * (1.05 - E / 50) + noise(s + 100, 0.005),
    ),
    "fine": lambda s: (
        falling(0.02, 4.0) + noise(s, 0.001),
        falling(0.06, 4.0) + noise(s + 100, 0.001),
    ),
}


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("seed", range(8))
def test_each_kind_is_told(kind: str, seed: int) -> None:
    """A curve of each kind is read as that kind alone, whatever its noise."""
    train, validation = CURVES[kind](seed)
    found = read_curves(train, validation, known=RunContext(LN_10))
    assert [finding.kind for finding in found] == [kind]


def test_overfitting_says_since_when() -> None:
    """The turn of the validation loss is found within two epochs, with the numbers behind it."""
    (finding,) = read_curves(*CURVES["overfitting"](0), known=RunContext(LN_10))
    assert finding.since is not None
    assert abs(finding.since - 16) <= 3
    numbers = finding.numbers
    assert numbers["best_validation"] < numbers["last_validation"]
    assert numbers["training_now"] < numbers["training_then"]
    assert f"overfitting since epoch {finding.since}: the validation loss rises" in str(finding)
    assert "stop early" in finding.advice


def test_underfitting_says_what_to_do() -> None:
    """A loss that still falls wants more time, one that does not a larger model."""
    (flat,) = read_curves(*CURVES["underfitting"](0), known=RunContext(LN_10))
    assert flat.advice.startswith("use a larger model")
    slow = LN_10 * (1 - E / 100)
    findings = {f.kind: f for f in read_curves(slow, slow + 0.01, known=RunContext(LN_10))}
    assert findings["underfitting"].advice.startswith("train longer")


@pytest.mark.parametrize("lost", [NAN, float("inf")])
def test_a_loss_that_is_no_number(lost: float) -> None:
    """Divergence to NaN or infinity is said with its epoch, even of a short run."""
    (finding,) = read_curves([2.0, 2.1, lost])
    assert (finding.kind, finding.since) == ("diverged", 3)
    assert json.loads(json.dumps(finding.to_dict(), allow_nan=False))["since"] == 3


def test_short_runs_say_nothing() -> None:
    """Three epochs are no curve."""
    assert read_curves([2.0, 1.0, 0.5], [2.0, 1.0, 2.5]) == ()
    assert read_curves([]) == ()


def test_without_validation() -> None:
    """The training loss alone tells underfitting, and cannot tell overfitting."""
    train, _ = CURVES["overfitting"](0)
    assert [f.kind for f in read_curves(train, known=RunContext(LN_10))] == ["fine"]
    train, _ = CURVES["underfitting"](0)
    (finding,) = read_curves(train, known=RunContext(LN_10))
    assert finding.kind == "underfitting"
    assert "validation" not in finding.numbers


def test_one_bad_epoch_is_no_trend() -> None:
    """A single spike at the end, or in between, is neither overfitting nor divergence."""
    train, validation = CURVES["fine"](0)
    for place in (20, -1):
        spiked = validation.copy()
        spiked[place] = 5.0
        assert [f.kind for f in read_curves(train, spiked, known=RunContext(LN_10))] == ["fine"]


def test_losses_may_be_negative() -> None:
    """Losses below 0 (likelihoods) are read without a mistake."""
    kinds = {f.kind for f in read_curves(-E.astype(float), -E.astype(float) + 0.5)}
    assert "improving" in kinds
    assert kinds & {"diverged", "underfitting", "overfitting"} == set()


def test_constant_losses() -> None:
    """A loss that never moves is underfitting."""
    assert [f.kind for f in read_curves([LN_10] * 20, [LN_10] * 20)] == ["underfitting"]
    assert [f.kind for f in read_curves([0.0] * 20)] == ["fine"]


@pytest.mark.parametrize(
    ("error", "kinds"), [(0.0, ["overfitting"]), (0.1, ["overfitting"]), (1.0, ["uncertain"])]
)
def test_a_rise_within_its_standard_error_is_uncertain(error: float, kinds: list[str]) -> None:
    """Overfitting is said of a rise of more than two standard errors, which are named else."""
    known = RunContext(LN_10, samples=15, rise_error=error, end_error=error)
    found = read_curves(*CURVES["overfitting"](0), known=known)
    assert [finding.kind for finding in found] == kinds
    (finding,) = found
    assert ("with 15 validation samples this has a standard error of 1" in str(finding)) == (
        kinds == ["uncertain"]
    )


@pytest.mark.parametrize(("error", "kind"), [(0.1, "high_variance"), (1.0, "fine")])
def test_a_gap_within_its_standard_error_is_no_variance(error: float, kind: str) -> None:
    """A validation loss that a few samples raise is not said to be high."""
    known = RunContext(LN_10, samples=15, rise_error=error, end_error=error)
    train, validation = CURVES["high_variance"](0)
    assert [f.kind for f in read_curves(train, validation, known=known)] == [kind]


@pytest.mark.parametrize(
    ("accuracy", "samples", "kinds"),
    [(0.8, 10, {"underfitting"}), (0.8, 1000, {"fine"}), (0.6, 1000, {"underfitting"})],
)
def test_few_right_answers_may_be_luck(accuracy: float, samples: int, kinds: set[str]) -> None:
    """Right answers excuse a high loss, by more than their binomial standard error."""
    losses = 0.65 + 0.02 * np.exp(-E / 3.0)
    known = RunContext(np.log(2), 0.5, samples=samples)
    found = read_curves(losses, losses, known=known, accuracy=[accuracy] * 40)
    assert {f.kind for f in found} - {"plateau"} == kinds - {"fine"}


def test_the_last_losses_are_named() -> None:
    """A run with nothing to note ends where its last epoch does."""
    train, validation = CURVES["fine"](0)
    (finding,) = read_curves(train, validation, known=RunContext(LN_10))
    assert str(finding) == (
        f"nothing to note: the training loss ends at {train[-1]:.4g}, the validation loss at"
        f" {validation[-1]:.4g}"
    )


def test_history_is_read() -> None:
    """Epochs keep their numbers, unmeasured ones are skipped, and ln K stands for a guess."""
    train, validation = CURVES["overfitting"](1)
    rows = [
        Epoch(int(e) + 100, int(e), float(t), float(v) if e % 2 else None)
        for e, t, v in zip(E, train, validation, strict=True)
    ]
    (finding,) = read_history(History(rows), RunContext(LN_10))
    assert finding.kind == "overfitting"
    assert finding.since is not None
    assert abs(finding.since - 116) <= 4

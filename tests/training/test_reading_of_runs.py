"""What real short runs of known kinds are read as."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import netc
from netc.runtime.inspection.guess import known_of
from netc.runtime.training.reading import Finding, read_history

Array = Any
XOR = (np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([[0], [1], [1], [0]]))
MLP = "INPUT(8x8) -> FC(32) -> {f} -> FC(10)\ntrain {{ data = digits(), loss = cross_entropy }}"
TANH, RELU = MLP.format(f="TANH"), MLP.format(f="RELU")
LINE = "INPUT(3) -> FC(1)\ntrain { loss = mse, split = (0.8, 0.2, 0) }"
WIDE = (
    "INPUT(20) -> FC(200) -> RELU -> FC(4)\ntrain { loss = cross_entropy, split = (0.5, 0.5, 0) }"
)


def line(scale: float = 1.0, offset: float = 0.0) -> tuple[Array, Array]:
    """Numbers that a line explains to a hundredth."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 3)).astype(np.float32)
    t = x @ [1.0, -2.0, 0.5] + random.normal(size=200) * 0.1
    return x, (scale * t + offset)[:, None].astype(np.float32)


def chance(classes: int = 4) -> tuple[Array, Array]:
    """Classes that the inputs say nothing of."""
    random = np.random.default_rng(0)
    return random.normal(size=(200, 20)).astype(np.float32), random.integers(0, classes, 200)


@dataclass(frozen=True)
class Known:
    """A run, and what may and may not be said of it."""

    program: str
    kinds: set[str]
    settings: dict[str, str]
    data: Any = None
    advice: str = ""
    epochs: int = 12
    never: tuple[str, ...] = field(default=())


FAST = ("raise the learning rate",)
SLOW = ("lower the learning rate", "divide it by")
RUNS: dict[str, Known] = {
    "diverged, tanh": Known(
        TANH, {"diverged"}, {"optimizer": "sgd(lr=3)"}, advice="too high", never=FAST
    ),
    "diverged, lr=2": Known(
        TANH, {"diverged", "oscillating", "not_learning"}, {"optimizer": "sgd(lr=2)"}, never=FAST
    ),
    "diverged, adam": Known(
        RELU, {"diverged", "not_learning"}, {"optimizer": "adam(lr=3)"}, never=FAST
    ),
    "dead": Known(RELU, {"not_learning", "diverged"}, {"optimizer": "sgd(lr=20)"}, never=FAST),
    "dead by its weights": Known(
        "INPUT(8x8) -> FC(32, init=zeros) -> RELU -> FC(10)\n"
        "train { data = digits(), loss = cross_entropy }",
        {"not_learning"},
        {"optimizer": "sgd(lr=0.01)"},
        advice="dead",
    ),
    "too slow": Known(
        RELU,
        {"not_learning", "underfitting"},
        {"optimizer": "sgd(lr=0.0001)"},
        advice="raise the learning rate",
        never=SLOW,
    ),
    "too slow, numbers": Known(
        LINE,
        {"not_learning", "underfitting"},
        {"optimizer": "sgd(lr=0.0001)"},
        data=line(offset=20),
        advice="raise the learning rate",
        never=SLOW,
    ),
    "underfit, xor": Known(
        "INPUT(2) -> FC(1)\ntrain { loss = binary_cross_entropy, split = (1, 0, 0) }",
        {"not_learning"},
        {"optimizer": "adam(lr=0.1)", "epochs": "100"},
        data=XOR,
        advice="too small",
        never=(*FAST, *SLOW),
    ),
    "underfit, chance": Known(
        "INPUT(20) -> FC(4)\ntrain { loss = cross_entropy, split = (0.8, 0.2, 0) }",
        {"not_learning", "underfitting", "overfitting"},
        {"optimizer": "adam(lr=0.001)"},
        data=chance(),
    ),
    "overfit": Known(
        WIDE,
        {"overfitting"},
        {"optimizer": "adam(lr=0.003)", "epochs": "40"},
        data=chance(),
        never=FAST,
    ),
    "good, digits": Known(
        RELU, {"fine", "improving", "plateau"}, {"optimizer": "sgd(lr=0.1)"}, never=FAST
    ),
    "good, adam": Known(
        TANH, {"fine", "improving", "plateau"}, {"optimizer": "adam(lr=0.003)"}, never=FAST
    ),
    "good at 90 percent": Known(
        RELU, {"fine", "improving", "plateau"}, {"optimizer": "sgd(lr=0.05)"}, epochs=6, never=FAST
    ),
    "good, smoothed": Known(
        RELU,
        {"fine", "improving", "plateau"},
        {"optimizer": "adam(lr=0.003)", "loss": "cross_entropy(label_smoothing=0.1)"},
        never=FAST,
    ),
    "good, numbers": Known(
        LINE,
        {"fine", "improving", "plateau"},
        {"optimizer": "sgd(lr=0.05)"},
        data=line(),
        never=FAST,
    ),
    "good, far from zero": Known(
        LINE,
        {"fine", "improving", "plateau"},
        {"optimizer": "sgd(lr=0.05)", "epochs": "30"},
        data=line(offset=20),
        never=FAST,
    ),
    "noisy": Known(
        RELU,
        {"oscillating", "diverged", "not_learning", "underfitting"},
        {"optimizer": "adam(lr=0.1)", "batch": "4"},
        advice="lower the learning rate",
        never=FAST,
    ),
}


def reading(run: Known) -> tuple[Finding, ...]:
    """The findings on a run."""
    settings: dict[str, Any] = {"epochs": str(run.epochs), **run.settings}
    done = netc.compile(run.program).train(run.data, **settings)
    return read_history(done.history, known_of(done.job))


@pytest.mark.parametrize("name", RUNS)
def test_runs_of_known_kinds(name: str) -> None:
    """A run is said to be what it is, and nobody is sent the wrong way."""
    run = RUNS[name]
    found = reading(run)
    said = "\n".join(map(str, found))
    assert {finding.kind for finding in found} <= run.kinds, said
    assert found
    assert run.advice in said
    assert not [words for words in run.never if words in said], said

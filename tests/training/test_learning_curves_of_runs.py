"""What real short runs of known kinds are read as."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import netc
from netc.runtime.learning_curves.findings import Finding
from netc.runtime.learning_curves.of_run import read_run

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


def groups(count: int, mistaken: float) -> tuple[Array, Array]:
    """Three groups of points that lie apart, with a share of labels that are wrong."""
    random = np.random.default_rng(1)
    classes = random.integers(0, 3, count)
    x = 3 * random.normal(size=(3, 4))[classes] + random.normal(size=(count, 4))
    wrong = random.random(count) < mistaken
    return x.astype(np.float32), np.where(wrong, random.integers(0, 3, count), classes)


def rare() -> tuple[Array, Array]:
    """One sample in twenty of a class that the inputs say nothing of."""
    random = np.random.default_rng(0)
    return random.normal(size=(400, 5)).astype(np.float32), (np.arange(400) % 20 == 0).astype(int)


def flat() -> tuple[Array, Array]:
    """Points close to three dimensions in a space of 16, each its own target."""
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 3)) @ random.normal(size=(3, 16))
    x = (x + 0.1 * random.normal(size=x.shape)).astype(np.float32)
    return x, x


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
    "forgotten": Known(
        RELU, {"diverged"}, {"optimizer": "sgd(lr=0.3, momentum=0.99)"}, advice="too high"
    ),
    "exploded at once": Known(
        RELU, {"diverged"}, {"optimizer": "sgd(lr=1e9)"}, advice="too high", epochs=5
    ),
    "grown without end": Known(
        LINE,
        {"diverged"},
        {"optimizer": "sgd(lr=1.2)", "batch": "200"},
        data=line(),
        advice="diverging since epoch 1",
    ),
    "hardly moved": Known(
        RELU,
        {"not_learning"},
        {"optimizer": "sgd(lr=0.000001)"},
        advice="raise the learning rate a lot: at this pace it takes about ",
        never=("train longer", "3 to 10 times"),
    ),
    "hardly moved, from below a guess": Known(
        "INPUT(4) -> FC(3)\ntrain { loss = cross_entropy }",
        {"not_learning"},
        {"optimizer": "sgd(lr=0.0001)"},
        data=groups(150, 0.0),
        advice="the training loss only falls by ",
        never=("train longer",),
    ),
    "hardly moved, with dropout": Known(
        MLP.format(f="RELU -> DROPOUT(0.5)"),
        {"not_learning"},
        {"optimizer": "sgd(lr=0.000001)"},
        advice="a learning rate that is too low",
        never=SLOW,
    ),
    "a rate that fades at once": Known(
        RELU,
        {"underfitting"},
        {"optimizer": "sgd(lr=0.1)", "schedule": "exponential(0.1)", "epochs": "14"},
        advice="let the learning rate fall later",
        never=("larger model",),
    ),
    "a penalty that is too strong": Known(
        RELU,
        {"not_learning"},
        {"optimizer": "adam(lr=0.003)", "regularize": "l2(1)", "epochs": "15"},
        advice="a penalty that is too strong",
        never=("train longer", *FAST),
    ),
    "xor, a neuron, sgd": Known(
        "INPUT(2) -> FC(1)\ntrain { loss = binary_cross_entropy, split = (1, 0, 0) }",
        {"not_learning"},
        {"optimizer": "sgd(lr=0.5)", "epochs": "100"},
        data=XOR,
        advice="a model that is too small for the task",
        never=("too slow", "train longer", "too high", *FAST, *SLOW),
    ),
    "xor, still falling": Known(
        "INPUT(2) -> FC(8) -> TANH -> FC(1)\n"
        "train { loss = binary_cross_entropy, split = (1, 0, 0) }",
        {"underfitting"},
        {"optimizer": "adam(lr=0.05)", "epochs": "20"},
        data=XOR,
        advice="train longer: the loss still falls",
        never=("larger model",),
    ),
    "spirals, linear": Known(
        "INPUT(2) -> FC(3)\ntrain { data = spirals(300, classes=3), loss = cross_entropy }",
        {"underfitting"},
        {"optimizer": "adam(lr=0.05)", "epochs": "40"},
        advice="use a larger model",
        never=("learning rate", "regularize"),
    ),
    "constant numbers": Known(
        LINE,
        {"constant"},
        {"optimizer": "adam(lr=0.01)"},
        data=(line()[0], np.full((200, 1), 3.0, np.float32)),
        advice="all training targets are the same",
        never=("train longer",),
    ),
    "one class": Known(
        "INPUT(3) -> FC(4)\ntrain { loss = cross_entropy }",
        {"constant"},
        {"optimizer": "adam(lr=0.01)"},
        data=(line()[0], np.full(200, 2)),
        never=("train longer",),
    ),
    "rare class, nothing learned": Known(
        "INPUT(5) -> FC(2)\ntrain { loss = cross_entropy }",
        {"not_learning"},
        {"optimizer": "adam(lr=0.01)", "epochs": "40"},
        data=rare(),
        advice="guessing gives 0.198",
        never=FAST,
    ),
    "several labels": Known(
        "INPUT(3) -> FC(2)\ntrain { loss = binary_cross_entropy }",
        {"fine", "improving"},
        {"optimizer": "adam(lr=0.05)", "epochs": "30"},
        data=(line()[0], (line()[0][:, :2] > 0.5).astype(np.float32)),
    ),
    "autoencoder": Known(
        "INPUT(16) -> FC(3) -> FC(16)\ntrain { loss = mse }",
        {"fine", "improving"},
        {"optimizer": "adam(lr=0.01)", "epochs": "60"},
        data=flat(),
    ),
    "autoencoder, too narrow": Known(
        "INPUT(16) -> FC(1) -> FC(16)\ntrain { loss = mse }",
        {"plateau", "underfitting"},
        {"optimizer": "adam(lr=0.01)", "epochs": "60"},
        data=flat(),
        advice="use a larger model",
        never=("learning rate", "regularize"),
    ),
    "few epochs": Known(
        RELU, {"fine", "improving"}, {"optimizer": "sgd(lr=0.1)"}, epochs=4, advice="ends at"
    ),
    "one sample decides": Known(
        "INPUT(4) -> FC(32) -> RELU -> FC(3)\ntrain { loss = cross_entropy }",
        {"uncertain"},
        {"optimizer": "adam(lr=0.03)", "epochs": "60"},
        data=groups(150, 0.04),
        advice="with 15 validation samples this has a standard error of ",
        never=("overfitting since", "high variance"),
    ),
    "one sample to validate": Known(
        "INPUT(20) -> FC(64) -> RELU -> FC(4)\n"
        "train { loss = cross_entropy, split = (0.95, 0.05, 0) }",
        {"uncertain"},
        {"optimizer": "adam(lr=0.03)", "epochs": "40"},
        data=tuple(part[:20] for part in chance()),
        advice="with 1 validation sample this may be chance",
        never=("overfitting since", "inf"),
    ),
    "high variance": Known(
        MLP.format(f="BN -> RELU"),
        {"high_variance", "overfitting"},
        {"optimizer": "adam(lr=0.01)", "epochs": "40", "split": "(0.05, 0.5, 0.45)"},
        advice="gather more data",
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
    return read_run(netc.compile(run.program).train(run.data, **settings))


@pytest.mark.slow
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

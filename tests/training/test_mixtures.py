"""Training on mixed samples: what losses make of targets that are several classes at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of
from support.training import Killed, KilledAfter, bits, go_on, job, run, told

import netc
from netc.runtime.training.loop import Callback, Feeds, Progress
from netc.training import job_of

MIXED = """INPUT(8x8) -> FC(16) as a -> TANH -> FC(10) as b
train {{ data = digits, split = (0.2, 0.1, 0.7), augment = [translate(1), {}], batch = 36
  loss = {}, optimizer = sgd(lr=0.05, momentum=0.9), epochs = 5 }}"""


class Steps(Callback):
    """Keeps what steps are fed with, and their losses."""

    def __init__(self) -> None:
        self.feeds: list[Any] = []
        self.losses: list[float] = []

    def on_step(self, progress: Progress, feeds: Feeds, results: Feeds) -> None:
        """Keep them."""
        self.feeds.append(feeds)
        self.losses.append(float(results["loss"]))


@pytest.mark.oracle
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("mixing", "loss"),
    [
        ("mixup(0.4)", "cross_entropy(label_smoothing=0.1)"),
        ("cutmix", "cross_entropy(class_weights=balanced)"),
        ("mixup, cutmix(rate=0.5)", "binary_cross_entropy"),
    ],
)
def test_steps_are_pytorchs(engine: str, mixing: str, loss: str) -> None:
    """Fifty steps on the same mixtures, of which each target sums up to 1."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    functional = torch.nn.functional
    listener = Steps()
    program = netc.compile(MIXED.format(mixing, loss)).model
    of = job_of(program, engine=engine)
    loop = run(of, listener)
    assert len(listener.losses) == 50
    start = netc.compile(MIXED.format(mixing, loss)).initialize(0)
    weights = [torch.tensor(start[n], requires_grad=True) for n in of.graph.parameters]
    weight = of.objective.losses["output"].arguments.get("class_weights")
    optimizer = torch.optim.SGD(weights, lr=0.05, momentum=0.9)
    for feeds, expected in zip(listener.feeds, listener.losses, strict=True):
        x, t = (torch.tensor(feeds[name]) for name in ("input", "target"))
        assert t.shape == (len(x), 10)
        np.testing.assert_allclose(t.sum(1), 1, atol=1e-6)
        hidden = torch.tanh(functional.linear(x.flatten(1), *weights[:2]))
        y = functional.linear(hidden, *weights[2:])
        if loss.startswith("binary"):
            found = functional.binary_cross_entropy_with_logits(y, t)
        else:
            given = None if weight is None else torch.tensor(weight)
            smoothing = 0.1 if "smoothing" in loss else 0.0
            found = functional.cross_entropy(y, t, weight=given, label_smoothing=smoothing)
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        assert found.detach().item() == pytest.approx(expected, abs=1e-4)
    assert 0.3 < (loop.history.rows[-1].values()["val_accuracy"] or 0) <= 1


def test_resuming(tmp_path: Path) -> None:
    """A run that is killed mixes the same samples again."""
    changes = {"augment": "[translate(1), mixup(0.5), cutmix]"}
    with pytest.raises(Killed):
        run(job(folder=tmp_path, every=0, changes=changes), KilledAfter(4))
    found, whole = go_on(job(folder=tmp_path, resume=True)), run(job(changes=changes))
    assert bits(found) == bits(whole)
    assert told(found) == told(whole)


@pytest.mark.parametrize("mixing", ["cutmix", "mixup"])
def test_masks(mixing: str) -> None:
    """Masks are pasted, or become shares of classes for each pixel."""
    text = f"INPUT(8x8) -> CONV(1x1, 3)\ntrain {{ augment = {mixing}, epochs = 1 }}"
    x = np.random.default_rng(0).random((20, 1, 8, 8), np.float32)
    found = netc.compile(text).train((x, np.floor(x[:, 0] * 3).astype(int)))
    shape = (16, 3, 8, 8) if mixing == "mixup" else (16, 8, 8)
    feeds = next(iter(found.job.training.batches(0)))
    assert feeds["target"].shape == shape


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("loss = hinge, augment = mixup", "choose a loss such as `cross_entropy`"),
        ("augment = [mixup, flip]", "write `augment = [flip, mixup]`"),
        ("augment = [cutmix, noise(0.1), mixup]", "write `augment = [noise(std=0.1), cutmix"),
    ],
)
def test_what_is_refused(settings: str, said: str) -> None:
    """Losses that take one side only, and what would move half of a mixture."""
    caught = failure_of(netc.compile, f"INPUT(8x8) -> FC(3)\ntrain {{ {settings} }}")
    assert [d.code for d in caught.diagnostics] == ["E126"]
    assert said in str(caught)

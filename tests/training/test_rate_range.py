"""Learning-rate range tests: a few steps whose rate rises, and what they suggest."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netc
from netc.runtime.training.rate_range import suggested

PROGRAM = """INPUT(8x8) -> FC(10) as a
train { data = digits, optimizer = sgd(momentum=0.9), schedule = cosine, batch = 64 }"""


@pytest.mark.oracle
def test_steps_are_pytorchs() -> None:
    """Each step is one of PyTorch's SGD with that step's rate; the mean is corrected."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    net = netc.compile(PROGRAM)
    found = net.find_lr(low=1e-3, high=1.0, steps=30)
    assert found.rates == pytest.approx(np.geomspace(1e-3, 1, 30))
    start, of = net.initialize(0), net.train(epochs=1).job
    weights = [torch.tensor(start[n], requires_grad=True) for n in ("a.weight", "a.bias")]
    optimizer = torch.optim.SGD(weights, lr=1.0, momentum=0.9)
    mean = 0.0
    for number, feeds in zip(range(30), of.training.endless(), strict=False):
        optimizer.param_groups[0]["lr"] = found.rates[number]
        x, t = (torch.tensor(feeds[name]) for name in ("input", "target"))
        y = torch.nn.functional.linear(x.flatten(1), *weights)
        loss = torch.nn.functional.cross_entropy(y, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.item() == pytest.approx(found.losses[number], abs=1e-4)
        mean = 0.9 * mean + 0.1 * loss.item()
        assert mean / (1 - 0.9 ** (number + 1)) == pytest.approx(found.smoothed[number], abs=1e-4)


def test_suggestion(tmp_path: Path) -> None:
    """It lies where the loss falls, and the picture and the table show it."""
    found = netc.load("zoo:digits_mlp").find_lr()
    assert found.suggestion is not None
    least = found.rates[int(np.argmin(found.smoothed))]
    assert 0.01 < found.suggestion < least
    assert str(found).endswith(f"falls fastest at lr = {found.suggestion:.2g}")
    assert len(found.table()) == 13
    found.draw(tmp_path / "lr.svg")
    assert "learning rate" in (tmp_path / "lr.svg").read_text()


def test_the_first_losses_suggest_nothing() -> None:
    """Noise moves means of a few losses more than any rate does."""
    rates = tuple(np.geomspace(1e-6, 10, 100))
    smoothed = [2.0, 1.5, *np.linspace(1.9, 1.8, 58), *np.linspace(1.7, 0.5, 20), *[0.6] * 20]
    assert suggested(rates, smoothed) == pytest.approx(rates[60], rel=0.5)
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4)).astype(np.float32)
    net = netc.compile("INPUT(4) -> FC(8) -> RELU -> FC(3)")
    found = net.find_lr((x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)))
    assert found.suggestion is not None
    assert found.suggestion > 1e-3


def test_it_ends_where_the_loss_explodes() -> None:
    """Numbers that are not finite are not told."""
    text = "INPUT(2) -> FC(1)\ntrain { loss = mse, optimizer = sgd }"
    x = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    found = netc.compile(text).find_lr((x, x.sum(1, keepdims=True)), high=1e6)
    assert len(found.rates) < 100
    assert np.isfinite(found.losses).all()
    assert found.suggestion is not None
    assert found.suggestion < 10


def test_no_suggestion() -> None:
    """Where nothing is learned, none is made; the steepest fall counts on the way to the least."""
    assert suggested((1e-3, 1e-2, 1e-1), [1.0, 1.0, 1.0]) is None
    assert suggested((1e-3, 1e-2), [1.0, 0.5]) is None
    rates = tuple(10.0**n for n in range(-4, 2))
    assert suggested(rates, [2.0, 2.0, 1.9, 1.0, 0.8, 0.9]) == 0.1
    random = np.random.default_rng(0)
    data = (random.normal(size=(64, 2)).astype(np.float32), np.zeros((64, 2), np.float32))
    text = "INPUT(2) -> FC(2, init=zeros)\ntrain { loss = mse, optimizer = sgd }"
    assert "no learning rate" in str(netc.compile(text).find_lr(data))


@pytest.mark.parametrize("options", [{"low": 0.0}, {"low": 2.0, "high": 1.0}, {"steps": 1}])
def test_what_is_no_range(options: Any) -> None:
    """A range goes up, in several steps."""
    with pytest.raises(netc.NetError, match="a range of learning rates"):
        netc.compile(PROGRAM).find_lr(**options)

"""Figures that tests draw, and trained networks to draw."""

from typing import Any

import pytest
from matplotlib.figure import Figure
from support.figures import Figures

import netc
from netc.records import Run

DIGITS = """
net Digits

INPUT(8x8x1) -> CONV(3x3, 4) as conv -> RELU -> POOL as pool -> FC(10) as head

train {
  data       = digits
  preprocess = mean_subtract
  augment    = translate(1)
  epochs     = 1
}
"""
SPIRALS = """
net Spirals

INPUT(2) -> FC(20) as hidden -> TANH -> FC(3) as scores

train {
  data       = spirals(60)
  preprocess = standardize
  optimizer  = adam(lr=0.05)
  epochs     = 20
}
"""


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Figures:
    """The figures that the test draws."""
    found = Figures()
    save = Figure.savefig

    def keep(self: Figure, *arguments: Any, **options: Any) -> None:
        found.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return found


@pytest.fixture(scope="session")
def digits() -> tuple[netc.Network, Run]:
    """A small network on digits, trained for an epoch."""
    net = netc.compile(DIGITS)
    return net, net.train()


@pytest.fixture(scope="session")
def spirals() -> tuple[netc.Network, Run]:
    """A small network on points of the plane."""
    net = netc.compile(SPIRALS)
    return net, net.train()

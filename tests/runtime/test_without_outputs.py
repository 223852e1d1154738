"""Networks without outputs or inputs, which Python can make: an answer, or a sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import netc
from netc.compiler.model import Model
from netc.network import Network

X = np.zeros((1, 4), np.float32)

REFUSED: dict[str, Callable[[Network, Path], object]] = {
    "run": lambda net, _: net.run(X, net.initialize()),
    "onnxruntime": lambda net, _: net.run(X, net.initialize(), engine="onnxruntime"),
    "export": lambda net, folder: net.export(folder / "net.onnx", net.initialize()),
    "operators": lambda net, folder: net.draw(folder / "net.svg", style="ops"),
    "neurons": lambda net, folder: net.draw(folder / "net.svg", style="neurons"),
    "chain rule": lambda net, folder: net.draw(folder / "net.svg", style="backward"),
    "predict": lambda net, _: net.predict(X, weights=net.initialize()),
}


def _without_outputs() -> Network:
    return Network(Model(replace(netc.compile("INPUT(4) -> FC(2)").graph, outputs={})))


@pytest.mark.parametrize("asks", REFUSED.values(), ids=REFUSED)
def test_what_needs_an_output(asks: Callable[[Network, Path], object], tmp_path: Path) -> None:
    """What is asked for an output says that there is none, and writes nothing."""
    with pytest.raises(netc.NetError, match=r"E575.*`chain` has no output"):
        asks(_without_outputs(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_needs_none(tmp_path: Path) -> None:
    """Layers are listed and drawn."""
    net = _without_outputs()
    assert "FC(2)" in str(net.summary())
    net.draw(tmp_path / "net.svg")
    assert "FC" in (tmp_path / "net.svg").read_text()


def test_samples_for_a_network_without_inputs() -> None:
    """There is nothing to give to it."""
    net = netc.compile("w = PARAM(3) -> RELU")
    with pytest.raises(netc.NetError, match="the network has no inputs"):
        net.predict(X, weights=net.initialize())

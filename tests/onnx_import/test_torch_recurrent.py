"""Recurrent layers of PyTorch, whichever of their results are read -> layers of the language."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.onnx_models import computed, kinds_of

import netc
from netc.programs import ReshapedState

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
Called = pytest.importorskip("support.torch_calls").Called
pytest.importorskip("onnxscript", reason="PyTorch's exporters need onnxscript")
nn = torch.nn

pytestmark = pytest.mark.oracle

HIDDEN = 3


def h_of(states: Any) -> Any:
    """The last h, of an LSTM or another layer."""
    return states[0] if isinstance(states, tuple) else states


def last(self: Any, x: Any) -> Any:
    """The top layer's last state, in the last direction."""
    return self.out(h_of(self.rnn(x)[1])[-1])


def joined(self: Any, x: Any) -> Any:
    """The top layer's last states of both directions."""
    h = h_of(self.rnn(x)[1])
    return self.out(torch.cat((h[-2], h[-1]), 1))


def viewed(self: Any, x: Any) -> Any:
    """The same, by the axes that PyTorch's manual tells apart."""
    h = h_of(self.rnn(x)[1])
    h = h.view(self.rnn.num_layers, 2, h.shape[1], HIDDEN)[-1]
    return self.out(torch.cat((h[0], h[1]), 1))


def both(self: Any, x: Any) -> Any:
    """The sequence and the last state."""
    y, states = self.rnn(x)
    return self.out(y) + self.state(h_of(states)[-1])[:, None]


def translated(self: Any, x: Any, target: Any) -> Any:
    """A decoder that starts from the encoder's last states."""
    _, states = self.rnn(x)
    return self.out(self.decoder(target, states)[0])


READ: dict[str, tuple[Callable[..., Any], bool, Callable[[int], list[str]]]] = {
    "last": (last, False, lambda _: []),
    "joined": (joined, True, lambda _: []),
    "viewed": (viewed, True, lambda _: []),
    "both": (both, False, lambda _: ["LINEAR", "FC", "ADD"]),
    "translated": (translated, False, lambda layers: layers * ["CELL"] + ["LINEAR"]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_export", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("read", READ)
def test_results_are_the_layers(
    read: str, cell: str, layers: int, by_export: bool, tmp_path: Path
) -> None:
    """Last states, both results and first states are those of the layer, in a program, too."""
    forward, is_two_way, others = READ[read]
    make = getattr(nn, cell)

    def recurrent() -> Any:
        return make(5, HIDDEN, layers, batch_first=True, bidirectional=is_two_way)

    torch.manual_seed(0)
    width = 2 * HIDDEN if is_two_way else HIDDEN
    module = Called(forward, rnn=recurrent(), out=nn.Linear(width, 2)).eval()
    samples = [torch.randn(2, 6, 5)]
    if read == "translated":
        module.decoder = recurrent()
        samples.append(torch.randn(2, 4, 5))
    if read == "both":
        module.state = nn.Linear(HIDDEN, 2)
    names, path = ["x", "target"][: len(samples)], tmp_path / "model.onnx"
    options: dict[str, Any] = {"dynamic_axes": {name: {0: "n"} for name in names}}
    if by_export:
        options = {"dynamic_shapes": (tuple({0: "n"} for _ in names),), "verbose": False}
    torch.onnx.export(module, tuple(samples), path, input_names=names, dynamo=by_export, **options)
    net = netc.load_onnx(path)
    expected = [cell] * layers + [kind.replace("CELL", cell) for kind in others(layers) or ["FC"]]
    assert sorted(kinds_of(net)) == sorted(expected)
    assert net.params == sum(parameter.numel() for parameter in module.parameters())
    feeds = {name: x.numpy() for name, x in zip(names, samples, strict=True)}
    (wanted,), found = computed(onnx.load(path), feeds), net.run(feeds)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)  # type: ignore[arg-type]
    again = netc.compile(net.to_text())
    state = ReshapedState(net.initialize(), {})
    found = again.run(feeds, state)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)  # type: ignore[arg-type]

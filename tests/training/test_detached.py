"""DETACH keeps gradients back, as PyTorch's `detach` does, and changes no number."""

from pathlib import Path

import numpy as np
import pytest

import netc

GATED = "INPUT(3) -> FC(4) as a -> ( TANH | DETACH -> SIGMOID ) -> MUL -> FC(2) as b"
ROUNDED = (
    "x = INPUT(3) -> FC(4) as a\ny = ( x -> STEP | x ) -> SUB -> DETACH\n"
    "( x | y ) -> ADD -> FC(2) as b"
)
# What has no gradient stands behind the layer that lets none pass.
CEILED = GATED.replace("SIGMOID", 'op("Ceil")')


@pytest.mark.oracle
@pytest.mark.parametrize(
    "program", [GATED, ROUNDED, CEILED], ids=["gated", "straight_through", "ceiled"]
)
def test_gradients_are_those_of_pytorch(program: str) -> None:
    """Gradients of a gate that is given, and of a step that counts as none."""
    import torch

    net = netc.compile(program)
    state = net.initialize(0)
    random = np.random.default_rng(0)
    x, t = random.uniform(-1, 1, (5, 3)).astype(np.float32), random.integers(0, 2, 5)
    loss, gradients = net.value_and_grad(x, t, state)
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in state.items()}
    a = torch.from_numpy(x) @ weights["a.weight"].T + weights["a.bias"]
    if program == GATED:
        h = torch.tanh(a) * torch.sigmoid(a.detach())
    elif program == CEILED:
        h = torch.tanh(a) * torch.ceil(a.detach())
    else:
        h = a + ((a >= 0).float() - a).detach()
    expected = torch.nn.functional.cross_entropy(
        h @ weights["b.weight"].T + weights["b.bias"], torch.from_numpy(t)
    )
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-6)
    for name, weight in weights.items():
        np.testing.assert_allclose(gradients[name], weight.grad.numpy(), atol=1e-6)


def test_nothing_remains_of_it_in_models(tmp_path: Path) -> None:
    """An exported model has the same operators as one without it."""
    import onnx

    net = netc.compile(GATED)
    net.export(tmp_path / "net.onnx", net.initialize(0))
    operators = [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node]
    assert operators == ["Gemm", "Tanh", "Sigmoid", "Mul", "Gemm"]

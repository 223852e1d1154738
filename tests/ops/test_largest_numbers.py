"""Activations of numbers near the largest ones are finite, and the same on both engines."""

import numpy as np
import pytest

import netc
from netc.choices import EngineName

LARGE = 3e38  # of float32, whose largest number is 3.4e38


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("layer", "low", "high"),
    [
        *((name, 0, LARGE) for name in ("RELU", "GELU", "GELU(tanh)", "MISH", "SWISH")),
        *((name, 0, LARGE) for name in ("HARDSWISH", "SOFTPLUS")),
        ("ELU", -1, LARGE),
        ("CELU(2)", -2, LARGE),
        ("SELU", -1.7580993, 1.0507010 * LARGE),
        ("TANH", -1, 1),
        ("SIGMOID", 0, 1),
        ("SOFTSIGN", -1, 1),
        ("SOFTMAX", 0, 1),
    ],
)
def test_activations_of_the_largest_numbers(
    layer: str, low: float, high: float, engine: EngineName
) -> None:
    """Nothing on the way to a number that can be held overflows."""
    x = np.array([[-LARGE, LARGE]], np.float32)
    y = np.asarray(netc.compile(f"INPUT(2) -> {layer}").run(x, {}, engine=engine))
    np.testing.assert_allclose(y, np.array([[low, high]], np.float32), rtol=1e-5)

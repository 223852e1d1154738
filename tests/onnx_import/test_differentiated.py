"""ONNX's `Gradient`: a model that holds its own derivatives."""

import numpy as np
import onnx
import pytest

import netc

TEXT = """
<ir_version: 10, opset_import: ["" : 21, "ai.onnx.preview.training" : 1]>
slopes (float[2] x, float[2] unused) => (float[1] y, float[2] dx, float[2] du)
<int64[1] first = {0}> {
  cube = Mul(x, square)
  square = Mul(x, x)
  y = ReduceSum(cube, first)
  dx, du = ai.onnx.preview.training.Gradient<xs = ["x", "unused"], y = "y">(GIVEN, unused)
}
"""


def read(given: str) -> netc.Network:
    """The model with an argument of its gradient."""
    model = onnx.parser.parse_model(TEXT.replace("GIVEN", given))
    return netc.load_onnx(model.SerializeToString())


def test_gradients_are_operators() -> None:
    """What the network computes is 3 x^2, and zeros where nothing depends on an input."""
    net, x = read("x"), np.array([2, -1], np.float32)
    found = net.run({"x": x, "unused": x})
    assert isinstance(found, dict)
    assert {name: array.tolist() for name, array in found.items()} == {
        "y": [7],
        "dx": [12, 3],
        "du": [0, 0],
    }


def test_gradients_at_other_values_are_not_computed() -> None:
    """The operator may name other values than it differentiates at."""
    x = np.ones(2, np.float32)
    with pytest.raises(netc.NetError, match=r"cannot run `ai\.onnx\.preview\.training\.Gradient`"):
        read("square").run({"x": x, "unused": x})

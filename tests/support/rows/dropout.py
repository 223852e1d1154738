"""Layers that drop or add something in training: at inference they pass everything on."""

from collections.abc import Mapping
from typing import Any

from support.layers import LayerRow


def passed_on(x: Any, state: Mapping[str, Any]) -> Any:
    """The input."""
    return x


def dense(x: Any, state: Mapping[str, Any]) -> Any:
    """PyTorch's `Linear` on the flattened input."""
    from torch.nn.functional import linear

    return linear(x.flatten(1), state["l.weight"], state.get("l.bias"))


ROWS = [
    LayerRow("INPUT(9) -> DROPOUT as l", "9", torch=passed_on),
    LayerRow("INPUT(4x5x3) -> DROPOUT(0.1) as l", "4x5x3", torch=passed_on),
    LayerRow("INPUT(4x5x3) -> DROPOUT(0) as l", "4x5x3", torch=passed_on),
    LayerRow("INPUT(9) -> DROPCONNECT(7, 0.3) as l", "7", 9 * 7 + 7, 9 * 7, torch=dense),
    LayerRow("INPUT(9) -> DROPCONNECT as l", "128", 9 * 128 + 128, 9 * 128, torch=dense),
    LayerRow("INPUT(4x5x3) -> DROPCONNECT(7, bias=no) as l", "7", 60 * 7, 60 * 7, torch=dense),
    LayerRow(
        "INPUT(2) -> DROPCONNECT(1, weight=[[2, 3]], bias_value=1) as l", "1", 3, 2, torch=dense
    ),
    LayerRow("INPUT(9) -> NOISE as l", "9", torch=passed_on),
    LayerRow("INPUT(4x5x3) -> NOISE(uniform, 0.1) as l", "4x5x3", torch=passed_on),
    LayerRow("INPUT(5x6, sequence) -> NOISE(add=no) as l", "5x6", torch=lambda x, state: 0 * x),
    LayerRow("INPUT(9) -> ( ID | EXP ) -> NOISE(2) as l", "9", torch=passed_on),
    LayerRow("INPUT(9) -> DROPPATH(0.2) as l", "9", torch=passed_on),
    LayerRow("INPUT(5x6, sequence) -> DROPPATH(0.2) as l", "5x6", torch=passed_on),
    LayerRow("INPUT(4x5x3) -> DROPPATH as l", "4x5x3", torch=passed_on),
    LayerRow("INPUT(3x4x5x2) -> DROPPATH(0) as l", "3x4x5x2", torch=passed_on),
]

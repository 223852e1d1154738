"""Sources, dense layers, activations, merges."""

from collections.abc import Mapping
from typing import Any

from support.layers import LayerRow


def dense(x: Any, state: Mapping[str, Any]) -> Any:
    """PyTorch's `Linear` on the flattened input."""
    from torch.nn.functional import linear

    return linear(x.flatten(1), state["l.weight"], state.get("l.bias"))


ROWS = [
    LayerRow("INPUT(8x6x3) as l -> FC", "8x6x3", engines=False),
    LayerRow("INPUT(8x6x3) -> FC(5) as l", "5", 8 * 6 * 3 * 5 + 5, 8 * 6 * 3 * 5, torch=dense),
    LayerRow("INPUT(7) -> FC(5, bias=no) as l", "5", 35, 35, torch=dense),
    LayerRow("INPUT(4x5x3) -> FLATTEN as l", "60", torch=lambda x, state: x.flatten(1)),
    LayerRow("INPUT(4x5x3) -> ID as l -> RELU", "4x5x3"),
    LayerRow("INPUT(4x5x3) -> DETACH as l", "4x5x3", torch=lambda x, state: x.detach()),
    LayerRow("INPUT(4x5x3) -> RELU as l", "4x5x3", torch=lambda x, state: x.relu()),
    LayerRow("INPUT(4x5x3) -> TANH as l", "4x5x3", torch=lambda x, state: x.tanh()),
    LayerRow("INPUT(4x5x3) -> SIGMOID as l", "4x5x3", torch=lambda x, state: x.sigmoid()),
    LayerRow("INPUT(4x5x3) -> SOFTMAX as l", "4x5x3", torch=lambda x, state: x.softmax(1)),
    LayerRow("INPUT(6x4, sequence) -> SOFTMAX as l", "6x4", torch=lambda x, state: x.softmax(2)),
    LayerRow("INPUT(4x5x3) -> ( ID | ID ) -> ADD as l", "4x5x3", torch=lambda x, state: x + x),
    LayerRow(
        "INPUT(4x5x3) -> ( ID | RELU ) -> CONCAT as l",
        "4x5x6",
        torch=lambda x, state: __import__("torch").cat([x, x.relu()], 1),
    ),
]

"""Styles of pictures, a row each: a network, and what its picture says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StyleRow:
    """A network that a style draws.

    Attributes:
        style: The style.
        program: The network.
        says: What stands in the picture.
        options: What is chosen of it.
    """

    style: str
    program: str
    says: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.style, *map(str, self.options.values())])


CNN = "INPUT(28x28x1) -> CONV(5x5, 6) as maps -> RELU -> POOL -> FC(10) as scores"

ROWS = [
    StyleRow("graph", CNN, ("maps", "scores", "28x28x6", "10 units")),
    StyleRow("graph", CNN, ("maps", "scores"), {"direction": "LR"}),
    StyleRow("ops", CNN, ("Conv", "Relu", "maps.weight", "N\N{MULTIPLICATION SIGN}10", "output")),
    StyleRow("backward", "INPUT(3) as x -> FC(2)", ("x", "∂loss/∂fc1.weight"), {"loss": "mse"}),
    StyleRow("volumes", CNN, ("6@28x28", "10")),
    StyleRow("volumes", CNN, ("6@28x28", "10"), {"maps": "planes", "scale": "linear"}),
    StyleRow("neurons", "INPUT(3) as x -> FC(2) as h -> TANH", ("h", "tanh")),
]

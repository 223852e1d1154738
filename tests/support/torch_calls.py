"""Modules of PyTorch and a function that calls them, as one module."""

from collections.abc import Callable
from typing import Any

from torch import nn


class Called(nn.Module):  # type: ignore[misc]  # mypy does not follow torch
    """Modules and parameters, and what is done with them."""

    def __init__(self, forward: Callable[..., Any], **modules: Any) -> None:
        super().__init__()
        self.called = forward
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, *xs: Any) -> Any:
        """What is done with them."""
        return self.called(self, *xs)

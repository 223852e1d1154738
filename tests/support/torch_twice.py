"""PyTorch modules whose loss is differentiated twice."""

from collections.abc import Callable, Mapping

from torch import nn

from .torch_sequences import attentive
from .torch_zoo import Module, named

NETWORKS: Mapping[str, Callable[[], Module]] = {
    "mlp": lambda: named(
        **{"a": nn.Linear(5, 7), "f": nn.Tanh(), "b": nn.Linear(7, 6), "g": nn.Sigmoid()},
        **{"c": nn.Linear(6, 6), "h": nn.Softplus(), "d": nn.Linear(6, 3)},
    ),
    "conv_tanh": lambda: named(
        **{"a": nn.Conv2d(2, 4, 3, padding=1), "f": nn.Tanh()},
        **{"b": nn.Conv2d(4, 4, 3, 2, 1, groups=2), "g": nn.Tanh()},
        **{"c": nn.ConvTranspose2d(4, 3, 2, 2), "h": nn.Tanh(), "flat": nn.Flatten()},
        d=nn.Linear(108, 3),
    ),
    "max_pool": lambda: named(
        **{"a": nn.Conv2d(2, 4, 3, padding=1), "f": nn.Tanh(), "p": nn.MaxPool2d(3, 2, 1)},
        **{"b": nn.Conv2d(4, 4, 3, padding=1), "g": nn.SiLU(), "q": nn.MaxPool2d(2)},
        **{"flat": nn.Flatten(), "d": nn.Linear(8, 3)},
    ),
    "normalized": lambda: named(
        **{"a": nn.Conv2d(2, 4, 3, padding=1, bias=False), "n": nn.BatchNorm2d(4)},
        **{"f": nn.Tanh(), "b": nn.Conv2d(4, 4, 3, padding=1, bias=False)},
        **{"g": nn.GroupNorm(2, 4), "h": nn.GELU(), "gap": nn.AdaptiveAvgPool2d(1)},
        **{"flat": nn.Flatten(), "d": nn.Linear(4, 3)},
    ),
    "attention": attentive,
}

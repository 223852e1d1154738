"""Optimizers and what they are in PyTorch, one row per way to use one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term


@dataclass(frozen=True)
class OptimizerRow:
    """An optimizer, and its class in PyTorch, which is also its name in Python.

    Attributes:
        name: Its name in the language.
        torch: Its name in PyTorch.
        arguments: Its arguments, which PyTorch calls the same, but for Adam's betas.
    """

    name: str
    torch: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={given}" for key, given in self.arguments.items())])

    @property
    def term(self) -> Term:
        """The choice, with defaults filled in."""
        return OPTIMIZERS.term(self.name, **self.arguments)

    @property
    def theirs(self) -> dict[str, Any]:
        """PyTorch's arguments."""
        given = {"lr": self.term.arguments["lr"], **self.arguments}
        if "beta1" in given:
            given["betas"] = (given.pop("beta1"), given.pop("beta2"))
        return given


def row(name: str, torch: str, **arguments: Any) -> OptimizerRow:
    """A row with arguments as a program has them."""
    return OptimizerRow(name, torch, arguments)


ROWS = [
    row("sgd", "SGD", lr=0.3),
    row("sgd", "SGD", lr=0.1, momentum=0.9),
    row("sgd", "SGD", lr=0.1, momentum=0.9, nesterov=True),
    row("sgd", "SGD", lr=0.1, momentum=0.9, weight_decay=0.05),
    row("sgd", "SGD", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.05),
    row("adam", "Adam"),
    row("adam", "Adam", lr=0.02, beta1=0.8, beta2=0.95, eps=1e-4, weight_decay=0.05),
    row("adamw", "AdamW"),
    row("adamw", "AdamW", lr=0.1, weight_decay=0.0),
    row("adamw", "AdamW", lr=0.02, beta1=0.8, beta2=0.95, eps=1e-4, weight_decay=0.5),
    row("rmsprop", "RMSprop"),
    row("rmsprop", "RMSprop", lr=0.01, alpha=0.9, eps=1e-4, momentum=0.5, weight_decay=0.05),
    row("rmsprop", "RMSprop", lr=0.01, alpha=0.9, eps=1e-3, momentum=0.5, centered=True),
    row("adagrad", "Adagrad"),
    row("adagrad", "Adagrad", lr=0.1, lr_decay=0.05, eps=1e-4, weight_decay=0.05),
]

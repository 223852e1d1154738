"""Optimizers for Python: `netc.SGD(lr=0.1, momentum=0.9)` is `sgd(...)` in a program."""

from inspect import Parameter, Signature
from typing import Any

from .compiler.expressions.arguments import spell
from .compiler.layers.layerdef import GivenArgument
from .compiler.training.optimizers import OPTIMIZERS
from .compiler.training.term_table import bind_term
from .compiler.training.terms import Term
from .grammar.source import Source, Span


class Optimizer:
    """Creates an optimizer; the manual's page on training lists the arguments.

    Args:
        name: Its name in the language.
        spelling: Its name in Python.
    """

    def __init__(self, name: str, spelling: str) -> None:
        row = OPTIMIZERS[name]
        self.name = name
        self.__name__ = spelling
        self.__doc__ = row.function.__doc__
        self.__signature__ = Signature(
            [
                Parameter(argument, Parameter.KEYWORD_ONLY, default=default)
                for argument, default in row.defaults.items()
            ]
        )

    def __call__(self, **arguments: Any) -> Term:
        """The optimizer with these arguments, and defaults for the others.

        Raises:
            NetError: An argument is unknown or of the wrong kind.
        """
        texts = [f"{name}={spell(value)}" for name, value in arguments.items()]
        source = Source("<Python>", f"{self.__name__}({', '.join(texts)})")
        given: list[GivenArgument] = []
        start = len(self.__name__) + 1
        for text, (name, value) in zip(texts, arguments.items(), strict=True):
            given.append(GivenArgument(name, value, Span(source, start, start + len(text))))
            start += len(text) + 2
        call = Span(source, 0, len(source.text))
        return bind_term("optimizer", self.name, given, call, spelling=self.__name__)

    def __repr__(self) -> str:
        return f"netc.{self.__name__}"


SGD = Optimizer("sgd", "SGD")
Adam = Optimizer("adam", "Adam")
AdamW = Optimizer("adamw", "AdamW")
RMSprop = Optimizer("rmsprop", "RMSprop")
Adagrad = Optimizer("adagrad", "Adagrad")

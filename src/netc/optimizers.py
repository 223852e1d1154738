"""Optimizers for Python: `netc.SGD(lr=0.1, momentum=0.9)` is `sgd(...)` in a program."""

from inspect import Parameter, Signature
from typing import Any

from .compiler.expressions.binding import GivenArgument
from .compiler.training.held_settings import held, keyword_spans, spell_plain
from .compiler.training.optimizers import OPTIMIZERS
from .compiler.training.term_table import bind_term
from .compiler.training.terms import Term
from .grammar.source import PYTHON


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
        texts = {name: spell_plain(value) for name, value in arguments.items()}
        call, spans = keyword_spans(PYTHON, texts, before=f"{self.__name__}(", after=")")
        given = [
            GivenArgument(name, held(value, spans[name]).value, spans[name])
            for name, value in arguments.items()
        ]
        return bind_term("optimizer", self.name, given, call, spelling=self.__name__)

    def __repr__(self) -> str:
        return f"netc.{self.__name__}"

    def __reduce__(self) -> str:
        """A copy is the optimizer itself, which pickles name."""
        return self.__name__


SGD = Optimizer("sgd", "SGD")
Adam = Optimizer("adam", "Adam")
AdamW = Optimizer("adamw", "AdamW")
RMSprop = Optimizer("rmsprop", "RMSprop")
Adagrad = Optimizer("adagrad", "Adagrad")

"""A named choice with its arguments, as a `train` block makes it, and the rows of its table."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from ...grammar.source import Span
from ..expressions.arguments import Kind, kind_of, or_none


@dataclass(frozen=True, slots=True)
class Term:
    """A choice such as `sgd(lr=0.1)`, all arguments bound and defaults filled in.

    Attributes:
        kind: `data`, `preprocess`, `augment`, `loss`, `regularize`, `optimizer` or `schedule`.
        name: The name of the choice.
        arguments: Its arguments by name.
        span: Where the author wrote it; None where it does not come from a program. Two terms
            are equal when they say the same, wherever they stand.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    span: Span | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"<{self.kind} {self.name}({arguments})>"


@dataclass(frozen=True, slots=True)
class TermDef:
    """What a choice takes: a signature that arguments are bound to as to a layer's.

    Attributes:
        name: Its name in the language.
        kinds: What each argument accepts, in order.
        defaults: The arguments that may be left out.
        numbers: Which arguments take positional numbers, in order.
        size: Which argument takes a positional size.
        choice: Which argument takes a positional word or string.
    """

    name: str
    kinds: Mapping[str, Kind]
    defaults: Mapping[str, Any]
    numbers: tuple[str, ...] = ()
    size: str | None = None
    choice: str | None = None

    @property
    def preset(self) -> Mapping[str, Any]:
        """Nothing: choices have no aliases."""
        return {}

    @property
    def counts(self) -> tuple[str, ...]:
        """Nothing: integers are for the arguments that take numbers."""
        return ()

    @property
    def keywords(self) -> list[str]:
        """Every keyword that a call may use."""
        return list(self.kinds)


def keyword_arguments(
    function: Callable[..., Any],
) -> tuple[dict[str, Kind], dict[str, Any]]:
    """The kinds and the defaults of a function's keyword-only arguments.

    One whose default is None takes the word `none`, too.
    """
    hints = get_type_hints(function, include_extras=True)
    arguments = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    kinds = {
        p.name: or_none(kind_of(hints[p.name])) if p.default is None else kind_of(hints[p.name])
        for p in arguments
    }
    return kinds, {p.name: p.default for p in arguments if p.default is not p.empty}

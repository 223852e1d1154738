"""A named choice with its arguments, as a `train` block makes it, and the rows of its table."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, field
from typing import Any, TypeVar, get_type_hints

from ...grammar.records import record
from ...grammar.source import Span
from ..expressions.arguments import Kind, keyword_only, kind_of, or_none
from ..expressions.binding import CallSignature


@record
class Term:
    """A choice such as `sgd(lr=0.1)`, all arguments bound and defaults filled in.

    Attributes:
        kind: `data`, `preprocess`, `augment`, `loss`, `regularize`, `clip`, `optimizer` or
            `schedule`.
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


@record
class TermDef(CallSignature):
    """A row of a table of choices: a signature, to which arguments are bound as to a layer's.

    Attributes:
        kind: The kind of choice.
        name: Its name in the language.
        function: What it does; of `data`, `preprocess` and `augment`, what it is called with.
    """

    _: KW_ONLY
    kind: str
    name: str
    function: Callable[..., Any]

    def settled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments, with defaults for those that are left out."""
        return {**self.defaults, **arguments}


TermRow = TypeVar("TermRow", bound=TermDef)
TermFunction = TypeVar("TermFunction", bound=Callable[..., Any])
Keywords = tuple[Mapping[str, Kind], Mapping[str, Any]]  # kinds and defaults


class TermTable(dict[str, TermRow]):
    """The choices of one kind by name, each entered by the function that it stands for.

    Args:
        kind: The kind of choice.
        noun: What such a choice is called.
        row: What makes a row.
        common: A function whose keyword-only arguments every choice takes besides its own.
    """

    def __init__(
        self, kind: str, noun: str, row: type[TermRow], *, common: Callable[..., None] | None = None
    ) -> None:
        super().__init__()
        self.kind, self.noun, self.row = kind, noun, row
        self.common: Keywords = ({}, {}) if common is None else keyword_arguments(common)

    def enter(
        self,
        name: str,
        *,
        first: Keywords = ({}, {}),
        after: Keywords = ({}, {}),
        **fields: Any,
    ) -> Callable[[TermFunction], TermFunction]:
        """Enter the decorated function, whose keyword-only signature is its parameter list.

        Args:
            name: Its name in the language.
            first: Kinds and defaults of what goes before its own arguments.
            after: Those of what goes after them.
            fields: What else its row says.
        """

        def register(function: TermFunction) -> TermFunction:
            if name in self:
                raise ValueError(f"the {self.noun} {name} is defined twice")
            own, left_out = keyword_arguments(function)
            self[name] = self.row(
                kind=self.kind,
                name=name,
                function=function,
                kinds={**first[0], **own, **after[0], **self.common[0]},
                defaults={**first[1], **left_out, **after[1], **self.common[1]},
                **fields,
            )
            return function

        return register

    def term(self, name: str, /, **arguments: Any) -> Term:
        """A choice with defaults filled in, from arguments that are known to fit."""
        return Term(self.kind, name, self[name].settled(arguments))


def keyword_arguments(function: Callable[..., Any]) -> Keywords:
    """The kinds and the defaults of a function's keyword-only arguments.

    One whose default is None takes the word `none`, too.
    """
    hints = get_type_hints(function, include_extras=True)
    names, defaults = keyword_only(function)
    kinds = {name: kind_of(hints[name]) for name in names}
    nullable = [name for name, default in defaults.items() if default is None]
    return {**kinds, **{name: or_none(kinds[name]) for name in nullable}}, defaults

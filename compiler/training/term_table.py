"""The table of all that a `train` block may call, and how such a call is bound and spelled."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.parsing.literals import write_string
from ...grammar.source import Span
from ..expressions.arguments import Kind, Word, spell
from ..expressions.binding import GivenArgument, bind
from .clipping import CLIPPING
from .data_terms import AUGMENT, DATA, PREPROCESS
from .foreign import LOST, corrected_term
from .losses import LOSSES
from .optimizers import OPTIMIZERS
from .regularizers import REGULARIZERS
from .schedules import SCHEDULES
from .terms import Term, TermTable

# Kind of choice -> name -> what it takes.
TERMS: Mapping[str, TermTable[Any]] = {
    table.kind: table
    for table in (
        *(DATA, PREPROCESS, AUGMENT, LOSSES, REGULARIZERS, CLIPPING, OPTIMIZERS, SCHEDULES),
    )
}


def bind_term(
    kind: str,
    name: str,
    given: Sequence[GivenArgument],
    call: Span,
    *,
    name_span: Span | None = None,
    spelling: str | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Term:
    """A choice with its arguments settled as a layer's are, by keyword or by kind.

    Args:
        kind: A key of `TERMS`.
        name: The choice.
        given: Its arguments, values computed.
        call: The whole call's text.
        name_span: The text of its name; `call` where it is None.
        spelling: What messages call it; its name where it is None.
        defaults: What goes before its own defaults.

    Raises:
        NetError: E124, there is no such choice; or an argument is unknown, given twice, missing,
            or of the wrong kind.
    """
    if name not in TERMS[kind]:
        raise _unknown(kind, name, given, name_span or call)
    try:
        bound = bind(TERMS[kind][name], given, call, spelling or name, defaults=defaults)
    except NetError as failure:
        raise _advised(failure, kind, name, given, call) from None
    return Term(kind, name, bound.arguments, call)


def _advised(
    failure: NetError, kind: str, name: str, given: Sequence[GivenArgument], call: Span
) -> NetError:
    """The failure of a choice that exists, with the corrected call where its arguments are known.

    Bad values keep their own help: only words that others use, and what is missing, have another.
    So do arguments of no framework, where one of ours is near.
    """
    (first,) = failure.diagnostics
    help = corrected_term(kind, name, given, TERMS[kind], call)
    if first.code == "E102" and first.help is not None and LOST in (help or ""):
        return failure
    if first.code == "E106":
        help = "keep one of them"
    if first.code not in ("E102", "E105", "E106") or help is None:
        return failure
    return NetError([replace(first, help=help)])


def _unknown(kind: str, name: str, given: Sequence[GivenArgument], span: Span) -> NetError:
    others = [other for other, rows in TERMS.items() if name in rows]
    known = ", ".join(f"`{known}`" for known in TERMS[kind])
    corrected = corrected_term(kind, name, given, TERMS[kind], span)
    help = corrected or did_you_mean(name, TERMS[kind]) or f"choose one of {known}"
    if others:
        help = f"`{name}` belongs to `{others[0]}`; {help}"
    return error("E124", f"unknown {TERMS[kind].noun} `{name}`", span, help=help)


def is_known(term: Term) -> bool:
    """Whether there is such a choice with such arguments, which need not fit."""
    row = TERMS[term.kind].get(term.name) if term.kind in TERMS else None
    return row is not None and term.arguments.keys() <= row.kinds.keys()


def given_arguments(term: Term) -> dict[str, Any]:
    """What a program gives to make a choice: the arguments that are not the defaults."""
    row = TERMS[term.kind][term.name]
    return {
        name: _given(value, row.kinds[name])
        for name, value in term.arguments.items()
        if name not in row.defaults or value != row.defaults[name]
    }


def _given(value: Any, kind: Kind) -> Any:
    """A canonical value as a program has it: choices are words, and what is no size is a list."""
    if value is None:
        return Word("none")
    if isinstance(value, str):
        return Word(value) if value in kind.words and value != "none" else value
    if isinstance(value, list | tuple) and not all(isinstance(item, int) for item in value):
        return [_given(item, kind) for item in value]
    return value


def spell_term(term: Term) -> str:
    """A choice as a program spells it, with the arguments that are not the defaults."""
    given = given_arguments(term)
    shown = [f"{name}={spell_value(value)}" for name, value in given.items()]
    return f"{term.name}({', '.join(shown)})" if shown else term.name


def spell_value(value: Any) -> str:
    """A value as a program spells it, so that it is read as the same value again."""
    if isinstance(value, str) and not isinstance(value, Word):
        return write_string(value)
    if isinstance(value, list | tuple) and not all(isinstance(item, int) for item in value):
        return f"[{', '.join(map(spell_value, value))}]"
    return spell(value)

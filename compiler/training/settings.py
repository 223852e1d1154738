"""A `train` block -> its settings by name, each checked separately: terms, numbers and words."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, error
from ...grammar.records import record
from ...grammar.source import PlacedText, Span
from ...grammar.translation.settings import OUR_SETTINGS, corrected_setting
from ..expressions.arguments import (
    Flag,
    Kind,
    Mismatch,
    Natural,
    Nonnegative,
    Positive,
    Rate,
    Word,
    WordCall,
    fitted,
    kind_of,
    or_none,
    spell,
)
from ..expressions.binding import GivenArgument
from ..expressions.calls import unknown_function
from ..expressions.checks import unknown_name
from ..expressions.evaluate import NO_NAMES, label_text
from ..expressions.recovery import Poisoned
from . import foreign
from .factors import WEIGHTS
from .optimizers import OPTIMIZERS
from .term_table import TERMS, bind_term
from .terms import Term

Evaluate = Callable[[ast.Expression], Any]

SHARES_MAY_MISS = 1e-9  # of 1: 0.7 + 0.2 + 0.1 is not 1 in binary

# A value of each setting, for messages; those that are no choices are said in helps.
PLAIN_SETTINGS = ("split", "fold", "ema", "batch", "accumulate", "epochs", "seed")
EXAMPLE_VALUES: Mapping[str, str] = {
    "data": "digits",
    "preprocess": "mean_subtract",
    "augment": "flip(horizontal)",
    "loss": "cross_entropy",
    "regularize": "l2(5e-4)",
    "clip": "norm(1)",
    "optimizer": "sgd(lr=0.1)",
    "schedule": "exponential(k=0.01)",
    "split": "(0.8, 0.1, 0.1)",
    "fold": "(1, 5)",
    "ema": "0.999",
    "batch": "32",
    "accumulate": "4",
    "epochs": "10",
    "seed": "0",
}

_EXAMPLE = re.compile(r"\bsgd\(((\w+)=[^()`]*)\)")  # an argument, given to any optimizer
KEEP_ONE = "keep one of them"


@record
class GivenSetting:
    """A setting as it was given.

    Attributes:
        value: A term, a tuple of terms, a number or a word; for `loss` and `weights` also such
            values by the output's name.
        span: The text of the setting.
        places: Where it names outputs, by name.
    """

    value: Any
    span: Span
    places: Mapping[str, Span] = field(default_factory=dict)


def read_settings(entries: Sequence[ast.Entry], evaluate: Evaluate) -> dict[str, GivenSetting]:
    """The settings of a `train` block by name.

    Args:
        entries: What the block says.
        evaluate: Gives the value of an expression, in which unknown names are words.

    Raises:
        NetError: Settings are unknown, given twice, or of the wrong kind or value; all of them.
        Poisoned: A setting reads a value whose computation failed and was reported.
    """
    given: dict[str, GivenSetting] = {}
    findings: list[Diagnostic] = []
    poisoned = False
    chosen = next((e.value.span.text for e in entries if e.name == "optimizer"), "")
    reader = _Reader(evaluate, chosen)
    # What `per` says is a default of the schedules.
    for entry in sorted(entries, key=lambda entry: entry.name != "per"):
        try:
            given[entry.name] = reader.read(entry, given)
        except NetError as failure:
            findings += failure.diagnostics
        except Poisoned:
            poisoned = True
    if findings:
        raise NetError(sorted(findings, key=lambda d: d.span.start if d.span else 0))
    if poisoned:
        raise Poisoned
    return given


@dataclass(frozen=True)
class _Reader:
    """Reads settings.

    Attributes:
        evaluate: Gives the value of an expression.
        optimizer: The optimizer as its author wrote it, or nothing.
        schedule_defaults: What goes before a schedule's own defaults.
    """

    evaluate: Evaluate
    optimizer: str
    schedule_defaults: dict[str, Any] = field(default_factory=dict)

    def read(self, entry: ast.Entry, earlier: Mapping[str, GivenSetting]) -> GivenSetting:
        """One setting."""
        name_span = Span(entry.span.source, entry.span.start, entry.span.start + len(entry.name))
        if entry.name not in SETTINGS:
            raise self.unknown(entry, name_span)
        if entry.name in earlier:
            first = Pointer(earlier[entry.name].span, "first given here")
            message = f"`train` sets `{entry.name}` twice"
            raise error("E123", message, name_span, also=[first], help=KEEP_ONE)
        found = SETTINGS[entry.name](self, entry)
        if entry.name == "per":
            self.schedule_defaults["per"] = found.value
        return found

    def unknown(self, entry: ast.Entry, span: Span) -> NetError:
        """The error for a setting that there is not, with ours where it has another name here."""
        value = None
        if not isinstance(entry.value, ast.MapOf):
            with suppress(NetError):
                value = self.evaluate(entry.value)
        text = " ".join(entry.value.span.text.split())
        ours = OUR_SETTINGS.get(entry.name.casefold().replace("_", ""), "").partition(" = ")[0]
        if ours in TERMS:
            text = self._spelled(ours, entry) or text
        help = corrected_setting(entry.name, value, text)
        if help is not None:
            help = _EXAMPLE.sub(self._of_chosen, help)
        failure = unknown_setting(entry.name, span)
        return failure if help is None else NetError([replace(failure.diagnostics[0], help=help)])

    def _of_chosen(self, example: re.Match[str]) -> str:
        """An example's argument as one of the optimizer that is chosen, if that takes it."""
        found = re.fullmatch(r"(\w+)(?:\((.*)\))?", self.optimizer.strip(), re.DOTALL)
        if found is None or example[2] not in getattr(OPTIMIZERS.get(found[1]), "kinds", ()):
            return example[0]
        others = f"{found[2].strip()}, " if found[2] and found[2].strip() else ""
        return f"{found[1]}({others}{example[1]})"

    def _spelled(self, setting: str, entry: ast.Entry) -> str | None:
        """A setting's value in our words where it is refused with them."""
        try:
            SETTINGS[setting](self, entry)
        except NetError as failure:
            found = re.match("write `([^`]+)`", failure.diagnostics[0].help or "")
            return found[1] if found else None
        return None

    def term(self, kind: str, expression: ast.Expression, name: str) -> Term:
        """A choice of a kind, which an expression calls or names."""
        match expression:
            case ast.Choice(condition, then, otherwise):
                holds = self.evaluate(condition)
                if not isinstance(holds, bool):
                    message = f"a condition must be `yes` or `no`, not `{spell(holds)}`"
                    raise error("E302", message, condition.span)
                return self.term(kind, then if holds else otherwise, name)
            case ast.Name(id):
                return self._bound(kind, id, (), expression)
            case ast.Apply(function, arguments):
                return self._bound(kind, function, arguments, expression)
        raise self._no_term(kind, expression, name)

    def terms(self, kind: str, items: Sequence[ast.Expression], name: str) -> tuple[Term, ...]:
        """Several choices of a kind, or what is wrong with each of them."""
        found: list[Term] = []
        findings: list[Diagnostic] = []
        for item in items:
            try:
                found.append(self.term(kind, item, name))
            except NetError as failure:
                findings += failure.diagnostics
        if findings:
            raise NetError(findings)
        return tuple(found)

    def _no_term(self, kind: str, expression: ast.Expression, name: str) -> NetError:
        """The error for a value that names no choice."""
        help = None
        is_held = isinstance(expression, ast.Held)
        written = expression.span.text if is_held else label_text(expression)
        if name == "momentum":
            text = expression.span.text
            help = f"a constant momentum belongs to the optimizer: `sgd(momentum={text})`"
        elif written is not None:
            help = foreign.corrected_term(kind, written, (), TERMS[kind], expression.span)
        elif name in LISTED and isinstance(expression, ast.Binary):
            help = f"write `[{', '.join(part.span.text for part in _joined(expression))}]`"
        if help is None and kind == "data":
            if isinstance(expression, ast.String):
                help = foreign.corrected_path(expression.value)
            elif foreign.is_file(expression.span.text):
                help = foreign.corrected_path(expression.span.text)
        noun = TERMS[kind].noun
        example = f"{'an' if noun[0] in 'aeo' else 'a'} {noun} such as `{EXAMPLE_VALUES[kind]}`"
        return _unfit(name, example, expression, help=help)

    def _bound(
        self, kind: str, name: str, arguments: tuple[ast.Argument, ...], call: ast.Expression
    ) -> Term:
        given = [GivenArgument(a.name, self.evaluate(a.value), a.span) for a in arguments]
        start = call.span.start
        return bind_term(
            kind,
            name,
            given,
            call.span,
            name_span=Span(call.span.source, start, start + len(name)),
            defaults=self.schedule_defaults if kind == "schedule" else None,
        )

    def plain(self, kind: Kind, expression: ast.Expression, name: str) -> Any:
        """A value of a kind."""
        value = self.evaluate(expression)
        try:
            return fitted(kind, value)
        except Mismatch:
            help = did_you_mean(value, kind.words) if isinstance(value, Word) else None
            help = help or foreign.corrected_value(name, value, expression.span.text)
            if help is None and isinstance(value, WordCall):
                raise unknown_function(value.name, NO_NAMES, expression.span) from None
            is_name = isinstance(value, Word) and value.islower() and not kind.words
            is_name &= kind is not kind_of(Flag)
            if help is None and is_name:
                raise unknown_name(value, expression.span) from None
            raise _unfit(name, kind.expected, expression, help=help) from None


LISTED = ("preprocess", "augment", "regularize")  # settings that take several choices


def _joined(expression: ast.Expression) -> Sequence[ast.Expression]:
    """The choices that operators join: `l1(1e-4) + l2(1e-4)`."""
    parts = []
    while isinstance(expression, ast.Binary):
        parts.append(expression.right)
        expression = expression.left
    return [expression, *reversed(parts)]


Read = Callable[[_Reader, ast.Expression, str], Any]
ReadEntry = Callable[[_Reader, ast.Entry], GivenSetting]


def _term(kind: str) -> Read:
    """One choice."""
    return lambda reader, expression, name: reader.term(kind, expression, name)


def _term_or_none(kind: str) -> Read:
    """One choice, or `none`."""

    def read(reader: _Reader, expression: ast.Expression, name: str) -> Term | None:
        is_none = isinstance(expression, ast.Name) and expression.id == "none"
        return None if is_none else reader.term(kind, expression, name)

    return read


def _terms(kind: str) -> Read:
    """A choice, a list of choices, or `none`."""

    def read(reader: _Reader, expression: ast.Expression, name: str) -> tuple[Term, ...]:
        listed = isinstance(expression, ast.ListOf)
        items = expression.items if isinstance(expression, ast.ListOf) else (expression,)
        if isinstance(expression, ast.Name) and expression.id == "none":
            items = ()
        terms = reader.terms(kind, items, name)
        if kind == "regularize" and listed:
            _check_once(terms)
        return terms

    return read


def _check_once(terms: tuple[Term, ...]) -> None:
    """Refuse a regularizer that is given twice."""
    first: dict[str, Term] = {}
    for term in terms:
        earlier = first.setdefault(term.name, term)
        if earlier is not term and earlier.span is not None:
            also = [Pointer(earlier.span, "first given here")]
            message = f"`{term.name}` is given twice"
            raise error("E123", message, term.span, also=also, help=KEEP_ONE)


def _metric_names(reader: _Reader, expression: ast.Expression, name: str) -> tuple[str, ...]:
    """The names of metrics, an output's in front or not."""
    items = expression.items if isinstance(expression, ast.ListOf) else (expression,)
    if isinstance(expression, ast.Name) and expression.id == "none":
        items = ()
    names = [(label_text(item), item.span) for item in items]
    if any(text is None for text, _ in names):
        raise _unfit(name, "a metric or a list of metrics, `[f1, roc_auc]`", expression)
    return tuple(PlacedText.at(text, span) for text, span in names if text)


def _plain(annotation: Any) -> Read:
    """A value of the kind that an annotation names."""
    kind = annotation if isinstance(annotation, Kind) else kind_of(annotation)
    return lambda reader, expression, name: reader.plain(kind, expression, name)


def _alone(read: Read) -> ReadEntry:
    """One value, for the whole training."""

    def read_entry(reader: _Reader, entry: ast.Entry) -> GivenSetting:
        if isinstance(entry.value, ast.MapOf):
            message = f"`{entry.name}` cannot be set per output"
            values = [f"`{entry.name} = {item.value.span.text}`" for item in entry.value.items]
            help = f"write {values[0]}" if values else None
            raise error("E125", message, entry.value.span, help=help)
        return GivenSetting(read(reader, entry.value, entry.name), entry.span)

    return read_entry


def _by_name(
    read: Read, *, alone: Read | None, expected: str = "a number for each output, `{a: 1, b: 0.5}`"
) -> ReadEntry:
    """A value for each name, such as an output's, or one alone, where that is read."""

    def read_entry(reader: _Reader, entry: ast.Entry) -> GivenSetting:
        if not isinstance(entry.value, ast.MapOf):
            if alone is None:
                raise _unfit(entry.name, expected, entry.value)
            return GivenSetting(alone(reader, entry.value, entry.name), entry.span)
        values: dict[str, Any] = {}
        places: dict[str, Span] = {}
        for item in entry.value.items:
            name = item.name or ""
            quotes = 2 * item.span.text.startswith('"')
            end = item.span.start + len(name) + quotes
            place = Span(item.span.source, item.span.start, end)
            if name in places:
                also = [Pointer(places[name], "first given here")]
                message = f"`{entry.name}` is given `{name}` twice"
                raise error("E123", message, place, also=also, help=KEEP_ONE)
            values[name], places[name] = read(reader, item.value, entry.name), place
        if not values:
            what = "a value for each of some outputs" if entry.name in OF_OUTPUTS else expected
            raise _unfit(entry.name, what, entry.value)
        return GivenSetting(values, entry.span, places)

    return read_entry


def _shares(value: Any) -> tuple[float, ...]:
    """Shares of training, validation and test parts; the last may be left out."""
    if not isinstance(value, list | tuple) or len(value) not in (2, 3):
        raise Mismatch
    shares = tuple(kind_of(Nonnegative).convert(share) for share in value)
    if abs(sum(shares) - 1) > SHARES_MAY_MISS or shares[0] == 0:
        raise Mismatch
    return shares if len(shares) == 3 else (*shares, 0.0)


def _fold(value: Any) -> tuple[int, int] | None:
    """Which of how many folds is the test part, counted from 1; None for none."""
    if isinstance(value, Word) and value == "none":
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Mismatch
    number, count = (int(kind_of(Positive).convert(each)) for each in value)
    if count < 2 or number > count:
        raise Mismatch
    return number, count


def _batch(value: Any) -> int | None:
    """How many samples a batch has; None for all."""
    if isinstance(value, Word) and value == "all":
        return None
    return int(kind_of(Positive).convert(value))


SPLIT_SHARES = Kind(
    "the shares of training, validation and test data, which sum to 1: `(0.8, 0.1, 0.1)`", _shares
)
FOLD = Kind("the number of a fold and how many there are, `(1, 5)`", _fold, ("none",))
BATCH_SIZE = Kind("a positive integer or `all`", _batch, ("all",))

BY_PATTERN = 'a factor for each label or pattern of weights, `{features: 0.1, "*.bias": 0}`'
OF_OUTPUTS = ("loss", "weights", "targets")


def _decaying(value: Any) -> str | Mapping[str, float]:
    """Which weights decay, as a word."""
    if not isinstance(value, Word) or value not in (WEIGHTS, "all"):
        raise Mismatch
    return WEIGHTS if value == WEIGHTS else {}


DECAYING = Kind(f"`{WEIGHTS}`, `all`, or {BY_PATTERN}", _decaying, (WEIGHTS, "all"))

SETTINGS: Mapping[str, ReadEntry] = {
    "data": _alone(_term("data")),
    "validation": _alone(_term_or_none("data")),
    "test": _alone(_term_or_none("data")),
    "split": _alone(_plain(SPLIT_SHARES)),
    "fold": _alone(_plain(FOLD)),
    "preprocess": _alone(_terms("preprocess")),
    "targets": _by_name(_term("preprocess"), alone=_term_or_none("preprocess")),
    "augment": _alone(_terms("augment")),
    "loss": _by_name(_term("loss"), alone=_term("loss")),
    "weights": _by_name(_plain(Nonnegative), alone=None),
    "metrics": _alone(_metric_names),
    "regularize": _alone(_terms("regularize")),
    "clip": _alone(_term_or_none("clip")),
    "optimizer": _alone(_term("optimizer")),
    "lr_factors": _by_name(_plain(Nonnegative), alone=None, expected=BY_PATTERN),
    "decay": _by_name(_plain(Nonnegative), alone=_plain(DECAYING), expected=BY_PATTERN),
    "schedule": _alone(_term("schedule")),
    "momentum": _alone(_term("schedule")),
    "per": _alone(_plain(Literal["step", "epoch"])),
    "ema": _alone(_plain(or_none(kind_of(Rate)))),
    "batch": _alone(_plain(BATCH_SIZE)),
    "accumulate": _alone(_plain(Positive)),
    "sync_bn": _alone(_plain(Flag)),
    "last": _alone(_plain(Literal["keep", "drop"])),
    "epochs": _alone(_plain(Positive)),
    "seed": _alone(_plain(Natural)),
}


def optimizer_arguments() -> set[str]:
    """The arguments of all optimizers."""
    return {name for row in OPTIMIZERS.values() for name in row.kinds}


def unknown_setting(name: str, span: Span | None = None) -> NetError:
    """The error for a name that no setting has."""
    if name in optimizer_arguments():
        help: str | None = f"it belongs to the optimizer: `optimizer = sgd({name}=...)`"
    else:
        known = ", ".join(f"`{known}`" for known in SETTINGS)
        help = corrected_setting(name, None, "...")
        help = help or did_you_mean(name, SETTINGS) or f"the settings are {known}"
    return error("E122", f"`train` has no setting `{name}`", span, help=help)


def _unfit(name: str, expected: str, value: ast.Syntax, help: str | None = None) -> NetError:
    if help is None and name in PLAIN_SETTINGS:
        help = f"such as `{name} = {EXAMPLE_VALUES[name]}`"
    text = " ".join(value.span.text.split())
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    return error("E125", f"`{name}` must be {expected}, not `{shown}`", value.span, help=help)

"""The arguments of a call -> values by name: what each is for, whether it fits, what is left out.

A layer's arguments (`CONV(3x3, 16)`) and those of a choice in a `train` block (`sgd(lr=0.1)`) are
bound alike; operators and blocks use parts of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, field
from math import floor
from typing import Any

from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.records import record
from ...grammar.source import OUTSIDE, Span
from ...grammar.translation.keywords import keyword_help
from .arguments import LARGEST_WHOLE, Kind, Mismatch, Quotient, Word, WordCall, fitted, spell, whole
from .checks import unknown_name


@record
class CallSignature:
    """What a call may give, and which arguments its positional values are for.

    Attributes:
        kinds: What each argument accepts, in order.
        defaults: The arguments that may be left out.
        size: The argument that a positional size is for.
        counts: The arguments that bare integers are for, in order.
        numbers: The arguments that real numbers are for, in order; without counts, integers as
            well.
        choice: The argument that a word or a string is for.
        preset: Arguments that the spelling determines (`MAXPOOL` is `POOL` with `mode=max`).
        common: Arguments that every call of the kind takes besides.
    """

    _: KW_ONLY
    kinds: Mapping[str, Kind]
    defaults: Mapping[str, Any]
    size: str | None = None
    counts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    choice: str | None = None
    preset: Mapping[str, Any] = field(default_factory=dict)
    common: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def keywords(self) -> list[str]:
        """Every keyword that a call may use."""
        return [*self.kinds, *self.common]

    @property
    def positional(self) -> list[str]:
        """The arguments that a call may give without a keyword."""
        names = (self.size, *self.counts, *self.numbers, self.choice)
        return list(dict.fromkeys(name for name in names if name is not None))


@record
class GivenArgument:
    """An argument of a call with its value computed; `name` is None for a positional one."""

    name: str | None
    value: Any
    span: Span


@record
class Bound:
    """A call's arguments by name, defaults filled in; `share` names whose weights it uses.

    True stands for those of the first turn of the repetition that it is in.

    `text` says which arguments are given and what all of them are: equal texts, equal arguments.
    """

    arguments: Mapping[str, Any]
    defaulted: frozenset[str]
    spans: Mapping[str, Span]
    frozen: bool = False
    share: str | bool | None = None
    text: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = f"{[*self.spans]} {self.arguments} {self.frozen}"
        object.__setattr__(self, "text", text)


def bind(
    definition: CallSignature,
    given: Sequence[GivenArgument],
    call: Span,
    spelling: str,
    *,
    defaults: Mapping[str, Any] | None = None,
) -> Bound:
    """Settle which argument each value is for, check its kind, and fill in defaults.

    Args:
        definition: The row of what is called: a layer, or what a `train` block calls.
        given: The call's arguments.
        call: The text to blame for what is missing.
        spelling: What is called as the author spelled it.
        defaults: What `default` statements set, which goes before the layer's own defaults.

    Raises:
        NetError: An argument is unknown, given twice, missing, or of the wrong kind.
    """
    values, spans = place(definition, given, spelling)
    values = {**(defaults or {}), **definition.preset, **values}
    settled = {**definition.defaults, **values}
    missing = [name for name in definition.kinds if name not in settled]
    if missing:
        example = f"`{missing[0]}=`, {_kind(definition, missing[0]).expected}"
        raise error("E105", f"{spelling} needs {example}", call)
    frozen, share = bool(values.pop("frozen", False)), values.pop("share", None)
    defaulted = frozenset(definition.defaults) - frozenset(values)
    arguments = {name: settled[name] for name in definition.kinds}
    return Bound(arguments, defaulted, spans, frozen, share)


def place(
    definition: CallSignature, given: Sequence[GivenArgument], spelling: str
) -> tuple[dict[str, Any], dict[str, Span]]:
    """The values and the spans of given arguments by name, each checked and in canonical form."""
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    for argument in given:
        name = _name_of(definition, argument, given, spelling)
        bare = {earlier.span for earlier in given if earlier.name is None}
        if argument.name is None and spans.get(name) in bare:
            message = f"{spelling} takes one value without a keyword as its `{name}`, not two"
            help = _advice([each for each in definition.kinds if each != name])
            raise error("E104", message, argument.span, help=help)
        if name in spans:
            raise error("E106", f"{spelling} is given `{name}` twice", argument.span)
        if name in definition.preset:
            settled = spell(Word(definition.preset[name]))
            raise error("E106", f"{spelling} already has `{name}={settled}`", argument.span)
        values[name] = converted(_kind(definition, name), name, argument, spelling)
        spans[name] = argument.span
    return values, spans


def _kind(definition: CallSignature, name: str) -> Kind:
    return definition.kinds.get(name) or definition.common[name]


def _name_of(
    definition: CallSignature,
    argument: GivenArgument,
    given: Sequence[GivenArgument],
    spelling: str,
) -> str:
    """The parameter that an argument is for: by its keyword, else by its kind."""
    if argument.name is not None:
        if argument.name in definition.keywords:
            return argument.name
        known = definition.keywords
        help = keyword_help(spelling, argument.span.text) or did_you_mean(argument.name, known)
        message = f"{spelling} has no argument `{argument.name}`"
        raise error("E102", message, argument.span, help=help or _advice(known))
    value = argument.value
    if value == Word("None"):  # Python's, for a batch of any size
        raise _unplaced(definition, argument, spelling)
    if _is_bare(definition, value):
        return _count_name(definition, argument, given, spelling)
    kinds: tuple[tuple[bool, str | None], ...] = (
        (isinstance(value, tuple) or _is_listed(definition, value), definition.size),
        (isinstance(value, str), _word_name(definition, value)),
        (isinstance(value, float), next(iter(definition.numbers), None)),
    )
    for matches, name in kinds:
        if matches and name is not None:
            return name
    raise _unplaced(definition, argument, spelling)


def _is_listed(definition: CallSignature, value: Any) -> bool:
    """Whether it is a list, or a call, that may stand where a size may."""
    kind = definition.kinds.get(definition.size or "")
    return isinstance(value, list | WordCall) and kind is not None and kind.takes_lists


def _is_bare(definition: CallSignature, value: Any) -> bool:
    """Whether a value counts in the order of bare numbers.

    Real ones do where several are taken, and where only whole ones are.
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, float) and not isinstance(whole(value), int):
        return len(definition.numbers) > 1 or bool(definition.counts and not definition.numbers)
    return isinstance(value, int | float)


def _count_name(
    definition: CallSignature,
    argument: GivenArgument,
    given: Sequence[GivenArgument],
    spelling: str,
) -> str:
    counts = definition.counts or definition.numbers
    bare = [a for a in given if a.name is None and _is_bare(definition, a.value)]
    if len(bare) <= len(counts):
        return counts[bare.index(argument)]
    whole_size = _as_size(definition, bare, given)
    if not counts:
        raise _unplaced(definition, argument, spelling, whole_size if len(bare) > 1 else None)
    text = f"{spelling}({', '.join(spell(a.value) for a in bare)})"
    has_size = any(a.name == definition.size or isinstance(a.value, tuple) for a in given)
    is_counted = definition.size and definition.size not in counts and definition.counts
    if is_counted and len(bare) == 2 and not has_size:
        side, count = sorted(a.value for a in bare)  # kernels are the small one
        meaning = f"a {side}x{side} {definition.size} with {count} {counts[0]}"
        raise error(
            "E104",
            f"`{text}` has two bare integers, and only one can be the {counts[0]}",
            bare[0].span.to(bare[-1].span),
            help=f"for {meaning} write `{spelling}({side}x{side}, {count})`; on a sequence it is"
            f" `{spelling}({definition.size}={side}, {count})`",
        )
    what = "integers" if all(isinstance(a.value, int) for a in bare) else "numbers"
    raise error(
        "E104",
        f"`{text}` has {len(bare)} bare {what}, but {spelling} takes {len(counts)}",
        bare[len(counts)].span,
        help=(f"write `{spelling}({whole_size})`" if whole_size else None)
        or _only_keyword(definition, bare[len(counts) :], given)
        or _advice(definition.keywords),
    )


def _as_size(
    definition: CallSignature, bare: Sequence[GivenArgument], given: Sequence[GivenArgument]
) -> str | None:
    """All arguments, the bare numbers as one size, where the size is what they may be for."""
    name = definition.size or next(iter(definition.counts), "")
    if name not in definition.kinds or name == "kernel" or not {*definition.counts} <= {name}:
        return None
    numbers = tuple(a.value for a in bare)
    if not accepts(definition.kinds[name], numbers):
        return None
    size = f"({', '.join(map(str, numbers))})"
    if all(isinstance(n, int) and n > 0 for n in numbers):
        size = "x".join(map(str, numbers))
    return ", ".join([size, *(a.span.text for a in given if a not in bare)])


def _only_keyword(
    definition: CallSignature, surplus: Sequence[GivenArgument], given: Sequence[GivenArgument]
) -> str | None:
    """The help for a number that no place is for, where one keyword alone takes it."""
    if len(surplus) > 1:
        return None
    (argument,) = surplus
    counts = definition.counts or definition.numbers
    taken = {*counts, *(other.name for other in given)}
    open_to = [
        name
        for name, kind in definition.kinds.items()
        if name not in taken and accepts(kind, argument.value) and not accepts(kind, [0.5])
    ]
    return (
        f"give it by its keyword: `{open_to[0]}={argument.span.text}`"
        if len(open_to) == 1
        else None
    )


def _word_name(definition: CallSignature, value: Any) -> str | None:
    """The argument that a word or a string is for: what knows the word, else the choice."""
    if not isinstance(value, Word):
        chosen = definition.kinds.get(definition.choice or "")
        return definition.choice if chosen and accepts(chosen, value) else None
    candidates = [name for name, kind in definition.kinds.items() if str(value) in kind.words]
    if definition.choice in candidates or not candidates:
        return definition.choice
    return definition.size if definition.size in candidates else None


def _unplaced(
    definition: CallSignature, argument: GivenArgument, spelling: str, size: str | None = None
) -> NetError:
    """The error for an argument that no place is for; `size` is what the call takes instead."""
    if size is not None:
        message = f"{spelling} takes its `{definition.size}` as one value"
        return error("E104", message, argument.span, help=f"write `{spelling}({size})`")
    keywords = _keywords_of(definition, argument.value)
    if not keywords and _is_name(argument.value):
        return unknown_name(argument.value, argument.span)
    slots = [definition.size, *definition.counts, *definition.numbers]
    slot = next(filter(None, slots), None)
    if slot and not keywords and not isinstance(argument.value, Word):
        if not accepts(definition.kinds[slot], argument.value):
            return _refused(definition.kinds[slot], slot, argument, spelling)
        keywords = [f"{slot}={spell(argument.value)}"]
    message = f"{spelling} cannot take {_describe(argument.value)} without a keyword"
    ways = " or ".join(f"`{keyword}`" for keyword in keywords)
    help = f"write {ways}" if keywords else _advice(definition.keywords)
    return error("E103", message, argument.span, help=help)


def _keywords_of(definition: CallSignature, value: Any) -> Sequence[str]:
    """`dtype=int64` for the word `int64`, `causal=yes` for `causal`, `bias=no` for `no`."""
    if isinstance(value, bool):
        flags = [name for name, kind in definition.kinds.items() if accepts(kind, value)]
        return [f"{name}={spell(value)}" for name in flags]
    if isinstance(value, WordCall):
        knowing = [name for name, kind in definition.kinds.items() if value.name in kind.words]
        return [f"{name}={value}" for name in knowing]
    if not isinstance(value, Word):
        return []
    flag = {**definition.common, **definition.kinds}.get(value)
    if flag is not None and accepts(flag, True):
        return [f"{value}=yes"]
    knowing = [name for name, kind in definition.kinds.items() if value in kind.words]
    return [f"{knowing[0]}={value}"] if len(knowing) == 1 else []


def accepts(kind: Kind, value: Any) -> bool:
    """Whether a kind converts a value."""
    try:
        kind.convert(value)
    except Mismatch:
        return False
    return True


def converted(kind: Kind, name: str, argument: GivenArgument, spelling: str) -> Any:
    """An argument's value in canonical form.

    Raises:
        NetError: E103, it is not of the kind.
    """
    try:
        return fitted(kind, argument.value)
    except Mismatch as mismatch:
        raise _refused(kind, name, argument, spelling, str(mismatch)) from None


def _refused(
    kind: Kind, name: str, argument: GivenArgument, spelling: str, help: str = ""
) -> NetError:
    """The error for a value that is not of an argument's kind, or for an unknown name."""
    value = argument.value
    suggestion = help or _as_whole(argument, kind) or _as_flag(argument, kind, name)
    suggestion = suggestion or _as_text(argument, kind, name)
    if isinstance(value, Word | WordCall) and not suggestion:
        word = value.name if isinstance(value, WordCall) else value
        suggestion = did_you_mean(word, kind.words) if word not in kind.words else None
    if not suggestion and isinstance(value, int | float) and value <= 0 and accepts(kind, 0.01):
        suggestion = f"write a number above 0, such as `{name}=0.01`"
    chooses = len(kind.words) > 1 or accepts(kind, True)
    in_program = argument.span.source.name not in OUTSIDE
    if _is_name(value) and not suggestion and not chooses and in_program:
        return unknown_name(value, argument.span)
    expected = f"must be {kind.expected}, not {_describe(value)}"
    return error("E103", f"the `{name}` of {spelling} {expected}", argument.span, help=suggestion)


def _as_whole(argument: GivenArgument, kind: Kind) -> str | None:
    """Help for a real number, or a list of one, where only a whole number can stand."""
    value = argument.value
    if isinstance(value, list) and len(value) == 1 and accepts(kind, value[0]):
        return f"write `{spell(value[0])}`"
    if not isinstance(value, float) or abs(value) > LARGEST_WHOLE or accepts(kind, 0.5):
        return None
    if not accepts(kind, floor(value)):
        return None
    if isinstance(value, Quotient):
        return f"`//` divides to a whole number and rounds down; here to `{floor(value)}`"
    return f"write the whole number `{floor(value)}`"


_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("True", "true", "on", "1"), True),
    **dict.fromkeys(("False", "false", "off", "0", "None", "none"), False),
}


def _as_flag(argument: GivenArgument, kind: Kind, name: str) -> str | None:
    """Help for `True` or 0 where `yes` or `no` stands."""
    flag = _FLAGS.get(str(argument.value))
    return None if flag is None or not accepts(kind, flag) else f"write `{name}={spell(flag)}`"


def _as_text(argument: GivenArgument, kind: Kind, name: str) -> str | None:
    """Help for a word or a number where any text in quotes stands."""
    value = argument.value
    text = spell(value) if isinstance(value, Word | int) and not isinstance(value, bool) else ""
    return f'write it in quotes: `{name}="{text}"`' if text and accepts(kind, text) else None


def _is_name(value: Any) -> bool:
    """Whether a bare word can be meant as a value's name: capitals are Python's or ours."""
    return isinstance(value, Word) and value.isidentifier() and value.islower()


def _describe(value: Any) -> str:
    text = spell(value)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"


def _advice(names: Sequence[str]) -> str:
    """The help that names the arguments there are."""
    listed = ", ".join(f"`{name}`" for name in names)
    return f"its arguments are {listed}" if names else "it takes no arguments"

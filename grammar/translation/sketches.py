"""Steps as people sketch them, `3x3 conv, 64, /2` or `C8` -> the same steps in netc's words.

Text to text: a step is read as words for layers, and sizes, counts and strides that belong to them.
"""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .call_text import ForeignArgument, arguments_of, closing, split_arguments
from .calls import translated
from .recipes import own_name, remarks
from .typeset import ARROWS
from .words import ACTIVATION_LAYERS, DROP, MERGES

_LONGEST = 2000  # characters of a chain that are looked at

_UNITS = (
    "filters?|kernels?|channels?|ch|maps?|features?|units?|neurons?|nodes?|hidden|outputs?|out"
    "|classes|heads?"
)
# What a step is made of; a word of one of these kinds is an argument by that keyword.
_PARTS = re.compile(
    rf"""
      (?P<size>\d+(?:\s*(?:[xX×*]|\bby\b)\s*\d+)+)
    | /\s*(?P<halved>\d+)
    | (?:strides?|\bs)\s*[=:]?\s*(?P<stride>\d+)
    | (?:padding|pad|\bp)\s*[=:]?\s*(?P<pad>\d+)
    | (?P<sides>\bsame\b|\bvalid\b)
    | (?:kernel|\bk)\s*[=:]?\s*(?P<kernel>\d+)
    | (?:groups?|\bg)\s*[=:]?\s*(?P<groups>\d+)
    | (?:dilation|\bd)\s*[=:]?\s*(?P<dilation>\d+)
    | (?P<percent>\d+(?:\.\d+)?)\s*%
    | (?P<rate>0?\.\d+)
    | (?:(?:{_UNITS}|\b[fnNK])\s*[=:]?\s*)?(?P<count>\d+)(?:\s*-?\s*(?:{_UNITS})\b
        |(?<=\d\d)-?(?:d|dim|dimensional|way)\b)?
    | (?P<letter>C|FC|F|S|P|MP|AP|(?:conv|dense|fc)(?=\d\d))(?P<number>\d+)(?![\w(])
    | FC_(?P<units>\d+)(?![\w(])
    | (?P<join>[,+&]|/(?=\s*[A-Za-z])|\band\b|\bwith\b|\bthen\b|\bplus\b)
    | (?P<filler>(?<=\d)\s*@\s*(?=\d)|[()\[\]{{}}<>:=-]
        |\b(?:of|feature|layers?|kernels?|activation|the|an?)\b)
    | (?P<word>[A-Za-z][A-Za-z_]*(?:[123][dD]\w*)?)
    | (?P<blank>\s+)
    """,
    re.VERBOSE,
)  # fmt: skip
# Layers by the letters of LeNet's pictures, and what their number counts.
_LETTERS: Mapping[str, tuple[str, str]] = {
    "C": ("conv", "count"),
    "conv": ("conv", "count"),
    "FC": ("dense", "count"),
    "F": ("dense", "count"),
    "fc": ("dense", "count"),
    "dense": ("dense", "count"),
    "S": ("maxpool", "size"),
    "P": ("maxpool", "size"),
    "MP": ("maxpool", "size"),
    "AP": ("avgpool", "size"),
}
_KEYWORDS: Mapping[str, str] = {"halved": "stride", "percent": "rate", "sides": "pad"}
_KERNELS = frozenset({"CONV", "UPCONV", "DWCONV", "LOCAL", "MAXPOOL", "AVGPOOL", "POOL"})
_WIDEST_KERNEL = 15  # `8@3x3` is a kernel, `8@28x28` are maps of that size

_ARROW = re.compile(rf"-+>|=+>|[{ARROWS}↓]|>>|\|>?")
_BAR = re.compile(r"\|")
_DASH = re.compile(r"[-–,]")
_WIDTHS = re.compile(r"\s*\d+(?:\s*[-–,]\s*\d+)+\s*")  # `784-128-10`
_CALL = re.compile(r"([A-Za-z]\w*)\s*[(\[{<](.*)[)\]}>]", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][\w.]*(?:\(.*\))?(?:\s+as\s+[\w.]+)?", re.DOTALL)
_TIMES = re.compile(
    r"(.*[\w)\]}])\s+\(?[x×*]\s*(\d+)\)?|(\d+)\s*(?:[x×*]\s*(?=\()|[x×*]\s+(?=[A-Za-z]))(.*)",
    re.DOTALL,
)
# What other messages are about: a forgotten arrow, and a space before a parenthesis.
_STEP = r"[A-Z][A-Z0-9]*(?:\([^()]*\))?"
_CROWDED = re.compile(rf"(?:{_STEP}\s+)+{_STEP}|\w+\s+\(.*\)")
_GROUP = re.compile(r"([(\[])(.*)([)\]])(?:\s*[*xX×^]\s*(\w+))?((?:\s+as\s+[\w.]+)?)", re.DOTALL)
# An argument of a call that is a sketch of one: `32 filters`, `/2`, `s2`, `8@3x3`, `3*3`.
_SKETCHY = re.compile(
    rf"\d[\dx]*(?:\s+\d[\dx]*)+|\d+\s*[*@]\s*\d+.*|\d+\s+by\s+\d+|(?:\d+x\d+)?\s*/\s*\d+|[skpdfngK]\d+"
    rf"|\d[\dx]*\s*-?\s*(?:{_UNITS}|strides?|pad|padding)"
    rf"|(?:{_UNITS}|strides?|pad|padding|kernel|size)\s*:?\s+\d[\dx]*"
)


class Sketch(NamedTuple):
    """A stretch of a text, and what it says in netc's words.

    Attributes:
        start: Where it starts.
        end: Where it ends.
        meant: The steps that it means.
        said: What is not the same, each after a semicolon.
        name: The first name of another framework's.
    """

    start: int
    end: int
    meant: str
    said: str = ""
    name: str = ""


def sketched_chain(text: str, start: int, end: int) -> Sketch | None:
    """The steps of a chain from the first sketched one to the last, or None where none is.

    Args:
        text: A program.
        start: Where the chain starts in it.
        end: Where it ends.
    """
    if end - start > _LONGEST:
        return None
    mark = _DASH if _WIDTHS.fullmatch(text, start, end) else _ARROW
    pieces = list(_split(text, start, end, mark))
    read = [_step(text[a:b], first=i == 0) for i, (a, b) in enumerate(pieces)]
    if all(text[a:b].strip().isdigit() for a, b in pieces) and len(pieces) > 2:
        read[1:-1] = [f"{step} -> RELU" for step in read[1:-1]]  # a perceptron by its widths
    changed = [i for i, (a, b) in enumerate(pieces) if read[i] != text[a:b].strip()]
    is_value = len(pieces) == 1 and re.fullmatch(r"\s*[\dx.]+\s*", text[start:end])
    if not changed or None in read or is_value:
        return None
    first, last = changed[0], changed[-1]
    meant = " -> ".join(str(step) for step in read[first : last + 1])
    calls = [_called(text[a:b].strip(), first=i == 0) for i, (a, b) in enumerate(pieces)]
    said = "".join(remarks(*call) for call in calls if call)
    name = next((call[0] for call in calls if call), "")
    return Sketch(*_stripped(text, pieces[first][0], pieces[last][1]), meant, said, name)


def sketched_call(text: str) -> str | None:
    """`CONV(32 filters)`, `CONV(3*3, 8)` or `C8` in netc's words; None where it is not a sketch."""
    call = _CALL.fullmatch(text)
    if call is not None:
        return _read(f"{call[1]} {call[2]}") if _has_sketch(call[2], call[1]) else None
    part = _PARTS.fullmatch(text)
    return _read(text) if part is not None and (part["letter"] or part["units"]) else None


def sketched_lines(text: str) -> Sketch | None:
    """A chain whose steps are on separate lines, numbered, listed or below each other."""
    if len(text) > _LONGEST or "->" in text or "=" in text:
        return None
    lines = [re.sub(r"^\s*(?:\d+[.)]\s+|[-*•|]\s+)", "", line).strip() for line in text.split("\n")]
    steps = [line for line in lines if line and line not in ("|", "↓", "v", "V", "⬇")]
    read = [_step(step, first=i == 0) for i, step in enumerate(steps)]
    if len(read) < 2 or None in read:
        return None
    return Sketch(*_stripped(text, 0, len(text)), " -> ".join(map(str, read)))


def sketched_branches(text: str) -> str | None:
    """Branches that commas or `||` separate, as a group; None where they are not read."""
    parts = split_arguments(text.replace("||", ","))
    if "|" in text.replace("||", ""):
        return None
    branches = [_chain(part) for part in parts]
    if len(branches) < 2 or None in branches:
        return None
    return f"( {' | '.join(map(str, branches))} )"


def _split(
    text: str, start: int, end: int, mark: re.Pattern[str] = _ARROW
) -> Iterator[tuple[int, int]]:
    """Where the steps of a chain stand, split at the arrows, or other marks, outside brackets."""
    place = start
    while place < end:
        if text[place] in "([{":
            place = max(closing(text, place), place)
        found = mark.match(text, place, end)
        if found is not None:
            yield start, place
            start = place = found.end()
        else:
            place += 1
    yield start, end


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip())


def _step(text: str, *, first: bool) -> str | None:
    """A step in netc's words, as it is where it is one already; None where it cannot be read."""
    text = re.sub(r"^([A-Za-z_]+)\d*\s*:\s*", r"\1 ", text.strip())  # `conv1: 3x3, 8`
    group = _GROUP.fullmatch(text)
    if group is not None and closing(text, 0) == group.start(3):
        return _grouped(group)
    times = _TIMES.fullmatch(text)
    if times is not None and _balanced(times[1] or times[4]):
        step = _step(times[1] or times[4], first=False)
        return step and f"[{_bare(step)}]*{times[2] or times[3]}"
    if _CROWDED.fullmatch(text):
        return None
    call = _CALL.fullmatch(text)
    if call is not None and (text[len(call[1])] != "(" or _has_sketch(call[2], call[1])):
        return _read(f"{call[1]} {call[2]}")
    if _PLAIN.fullmatch(text):
        return sketched_call(text) or _foreign(text, first=first) or text
    if first and (size := re.fullmatch(r"\d+(?:\s*[x×*]\s*\d+)*", text)):
        return f"INPUT({'x'.join(re.findall(r'[0-9]+', size[0]))})"
    return _read(text)


def _foreign(text: str, *, first: bool) -> str | None:
    """A call, or a layer's name, of another framework in netc's words."""
    call = _called(text, first=first)
    if call is None:
        return None
    name, arguments = call
    has_width = first and name.endswith("Linear") and len(arguments) > 1
    start = f"INPUT({arguments[0].text}) -> " if has_width and arguments[0].text.isdigit() else ""
    steps = translated(name, arguments)
    return steps and start + steps


def _called(text: str, *, first: bool) -> tuple[str, list[ForeignArgument]] | None:
    """The name and the arguments of a step of another framework."""
    called = re.fullmatch(r"([A-Za-z_][\w.]*)(?:\((.*)\))?", text, re.DOTALL)
    if called is None or called[1].isupper() or called[1] == "output":
        return None
    is_closed = called[2] is None or closing(text, len(called[1])) == len(text) - 1
    row = own_name(called[1])
    if row is None or row.name in MERGES or not is_closed or (first and called[2] is None):
        return None
    return called[1], arguments_of((called[2] or "").replace("×", "x"))


def _grouped(group: re.Match[str]) -> str | None:
    """The chains in a bracket, each read separately."""
    inner = group[2]
    branches = [inner[a:b] for a, b in _split(inner, 0, len(inner), _BAR)]
    read = [_chain(branch) for branch in branches]
    if any(branch is None for branch in read):
        return None
    if read == [branch.strip() for branch in branches]:
        return group[0]
    times = f"*{group[4]}" if group[4] else ""
    return f"{group[1]}{' | '.join(map(str, read))}{group[3]}{times}{group[5]}"


def _chain(text: str) -> str | None:
    steps = [_step(text[a:b], first=False) for a, b in _split(text, 0, len(text))]
    return None if None in steps else " -> ".join(str(step) for step in steps)


def _balanced(text: str) -> bool:
    return all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}"))


def _bare(step: str) -> str:
    """A chain without the bracket around all of it."""
    return step[1:-1].strip() if step[:1] in "([" and closing(step, 0) == len(step) - 1 else step


def _has_sketch(arguments: str, name: str) -> bool:
    """Whether an argument is a sketch; a product is one of a kernel, and a number elsewhere."""
    row = own_name(name)
    parts = split_arguments(arguments)
    if row is None or row.name not in _KERNELS:
        parts = [part for part in parts if "*" not in part]
    return any(_SKETCHY.fullmatch(part) for part in parts)


class _Layer(NamedTuple):
    """A layer's name and its arguments, as they are gathered."""

    name: str
    given: list[ForeignArgument]


def _read(text: str) -> str | None:
    """The steps that the words of a sketch name.

    Numbers belong to the layer before them, or to the first one after where none is before;
    after a comma or a plus, to the layer that comes before the next.
    """
    layers: list[_Layer] = []
    waiting: list[ForeignArgument] = []
    joined = True
    for kind, value in _parts(text):
        if kind == "layer":
            layers.append(_Layer(value, waiting))
            waiting, joined = [], False
        elif kind == "join":
            (layers[-1].given if layers else []).extend(waiting)
            waiting, joined = [] if layers else waiting, True
        else:
            (waiting if joined else layers[-1].given).append(ForeignArgument(kind, value))
    if waiting and not layers:
        layers.append(_Layer(_unnamed(waiting), []))
    (layers[-1].given if layers else []).extend(waiting)
    steps = [_spelled(layer) for layer in layers]
    return " -> ".join(map(str, steps)) if steps and None not in steps else None


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Kinds and values of the parts of a sketch: `layer`, `join`, or an argument's keyword."""
    place = depth = 0
    while place < len(text):
        part = _PARTS.match(text, place)
        if part is None:
            yield "layer", ""
            return
        place = part.end()
        kind = part.lastgroup or ""
        depth += (part[0] == "(") - (part[0] == ")" and depth > 0)
        if part[0] == "," and depth:
            continue  # between the arguments of one call
        if kind == "units":
            yield "layer", "dense"
            yield "count", part["units"]
        elif kind == "number":
            name, keyword = _LETTERS[part["letter"]]
            yield "layer", name
            yield keyword, part["number"]
        elif kind == "word":
            name, place = _layer_name(text, part)
            yield "layer", name
        elif kind not in ("blank", "filler"):
            yield kind, part[kind]


def _layer_name(text: str, part: re.Match[str]) -> tuple[str, int]:
    """The longest name of a layer that starts at a word, such as `global average pool`."""
    words = re.compile(r"[A-Za-z_]+\w*(?:[ \t-]+[A-Za-z_]+\w*){0,2}").match(text, part.start())
    ends = [m.end() for m in re.finditer(r"\w+", words[0])] if words else []
    for end in reversed(ends):
        name = re.sub(r"[\s-]+", "", text[part.start() : part.start() + end])
        if own_name(name) is not None:
            return name, part.start() + end
    return "", part.end()


def _unnamed(given: Sequence[ForeignArgument]) -> str:
    """The layer that numbers alone stand for: with a kernel, a convolution."""
    return "conv" if any(argument.name == "size" for argument in given) else "dense"


def _spelled(layer: _Layer) -> str | None:
    """A layer with the arguments that its sketch gave it."""
    row = own_name(layer.name)
    if row is None or sum(argument.name == "count" for argument in layer.given) > 1:
        return None
    if row.name in ACTIVATION_LAYERS and layer.given:  # `128 relu`
        before = _spelled(_Layer(_unnamed(layer.given), layer.given))
        return f"{before} -> {row.name}" if before else None
    return translated(layer.name, [_argument(argument, row.name) for argument in layer.given])


def _argument(argument: ForeignArgument, layer: str) -> ForeignArgument:
    """An argument by a keyword that calls have."""
    kind, text = argument
    if kind == "size":
        extents = re.findall(r"\d+", text)
        maps = layer in _KERNELS and int(extents[0]) > _WIDEST_KERNEL
        return ForeignArgument(DROP if maps else None, "x".join(extents))
    if kind == "count":
        return ForeignArgument("num_output", text)
    if kind == "kernel":
        return ForeignArgument("kernel_size", text)
    return ForeignArgument(_KEYWORDS.get(str(kind), kind), text)

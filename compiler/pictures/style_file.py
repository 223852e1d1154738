"""Style file -> how the boxes of families, kinds and layers look: a TOML file of a house style."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from ...grammar.diagnostics import NetError, did_you_mean, error, listing
from ...grammar.files import read_source
from ...grammar.source import Span
from ...grammar.toml import Path, Toml, parse_toml
from ..emit.layer_view import OUTPUT
from ..emit.palette import FAMILY, KIND, LAYER, LEVELS, Look, Target, family
from ..ir.graph import Graph
from ..layers.layerdef import LAYERS
from .scene import printable

LONGEST = 80  # characters of a label
SETTINGS = tuple(each.name for each in fields(Look))
MOST_LISTED = 12


def read_style(path: str, graph: Graph) -> dict[Target, Look]:
    """What a style file says of a network's boxes.

    Its tables are `[family.NAME]`, `[kind.NAME]` and `[layer.NAME]`, with the settings `fill`,
    `stroke` and `label`. Layers are those of the network, or the blocks that they are in.

    Raises:
        NetError: E512, it is not TOML, or says what there is not; E001, E002, E403, it cannot be
            read.
    """
    toml = parse_toml(read_source(path), "E512")
    known = {FAMILY: families(), KIND: kinds(), LAYER: _paths(graph)}
    looks: dict[Target, Look] = {}
    for level, names in toml.values.items():
        if level not in known:
            raise _unknown(toml, (level,), "table", LEVELS)
        for name, settings in _table(toml, (level,), names):
            if name not in known[level]:
                raise _unknown(toml, (level, name), level, known[level], _other_level(name, known))
            found = _table(toml, (level, name), settings)
            read = {key: _setting(toml, (level, name, key), value) for key, value in found}
            looks[level, name] = Look(**read)
    return looks


def families() -> tuple[str, ...]:
    """The families whose boxes share a colour."""
    return tuple(sorted({family(kind) for kind in kinds()}))


def kinds() -> tuple[str, ...]:
    """The kinds of layers, and outputs."""
    return (*sorted(LAYERS), OUTPUT)


def _paths(graph: Graph) -> tuple[str, ...]:
    """The layers, the blocks around them, and the outputs."""
    found = dict.fromkeys(
        ".".join(parts[:end])
        for parts in (path.split(".") for path in graph.layers)
        for end in range(1, len(parts) + 1)
    )
    return (*found, *graph.outputs)


def _table(toml: Toml, path: Path, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        name = ".".join(path)
        help = f"write `[{name}{'' if len(path) > 1 else '.NAME'}]`, and what you set below it"
        raise error("E512", f"`{name}` must be a table", _place(toml, path), help=help)
    return value.items()


def _setting(toml: Toml, path: Path, value: Any) -> str:
    if path[-1] not in READERS:
        raise _unknown(toml, path, "setting", SETTINGS)
    if not isinstance(value, str):
        raise error("E512", f"`{path[-1]}` takes a text in quotes", _place(toml, path))
    return READERS[path[-1]](value, toml.places.get(path))


def _unknown(
    toml: Toml, path: Path, what: str, known: Iterable[str], help: str | None = None
) -> NetError:
    """The error for a name that there is not, with one that it may stand for."""
    name, known = path[-1], tuple(known)
    help = help or did_you_mean(name, known) or f"choose from {listing(known, MOST_LISTED)}"
    return error("E512", f"there is no {what} `{name}`", toml.keys.get(path), help=help)


def _other_level(name: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """A help for a name that another table takes."""
    found = (level for level, names in known.items() if name in names)
    return next((f"`{name}` is a {level}: write `[{level}.{name}]`" for level in found), None)


def _place(toml: Toml, path: Path) -> Span | None:
    return toml.places.get(path, toml.keys.get(path))


_COLOUR = re.compile("#(?:[0-9a-fA-F]{3}){1,2}")


def _colour(text: str, span: Span | None) -> str:
    """A colour as `#rrggbb`."""
    if not _COLOUR.fullmatch(text):
        help = "write red, green and blue as `#rgb` or `#rrggbb`, such as `#d6e4f2`"
        raise error("E512", f"`{text}` is not a colour", span, help=help)
    digits = text[1:].lower()
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(2 * digit for digit in digits)


def _label(text: str, span: Span | None) -> str:
    text = printable(text).strip()
    if not text:
        raise error("E512", "a label needs a character", span)
    if len(text) > LONGEST:
        raise error("E512", f"a label has at most {LONGEST} characters, not {len(text):,}", span)
    return text


READERS: Mapping[str, Callable[[str, Span | None], str]] = {
    "fill": _colour,
    "stroke": _colour,
    "label": _label,
}

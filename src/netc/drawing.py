"""A network as a picture: its layers, its neurons, or its chain rule with an input's numbers."""

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from inspect import Parameter, signature
from itertools import chain
from os import PathLike, fspath
from typing import Any

import numpy as np

from .chain_rules import chain_rule
from .choices import FORMATS, STYLES, format_of
from .compiler.emit.chain_rule import ChainRule, LossBox, undifferentiated
from .compiler.emit.circuit import Circuit, forward_circuit
from .compiler.emit.circuit_dot import circuit_dot
from .compiler.emit.dot import BACKWARD, GRAPH, check_choices, check_word, to_dot
from .compiler.emit.palette import LAYER, LIGHT, THEMES, Theme, plain
from .compiler.ir.graph import Graph
from .compiler.ir.verify import need_output
from .compiler.model import Model
from .compiler.passes.set_mode import set_mode
from .compiler.pictures.backward import backward_scene
from .compiler.pictures.circuit_mermaid import circuit_mermaid
from .compiler.pictures.folded_circuit import folded_circuits
from .compiler.pictures.graph import graph_scene
from .compiler.pictures.mermaid import to_mermaid
from .compiler.pictures.neurons import neurons
from .compiler.pictures.page_size import larger_page
from .compiler.pictures.scene import SMALLEST_TEXT, Scene, texts
from .compiler.pictures.style_file import read_style
from .compiler.pictures.svg import to_svg
from .compiler.pictures.tikz import to_tikz
from .compiler.pictures.volumes import volumes
from .grammar.diagnostics import error, listing
from .grammar.files import atomic_writer
from .runtime.weights.files import check_weights


def operators(
    graph: Graph,
    *,
    depth: int | None = None,
    compact: bool | None = None,
    theme: Theme = LIGHT,
    page: str = "a4",
    title: bool = True,
    direction: str = "LR",
) -> Scene:
    """The operators of a network in inference, with parameters, in rows on a page.

    Args:
        graph: The network.
        depth: Scopes whose paths have this many parts are one box each.
        compact: Whether layers, or blocks of them, are drawn rather than operators; by default,
            where operators are too many for legible text.
        theme: Its colours.
        page: What the picture must fit; see `backward_scene`, as for the next two.
        title: Whether name and totals are above.
        direction: Where the operators flow.

    Raises:
        NetError: E511, the depth is not positive, or there is too much to draw.
    """
    rule = undifferentiated(set_mode(graph, training=False))
    looks = {"theme": theme, "page": page, "title": title, "direction": direction}
    return _legible(forward_circuit(rule), rule, [], graph, depth, compact, looks)


def _legible(
    whole: Circuit,
    rule: ChainRule,
    losses: list[LossBox],
    graph: Graph,
    depth: int | None,
    compact: bool | None,
    looks: dict[str, Any],
) -> Scene:
    """Operators, or where these are too many, layers or blocks of them."""
    if depth is not None and depth < 1:
        raise error("E511", f"the depth of a diagram must be at least 1, not {depth}")
    ends = [part for part in whole.parts.values() if part.role == "value"]
    value = replace(ends[0], text=", ".join(part.text for part in ends))
    blocks = folded_circuits(rule, losses, graph, value, depth)
    circuits = blocks if depth is not None or compact else chain([whole], blocks)
    return backward_scene([whole] if compact is False else circuits, graph, **looks)


# The styles that netc lays out itself: what draws a network, with a theme and the style's options.
SCENES: Mapping[str, Callable[..., Scene]] = {
    GRAPH: graph_scene,
    "ops": operators,
    "volumes": volumes,
    "neurons": neurons,
}

# The styles whose colours are those of layers.
COLOURED = (GRAPH, "volumes", "neurons")
STYLE_FILE = "style_file"

ENOUGH = 1.07  # times as large as a page must be, as a layout may leave that much of it free

# The least and the greatest of what is given as a number.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "width": (1, 30_000),
    "dpi": (10, 2_400),
    "depth": (1, sys.maxsize),
}

MOST_PIXELS = 250_000_000  # of a PNG: a gigabyte in memory

GRAPH_TEXTS: Mapping[str, Callable[..., str]] = {
    "dot": to_dot,
    "mmd": to_mermaid,
}


def draw(
    model: Model, path: "str | PathLike[str]", *, format: str | None = None, **choices: Any
) -> None:
    """Write a picture; see `Network.draw`.

    Raises:
        NetError: See `to_picture`; the file cannot be written (E004); E511, it is no path.
    """
    path = _path("path", path)
    data = to_picture(model, format_of(path, format), **choices)
    with atomic_writer(path) as file:
        file.write(data)


def to_picture(model: Model, format: str, *, style: str = "graph", **choices: Any) -> bytes:
    """A picture as the bytes of a file; see `Network.draw`.

    Raises:
        NetError: E511, a choice is not known, or does not go with the style; E505, the style has
            no such format; E503, no renderer is installed; E501, weights do not fit the network.
    """
    check_word("style", style, STYLES)
    if choices.get("state") is not None:
        check_weights(model.graph, choices["state"])
    given = {name: choice for name, choice in choices.items() if choice is not None}
    _check_kinds(given)
    if format in GRAPH_TEXTS and style not in (GRAPH, *CIRCUITS):
        known = listing(name for name in FORMATS if name not in GRAPH_TEXTS)
        raise error("E505", f"the style `{style}` has no format `{format}`", help=f"it has {known}")
    if format in GRAPH_TEXTS:
        return to_picture_text(model, style=style, format=format, **given).encode("utf-8")
    width, dpi = given.pop("width", None), given.pop("dpi", None)
    scene = to_scene(model, style, **given)
    _warn_of_small_text(scene, style, given)
    if format == "svg":
        return to_svg(scene, width=width).encode("utf-8")
    if format == "tex":
        return to_tikz(scene).encode("utf-8")
    from .runtime.plots.scenes import DPI, POINTS, scene_picture  # with NumPy; texts need none

    found = float(dpi or (DPI if width is None else width * POINTS / scene.width))
    _check_pixels(scene, found if format == "png" else 0.0)
    return scene_picture(scene, format, dpi=found)


def _check_pixels(scene: Scene, dpi: float) -> None:
    """Refuse a picture that no memory holds.

    Raises:
        NetError: E511.
    """
    width, height = (round(side * dpi / 72) for side in (scene.width, scene.height))
    if width * height > MOST_PIXELS:
        least = int(width * (MOST_PIXELS / (width * height)) ** 0.5)
        raise error(
            "E511",
            f"a picture of {width:,} x {height:,} pixels is too large",
            help=f"choose a width of {least:,} or less, or a format without pixels, such as SVG",
        )


def _check_kinds(given: dict[str, Any]) -> None:
    """Refuse numbers, switches and lists that are none; what to show may be comma-separated."""
    for name, (least, most) in NUMBERS.items():
        value: Any = given.get(name, least)
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise error("E511", f"`{name}` must be a whole number, not `{value!r}`")
        if not least <= value <= most and name != "depth":  # which its style refuses
            raise error("E511", f"`{name}` must be from {least:,} to {most:,}, not {value}")
    for name in ("compact", "title"):
        if not isinstance(given.get(name, True), bool):
            raise error("E511", f"`{name}` must be True or False, not `{given[name]!r}`")
    show = given.get("show", ())
    if isinstance(show, str):
        given["show"] = list(filter(None, map(str.strip, show.split(","))))
    if not isinstance(show, str | list | tuple | set | frozenset):
        raise error("E511", f"`show` must be a list of words, not `{show!r}`")


def to_scene(model: Model, style: str, *, theme: str = "light", **choices: Any) -> Scene:
    """A picture in one of the styles of `SCENES`, as shapes on a page.

    Raises:
        NetError: E511.
    """
    check_choices(theme=theme)
    if style in (BACKWARD, "neurons") and model.graph.layers:
        need_output(model.graph)
    scene: Callable[..., Scene] = backward if style == BACKWARD else SCENES[style]
    known = options_of(scene) | {"width", "dpi"} | ({STYLE_FILE} if style in COLOURED else set())
    known |= options_of(chain_rule) if style == BACKWARD else set()
    _check_options(choices, known, f"the style `{style}`")
    colours = _colours(model.graph, theme, choices.pop(STYLE_FILE, None))
    drawn = scene(model if style == BACKWARD else model.graph, theme=colours, **choices)
    _warn_of_undrawn(model.graph, colours, drawn)
    return drawn


def _warn_of_small_text(scene: Scene, style: str, given: Mapping[str, Any]) -> None:
    """Warn where the page is too small for all that is on it.

    Circuits are folded already where that makes their text larger.
    """
    size = min((text.size for text in texts(scene.shapes)), default=SMALLEST_TEXT)
    if size < SMALLEST_TEXT - 0.01:
        page = larger_page(given.get("page", "a4"), ENOUGH * SMALLEST_TEXT / size)
        folds = style not in CIRCUITS and given.get("depth") != 1
        warnings.warn(
            f"text of {size:.1f} points is hard to read in print, which asks for"
            f" {SMALLEST_TEXT:g}: choose a larger page, such as `--page {page}`"
            f"{', or fold blocks with `--depth 1`' if folds else ''}",
            stacklevel=2,
        )


def _warn_of_undrawn(graph: Graph, theme: Theme, scene: Scene) -> None:
    """Warn of the layers of a style file that have no box, such as those of a later turn."""
    drawn = {plain(name) for group in scene.groups for name in (group.name, group.title)}
    for level, name in theme.looks:
        if level == LAYER and name in graph.layers and name not in drawn:
            warnings.warn(
                f"the style file's `[layer.{name}]` has no effect: this picture has no box for it;"
                " what repeats is drawn by its first turn, and activations may be part of a layer",
                stacklevel=2,
            )


def _colours(graph: Graph, theme: str, style_file: object) -> Theme:
    """The colours of a theme, and of a style file where there is one."""
    if style_file is None:
        return THEMES[theme]
    return THEMES[theme].styled(read_style(_path(STYLE_FILE, style_file), graph))


def _path(name: str, value: object) -> str:
    if not isinstance(value, str | PathLike):
        raise error("E511", f"`{name}` must be a path, not `{value!r}`")
    return str(fspath(value))


def options_of(draws: Callable[..., object]) -> set[str]:
    """What can be chosen of a picture, by the keyword-only arguments of what draws it."""
    parameters = signature(draws).parameters.values()
    return {p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY} - {"counts"}


def _check_options(given: Iterable[str], known: set[str], what: str) -> None:
    for name in sorted(set(given) - known):
        raise error("E511", f"{what} takes no `{name}`", help=f"it takes {listing(sorted(known))}")


def operator_circuit(model: Model) -> Circuit:
    """The operators of a network in inference."""
    return forward_circuit(undifferentiated(set_mode(model.graph, training=False)))


@wraps(chain_rule, assigned=())
def backward_circuit(model: Model, **choices: Any) -> Circuit:
    """Forward and backward graph, operator by operator; arguments and errors as `chain_rule`."""
    return chain_rule(model, **choices).circuit()


# The styles that are circuits, and the languages that these are written in.
CIRCUITS: Mapping[str, Callable[..., Circuit]] = {
    "ops": operator_circuit,
    BACKWARD: backward_circuit,
}
CIRCUIT_TEXTS: Mapping[str, Callable[..., str]] = {
    "dot": circuit_dot,
    "mmd": circuit_mermaid,
}


def backward(
    model: Model,
    *,
    depth: int | None = None,
    compact: bool | None = None,
    theme: Theme = LIGHT,
    page: str = "a4",
    title: bool = True,
    direction: str = "LR",
    **differentiated: Any,
) -> Scene:
    """Forward and backward graph as two lanes on a page; see `operators`, and `chain_rule`.

    Raises:
        NetError: E511, the depth is not positive, or there is too much to draw; as `chain_rule`.
    """
    found = chain_rule(model, **differentiated)
    looks = {"theme": theme, "page": page, "title": title, "direction": direction}
    return _legible(found.circuit(), found.rule, found.losses, found.graph, depth, compact, looks)


def to_picture_text(
    model: Model,
    *,
    style: str = "graph",
    direction: str | None = None,
    theme: str = "light",
    format: str = "dot",
    **others: Any,
) -> str:
    """A picture in the language of Graphviz or, as `mmd`, of Mermaid; see `Network.draw`.

    Raises:
        NetError: E511, a choice is not known, or does not go with the style.
    """
    check_word("style", style, STYLES)
    check_choices(direction=direction or "TB", theme=theme)
    what = f"the style `{style}` in the format `{format}`"
    common = {"direction", "theme"}
    if style in CIRCUITS:
        _check_options(others, options_of(CIRCUITS[style]) | common, what)
        looks = {"theme": THEMES[theme], "direction": direction or "LR"}
        circuit = CIRCUITS[style](model, **others)
        return CIRCUIT_TEXTS[format](circuit, name=model.graph.name, **looks)
    write = GRAPH_TEXTS[format]
    _check_options(others, options_of(write) | common | {STYLE_FILE}, what)
    colours = _colours(model.graph, theme, others.pop(STYLE_FILE, None))
    return write(model.graph, direction=direction or "TB", theme=colours, **others)

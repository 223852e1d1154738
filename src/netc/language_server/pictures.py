"""The diagram beside the text, and which of its boxes the cursor is in."""

import re
from collections.abc import Iterator
from typing import Any

from lsprotocol.types import Position

from ..compiler.emit.palette import LIGHT, Theme
from ..compiler.pictures.graph import graph_scene
from ..compiler.pictures.svg import to_svg
from .document import Document
from .places import offset_of

PICTURE = "netc/picture"  # the request: a text and a position, as for a hover, and a theme
_BOX = re.compile(r'<g class="box" data-name="([^"]*)"')


def picture(document: Document, place: Position, theme: Theme = LIGHT) -> dict[str, Any] | None:
    """The diagram as SVG, and the names of its boxes that the step at a place made.

    None where the program has errors: the editor keeps the last picture.
    """
    if not document.compiled.is_whole:
        return None
    svg = to_svg(graph_scene(document.compiled.graph, counts=document.counts, theme=theme))
    boxes = set(_BOX.findall(svg))
    offset = offset_of(document.source, place)
    return {"svg": svg.partition("\n")[2], "active": list(_active(document, offset, boxes))}


def _active(document: Document, offset: int, boxes: set[str]) -> Iterator[str]:
    """The boxes of the layers that a place calls; one that has none is part of that before it."""
    step = document.step_at(offset)
    if step is None:
        return
    last, made = "", set(document.layers_of(step))
    found: dict[str, None] = {}
    for path in document.compiled.graph.layers:
        last = path if path in boxes else last
        if path in made and last:
            found.setdefault(last)
    yield from found

"""Drawing -> Mermaid, which GitHub and GitLab draw in Markdown."""

from collections.abc import Iterator

from ..analysis.counts import count
from ..emit.clusters import Cluster
from ..emit.collapse import Drawing, collapse
from ..emit.dot import MERGE_SIGNS
from ..emit.layer_view import Box, layer_view
from ..emit.palette import LIGHT, Theme, called, family, fill, ink, look_of, stroke
from ..ir.graph import Graph
from .cells import frame_words, relative
from .detail import folded, unframed
from .scene import printable


def to_mermaid(
    graph: Graph, *, depth: int | None = None, direction: str = "TB", theme: Theme = LIGHT
) -> str:
    """The layers of a network as a flowchart.

    Args:
        graph: The network, not optimised.
        depth: Scopes whose paths have this many parts are one box each.
        direction: Where the tensors flow: `TB`, `LR`, `BT` or `RL`.
        theme: Its colours.
    """
    drawing = unframed(collapse(layer_view(graph, count(graph))))
    if depth is not None:
        drawing = unframed(folded(drawing, depth))
    return "\n".join(
        [f"flowchart {direction}", *_children(drawing, drawing.root, 1, "", theme)]
    ) + ("\n" + "\n".join([*_edges(drawing), *_colours(drawing, theme)]) + "\n")


def _children(
    drawing: Drawing, cluster: Cluster, level: int, scope: str, theme: Theme
) -> Iterator[str]:
    space = "  " * level
    for child in cluster.children:
        if isinstance(child, Cluster):
            name = " ".join(word.text for word in frame_words(child, scope, theme))
            yield f'{space}subgraph f{next(child.boxes())}x{level} ["{escaped(name) or " "}"]'
            yield from _children(drawing, child, level + 1, child.scope or scope, theme)
            yield f"{space}end"
        else:
            yield space + _box(child, drawing.boxes[child], scope, theme)


def _box(position: int, box: Box, scope: str, theme: Theme) -> str:
    if box.kind in MERGE_SIGNS:
        return f'n{position}(("{MERGE_SIGNS[box.kind]}"))'
    name = look_of(theme, box.path).label or relative(box.path, scope, folded=not box.kind)
    kind = f"<b>{escaped(called(theme, box.kind))}</b> " if box.kind else ""
    heading = kind + escaped(name)
    layers = [f"{box.layers:,} layers"] if not box.kind else []
    details = escaped(", ".join([*layers, *box.details]))
    params = [f"{box.params:,} params"] if box.params else []
    params += [f"weights of {box.lender}"] if box.lender else []
    sizes = escaped(" \N{MIDDLE DOT} ".join([box.output, *params]))
    return f'n{position}["{"<br>".join(filter(None, [heading, details, sizes]))}"]'


def _edges(drawing: Drawing) -> Iterator[str]:
    for edge in drawing.edges:
        yield f"  n{edge.source} {'-.->' if edge.skip else '-->'} n{edge.target}"


def _colours(drawing: Drawing, theme: Theme) -> Iterator[str]:
    """A class for each look of boxes."""
    members: dict[tuple[str, ...], list[int]] = {}
    for position in drawing.root.boxes():
        box = drawing.boxes[position]
        back = fill(theme, box.kind, box.path)
        look = back, stroke(theme, box.kind, box.path), ink(theme, back)[0]
        members.setdefault(look, []).append(position)
    names = set[str]()
    for (back, line, text), nodes in members.items():
        group = family(drawing.boxes[nodes[0]].kind)
        name = group if group in theme.families and group not in names else f"look{nodes[0]}"
        names.add(name)
        yield f"  classDef {name} fill:{back},stroke:{line},color:{text}"
        yield f"  class {','.join(f'n{node}' for node in nodes)} {name}"


def escaped(text: str) -> str:
    """Text in quotes, in which Mermaid reads `#` codes, HTML and Markdown."""
    return "".join(
        c if c.isalnum() or c in " .,:;()/+=?" or ord(c) > 127 else f"#{ord(c)};"
        for c in printable(text)
    )

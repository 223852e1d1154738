"""Graph -> Graphviz text: the layer view as a diagram for a paper."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from ...grammar.diagnostics import did_you_mean, error
from ..analysis.counts import Counts, count
from ..ir.graph import Graph
from .clusters import Cluster
from .collapse import Drawing, collapse
from .forks import FORK, fork
from .layer_view import OUTPUT, Box, Edge, layer_view
from .palette import LIGHT, THEMES, Theme, called, fill, ink, look_of, stroke

GRAPH, BACKWARD = "graph", "backward"
DIRECTIONS = ("TB", "LR", "BT", "RL")
FONT = "Helvetica,Arial,sans-serif"
# Merges that are drawn as a small sign instead of a box.
MERGE_SIGNS = {
    "ADD": "+",
    "SUB": "\N{MINUS SIGN}",
    "MUL": "\N{MULTIPLICATION SIGN}",
    "DOT": "\u00b7",
}


def to_dot(
    graph: Graph,
    *,
    depth: int | None = None,
    direction: str = "TB",
    theme: Theme = LIGHT,
    counts: Counts | None = None,
) -> str:
    """The layers of a network as a diagram in Graphviz's language.

    A box says a layer's kind, name, arguments, output shape and number of parameters. Repetitions
    and scopes are framed, equal turns drawn once; a branch `ID` is a coloured edge.

    Args:
        graph: The network, not optimised.
        depth: Paths of more parts than this fold into one box per common beginning.
        direction: Where the tensors flow: `TB`, `LR`, `BT` or `RL`.
        theme: Its colours.
        counts: The network's counts, where they are known already.

    Raises:
        NetError: E511, one of the choices is not known.
    """
    check_choices(direction=direction)
    if depth is not None and depth < 1:
        raise error("E511", f"the depth of a diagram must be at least 1, not {depth}")
    counts = counts or count(graph)
    drawing = fork(collapse(layer_view(graph, counts, depth)))
    writer = _Writer(drawing, theme)
    return "\n".join([*writer.preamble(graph, counts, direction), *writer.body(), "}"]) + "\n"


# What can be chosen of a diagram, by name.
CHOICES = {
    "direction": DIRECTIONS,
    "theme": tuple(THEMES),
    "maps": ("volumes", "planes"),
    "scale": ("log", "linear"),
}


def check_choices(**choices: str) -> None:
    """Refuse what diagrams do not have.

    Raises:
        NetError: E511, with what they have.
    """
    for name, value in choices.items():
        check_word(name, value, CHOICES[name])


def check_word(name: str, value: object, known: tuple[str, ...]) -> None:
    """Refuse a word that is not known; see `check_choices`."""
    if value not in known:
        listed = ", ".join(f"`{word}`" for word in known)
        near = did_you_mean(str(value), known) or f"choose from {listed}"
        raise error("E511", f"unknown diagram {name} `{value}`", help=near)


@dataclass(eq=False)
class _Writer:
    drawing: Drawing
    theme: Theme
    clusters: int = 0

    def preamble(self, graph: Graph, counts: Counts, direction: str) -> Iterator[str]:
        theme = self.theme
        yield f"digraph {quoted(graph.name)} {{"
        yield (
            f'  graph [rankdir={direction}, bgcolor="{theme.background}", fontname="{FONT}", '
            f'fontcolor="{theme.text}", fontsize=16, labelloc=t, nodesep=0.35, ranksep=0.3, '
            f"pad=0.3, label={self._title(graph.name, counts)}]"
        )
        yield (
            f'  node [shape=box, style="rounded,filled", fontname="{FONT}", fontsize=12, '
            f'fontcolor="{theme.text}", color="{theme.border}", penwidth=0.8, '
            'height=0.3, width=1.7, margin="0.12,0.05"]'
        )
        yield f'  edge [color="{theme.line}", penwidth=0.9, arrowsize=0.6]'

    def _title(self, name: str, counts: Counts) -> str:
        gap = '<FONT POINT-SIZE="4"> </FONT>'
        rows = [
            f"<B>{html_text(name)}</B>",
            _soft(html_text(counts.headline), 11, self.theme.soft_text),
            gap,
        ]
        return f"<{_table(rows, padding=2)}>"

    def body(self) -> Iterator[str]:
        yield from self._children(self.drawing.root, indent=1, scope="")
        for edge in self.drawing.edges:
            yield self._edge(edge)

    def _children(self, cluster: Cluster, indent: int, scope: str) -> Iterator[str]:
        for child in cluster.children:
            if isinstance(child, Cluster):
                yield from self._cluster(child, indent, scope)
            else:
                yield "  " * indent + self._box(child, scope)

    def _cluster(self, cluster: Cluster, indent: int, scope: str) -> Iterator[str]:
        space = "  " * indent
        self.clusters += 1
        style = "rounded,dashed" if cluster.turn else "rounded"
        yield f"{space}subgraph cluster_{self.clusters} {{"
        look = look_of(self.theme, cluster.name, cluster.scope)
        back = f'bgcolor="{look.fill}", ' if look.fill else ""
        text = ink(self.theme, look.fill or self.theme.background)[1]
        yield (
            f'{space}  graph [style="{style}", color="{look.stroke or self.theme.cluster}", {back}'
            f'penwidth=1.0, margin=10, labelloc=t, labeljust=l, fontsize=11, fontcolor="{text}", '
            f"label={self._cluster_label(cluster, look.label or cluster.name)}]"
        )
        yield from self._children(cluster, indent + 1, cluster.scope or scope)
        yield f"{space}}}"

    def _cluster_label(self, cluster: Cluster, name: str) -> str:
        words = [f"<B>{html_text(name)}</B>"] if name else []
        if cluster.turn is not None:
            count, times = cluster.turn.count, cluster.times
            turns = f"<B>\N{MULTIPLICATION SIGN} {times:,}</B>" if times > 1 else ""
            if times == 1:
                turns = f"{cluster.turn.index + 1} of {count}"
            elif times < count:
                turns += f" of {count}"
            words.append(turns)
        return f"<{'&#160; '.join(words)}>"

    def _box(self, position: int, scope: str) -> str:
        box = self.drawing.boxes[position]
        if box.kind == FORK:
            return f'n{position} [label="", shape=point, width=0.05, color="{self.theme.line}"]'
        text, soft = ink(self.theme, fill(self.theme, box.kind, box.path))
        name = look_of(self.theme, box.path).label or (
            _relative(box.path, scope) + _more(position in self.drawing.repeated)
        )
        tip = f"{box.kind} {box.path}: {box.output}".strip()
        attributes = f'fillcolor="{fill(self.theme, box.kind, box.path)}", tooltip={quoted(tip)}'
        line = stroke(self.theme, box.kind, box.path)
        attributes += f', color="{line}"' if line != self.theme.border else ""
        attributes += f', fontcolor="{text}"' if text != self.theme.text else ""
        if box.kind in MERGE_SIGNS:
            sign = f"<<B>{MERGE_SIGNS[box.kind]}</B>>"
            return (
                f"n{position} [label={sign}, shape=circle, fixedsize=true, width=0.28, "
                f"style=filled, fontsize=14, {attributes}]"
            )
        if box.kind == OUTPUT:
            attributes += ', style="rounded,filled,dashed"'
        return f"n{position} [label={self._label(box, name, soft)}, {attributes}]"

    def _label(self, box: Box, name: str, colour: str) -> str:
        bold = f"<B>{html_text(called(self.theme, box.kind) or name)}</B>"
        heading = [bold, *([_soft(html_text(name), 11, colour)] if box.kind else [])]
        folded = [f"{box.layers:,} {_plural('layer', box.layers)}"] if not box.kind else []
        params = [f"{box.params:,} {_plural('param', box.params)}"] if box.params else []
        params += [f"weights of {box.lender}"] if box.lender else []
        rows = [
            " ".join(heading),
            _soft(html_text(", ".join([*folded, *box.details])), 10, colour),
            _soft(html_text(" \u00b7 ".join([box.output, *params])), 10, colour),
        ]
        return f"<{_table(rows)}>"

    def _edge(self, edge: Edge) -> str:
        """An edge; skips are coloured, and give way so that the main path stays straight."""
        looks = [f'color="{self.theme.skip}", penwidth=1.5'] if edge.skip else ["weight=4"]
        if self.drawing.boxes[edge.target].kind == FORK:
            looks.append("arrowhead=none")
        return f"  n{edge.source} -> n{edge.target} [{', '.join(looks)}]"


def _soft(html: str, size: int, colour: str) -> str:
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour}">{html}</FONT>' if html else ""


def _table(rows: list[str], padding: int = 1) -> str:
    """Rows below each other; empty ones are left out."""
    cells = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows if row)
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{cells}</TABLE>'


def _relative(path: str, scope: str) -> str:
    """A path as its cluster's scope leaves it to say."""
    return path.removeprefix(f"{scope}.") if scope else path


def _more(repeated: bool) -> str:
    return " \N{HORIZONTAL ELLIPSIS}" if repeated else ""


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def html_text(text: str) -> str:
    """Text for a label in Graphviz's HTML.

    Control characters, which XML forbids, are blanks; a backslash would start an escape.
    """
    return escape(_CONTROL.sub(" ", text)).replace("\\", "\\\\")


def quoted(text: str) -> str:
    """Text for a quoted string of Graphviz.

    A backslash would start one of its escapes, and `&nbsp;` is an entity to it, though not to XML.
    """
    plain = _CONTROL.sub(" ", text).replace("&", "&amp;")
    plain = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'

"""Circuit -> a page: forward above, the gradients beneath what they are of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...grammar.diagnostics import error
from ..analysis.counts import count
from ..emit.circuit import Circuit, Part
from ..emit.dot import check_choices
from ..emit.palette import LIGHT, Theme
from ..ir.graph import Graph
from .columns import Columns
from .fonts import shortened, text_width
from .page import SWATCH, Swatch, scale_to_fit
from .page import page as around
from .page_size import Size, page_size
from .scene import SMALLEST_TEXT, Drawn, Group, Line, Paint, Rectangle, Scene, Text, placed
from .score import UPRIGHT, Rows, Score
from .staves import LABEL, LEAVES, Staves, nets_of

TEXT, SMALL = 8.5, 7.0  # sizes of text
LINE = 9.0
WIDEST = 150.0
MOST_ROWS = 12
MOST_PARTS = 600
WORTH = 1.06
AROUND = 0.12  # of a row's width: how much more it may differ for one value less around it
OTHERS = (0.05, 0.0)  # the same, where text is too small otherwise
NEARLY = 0.7  # of what is legible: text that is smaller is left so
SEED = "seed"


def backward_scene(
    circuits: Iterable[Circuit],
    graph: Graph,
    *,
    theme: Theme = LIGHT,
    page: str = "a4",
    title: bool = True,
    direction: str = "LR",
) -> Scene:
    """A chain rule on a page, in rows like those of a score, each with two lanes.

    Args:
        circuits: What to draw: the first one whose text is legible, or the one whose text is
            largest.
        graph: The network, for name and counts.
        theme: Its colours.
        page: What the picture must fit, upright or across; see `graph_scene`.
        title: Whether name and totals of the network are above.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.

    Raises:
        NetError: E511, there is too much to draw, or one of the choices is not known.
    """
    check_choices(direction=direction)
    paper = _Paper(theme, page_size(page), title, direction)
    found: list[_Fitted] = []
    parts = 0
    for circuit in circuits:
        parts = len(circuit.parts)
        if parts > MOST_PARTS:
            continue
        found.append(paper.fitted(paper.staves(_with_seed(circuit))))
        if found[-1].is_legible:
            break
    if not found:
        raise error(
            "E511",
            f"a graph of {parts:,} parts is too large to draw",
            help="fold it with `--depth 1`, or draw a part of the network",
        )
    best = _largest(found)
    if not best.is_legible:
        best = _largest(map(paper.refined, found))
    score = Score(best.rows.columns, best.starts, theme, direction)
    shapes = [*score.wires(), *score.labels()]
    shapes += (_shape(name, part, score, theme) for name, part in best.staves.circuit.parts.items())
    drawn = [placed(shape, 0, 0, best.scale) for shape in shapes]
    legend = _legend(best.staves.circuit, theme, direction)
    counts = count(graph)
    return around(drawn, theme, name=graph.name, counts=counts, legend=legend, heading=title)


def _largest(found: "Iterable[_Fitted]") -> "_Fitted":
    """The first whose text is legible, or the one whose text is clearly the largest."""
    best, *others = found
    for other in others:
        if best.is_legible:
            break
        if other.is_legible or other.scale > best.scale * WORTH:
            best = other
    return best


def _with_seed(circuit: Circuit) -> Circuit:
    """The gradients start at a part of their own, beneath the value."""
    wires = [
        replace(wire, source=SEED) if (wire.source, wire.role) == ("value", "backward") else wire
        for wire in circuit.wires
    ]
    if wires == list(circuit.wires):
        return circuit
    name = circuit.parts["value"].text
    text = f"\N{PARTIAL DIFFERENTIAL}{name}/\N{PARTIAL DIFFERENTIAL}{name} = 1"
    parts = {**circuit.parts, SEED: Part("derivative", text, beneath="value")}
    return Circuit(parts, wires)


@dataclass(frozen=True)
class _Paper:
    """What a circuit is put on, and how."""

    theme: Theme
    size: Size
    title: bool
    direction: str

    def staves(self, circuit: Circuit) -> Staves:
        """The parts of a circuit at their places."""
        upright = self.direction in UPRIGHT
        sizes = {name: _size(part) for name, part in circuit.parts.items()}
        turned = {name: size[::-1] for name, size in sizes.items()} if upright else sizes
        return Staves(circuit, turned, nets_of(circuit.wires, upright=upright))

    def fitted(self, staves: Staves) -> "_Fitted":
        """As many rows as make the picture largest on a page, upright or across."""
        best = _Fitted(Rows(Columns(staves)), [0], 0.0)
        for number in range(1, MOST_ROWS + 1):
            best = self._better(best, _starts(best.rows, number), WORTH)
            if best.scale >= 1.0:
                break
        return best

    def refined(self, best: "_Fitted") -> "_Fitted":
        """Nearly legible text made larger by rows that go around more, or begin beside these."""
        for weight in OTHERS if best.is_nearly_legible else ():
            for number in range(1, MOST_ROWS + 1):
                best = self._better(best, _starts(best.rows, number, weight))
        before = None
        while best is not before and best.is_nearly_legible:
            before = best
            for starts in best.neighbours():
                best = self._better(best, starts)
        return best

    def _better(self, best: "_Fitted", starts: Sequence[int], worth: float = 1.0) -> "_Fitted":
        """The best so far, or the same columns in other rows."""
        legend = _legend(best.staves.circuit, self.theme, self.direction)
        extent = best.rows.extent(starts, self.direction)
        for page in (self.size, self.size[::-1]):
            scale = scale_to_fit(extent, page, heading=self.title, legend=legend)
            if scale > best.scale * worth:
                best = _Fitted(best.rows, starts, scale)
        return best


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Rows that begin at some columns, and the scale at which they fit a page."""

    rows: Rows
    starts: Sequence[int]
    scale: float

    @property
    def staves(self) -> Staves:
        return self.rows.columns.staves

    @property
    def is_legible(self) -> bool:
        return self.scale * LABEL >= SMALLEST_TEXT

    @property
    def is_nearly_legible(self) -> bool:
        return self.scale * LABEL >= NEARLY * SMALLEST_TEXT and not self.is_legible

    def neighbours(self) -> Iterator[list[int]]:
        """The same rows, one of which begins at the rank before or behind."""
        starts, groups = list(self.starts), self.staves.groups
        for i, start in enumerate(starts[1:], 1):
            at = groups.index(start)
            for moved in (groups[at - 1], *groups[at + 1 : at + 2]):
                if starts[i - 1] < moved < min([*starts[i + 1 : i + 2], self.staves.count]):
                    yield [*starts[:i], moved, *starts[i + 1 :]]


def _starts(rows: Rows, number: int, around: float = AROUND) -> list[int]:
    """The columns that begin rows of about the same width, where few values would go around.

    They are found by the picture in one row.
    """
    staves = rows.columns.staves
    row = rows.row(0, staves.count - 1)
    step = row.width / number
    found = [0]
    for i in range(1, number):

        def cost(column: int, limit: float = step * i) -> float:
            at = (row.middle[column - 1] + row.middle[column]) / 2
            return abs(at - limit) / step + around * row.passing(column - 1)

        ahead = [group for group in staves.groups if group > found[-1]]
        if ahead:
            found.append(min(ahead, key=cost))
    return found


def _size(part: Part) -> tuple[float, float]:
    text = shortened(part.text, WIDEST, TEXT, bold=_is_bold(part))
    widths = [text_width(text, TEXT, bold=_is_bold(part))]
    widths += [text_width(line, SMALL) for line in part.more]
    padding = {"value": 6.0, "derivative": 6.0}.get(
        part.role, 20.0 if part.role in LEAVES else 12.0
    )
    return max(10.0, *widths) + padding, LINE * len(widths) + 6.0


def _is_bold(part: Part) -> bool:
    return part.role in (*LEAVES, "value") or bool(part.more)


FAMILIES: Mapping[str, str] = {
    "input": "source",
    "parameter": "dense",
    "forward": "convolution",
    "backward": "attention",
}


def _shape(name: str, part: Part, score: Score, theme: Theme) -> Group:
    x, y = score.center(name)
    block = score.staves.blocks[score.staves.item(name)]
    width, height = score.staves.sizes[name][0], block.bottom - block.top
    if score.direction in UPRIGHT:
        width, height = height, width
    colour = theme.skip if part.role == "derivative" else theme.text
    text = shortened(part.text, WIDEST, TEXT, bold=_is_bold(part))
    shapes: list[Drawn] = []
    if part.role in FAMILIES:
        paint = Paint(theme.families[FAMILIES[part.role]], theme.border)
        rounding = min(height / 2, 9.0) if part.role in LEAVES else 3.5
        shapes.append(Rectangle(x - width / 2, y - height / 2, width, height, paint, rounding))
    else:
        clear = Paint(theme.background)
        shapes.append(Rectangle(x - width / 2, y - height / 2, width, height, clear))
    top = y - LINE * len(part.more) / 2 + 0.34 * TEXT
    shapes.append(Text(x, top, text, TEXT, colour, bold=_is_bold(part)))
    for number, line in enumerate(part.more, 1):
        shapes.append(Text(x, top + LINE * number, line, SMALL, theme.soft_text))
    return Group(tuple(shapes), "box", part.tip or part.text, name)


def _legend(circuit: Circuit, theme: Theme, direction: str) -> Mapping[str, Swatch]:
    """What colours and lines mean, of those that are there."""
    roles = {part.role for part in circuit.parts.values()}
    upright = direction in UPRIGHT
    words = {
        "input": "input",
        "parameter": "parameter",
        "forward": "forward",
        "backward": f"gradient of the operator {'beside it' if upright else 'above'}",
    }
    found: dict[str, Swatch] = {
        text: theme.families[FAMILIES[role]] for role, text in words.items() if role in roles
    }
    value = circuit.parts.get("value")
    if value is not None and value.tip:
        symbol = Text(SWATCH / 2, SWATCH - 1, value.text, SMALL, theme.text, bold=True)
        found[value.tip] = (symbol,)
    if any(wire.role == "kept" for wire in circuit.wires):
        middle = SWATCH / 2
        paint = Paint(None, theme.cluster, 0.9, (2.4, 1.6))
        line = Line(((0, middle), (SWATCH, middle)), paint)
        folded = any(part.more for part in circuit.parts.values())
        inside = ", also from inside a box" if folded else ""
        found[f"forward value that a gradient reads{inside}"] = (line,)
    return found

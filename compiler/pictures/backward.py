"""Circuit -> a page: forward above, the gradients beneath what they are of."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...grammar.diagnostics import error
from ..analysis.counts import count
from ..emit.circuit import Circuit, Part
from ..emit.palette import THEMES, Theme
from ..ir.graph import Graph
from .fonts import shortened, text_width
from .page import SWATCH, Swatch, page
from .scene import A4, SMALLEST_TEXT, Drawn, Group, Line, Paint, Rectangle, Scene, Text, placed
from .score import LABEL, Score
from .staves import LEAVES, Staves, nets_of

TEXT, SMALL = 8.5, 7.0  # sizes of text
LINE = 9.0
WIDEST = 150.0
SIDES, ABOVE = 37.0, 97.0  # what a page's margins, heading and legend take
MOST_ROWS = 12
MOST_PARTS = 600
WORTH = 1.06
AROUND = 0.12  # of a row's width: how much more it may differ for one value less around it
SEED = "seed"


def backward_scene(circuits: Iterable[Circuit], graph: Graph, *, theme: str = "light") -> Scene:
    """A chain rule on a page, in rows like those of a score, each with two lanes.

    Args:
        circuits: What to draw: the first one whose text is legible, or the one whose text is
            largest.
        graph: The network, for name and counts.
        theme: `light` or `dark`.

    Raises:
        NetError: E511, there is too much to draw.
    """
    colours = THEMES[theme]
    best, scale, parts = None, 0.0, 0
    for circuit in circuits:
        parts = len(circuit.parts)
        if parts > MOST_PARTS:
            continue
        seeded = _with_seed(circuit)
        sizes = {name: _size(part) for name, part in seeded.parts.items()}
        score, fits = _fitted(Staves(seeded, sizes, nets_of(seeded.wires)), colours)
        if best is None or fits > scale * WORTH:
            best, scale = score, fits
        if scale * LABEL >= SMALLEST_TEXT:
            break
    if best is None:
        raise error(
            "E511",
            f"a graph of {parts:,} parts is too large to draw",
            help="fold it with `--depth 1`, or draw a part of the network",
        )
    shapes = [*best.wires(), *best.labels()]
    shapes += (
        _shape(name, part, best, colours) for name, part in best.staves.circuit.parts.items()
    )
    drawn = [placed(shape, 0, 0, scale) for shape in shapes]
    legend = _legend(best.staves.circuit, colours)
    return page(drawn, colours, name=graph.name, counts=count(graph), legend=legend)


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


def _fitted(staves: Staves, theme: Theme) -> tuple[Score, float]:
    """As many rows as make the picture largest on a page, upright or across."""
    one = Score(staves, [0], theme)
    best, scale = one, 0.0
    for number in range(1, MOST_ROWS + 1):
        score = Score(staves, _starts(one, number), theme)
        width, height = score.extent
        for across, along in (A4, A4[::-1]):
            fits = min(1.0, (across - SIDES) / width, (along - ABOVE) / height)
            if fits > scale * WORTH:
                best, scale = score, fits
        if scale >= 1.0:
            break
    return best, scale


def _starts(one: Score, number: int) -> list[int]:
    """The columns that begin rows of about the same width, where few values would go around.

    They are found by the picture in one row.
    """
    (row,) = one.rows
    step = row.width / number
    found = [0]
    for i in range(1, number):

        def cost(column: int, limit: float = step * i) -> float:
            at = (row.middle[column - 1] + row.middle[column]) / 2
            return abs(at - limit) / step + AROUND * len(row.trunks[column - 1])

        ahead = [group for group in one.staves.groups if group > found[-1]]
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


def _legend(circuit: Circuit, theme: Theme) -> Mapping[str, Swatch]:
    """What colours and lines mean, of those that are there."""
    roles = {part.role for part in circuit.parts.values()}
    words = {
        "input": "input",
        "parameter": "parameter",
        "forward": "forward",
        "backward": "gradient of the operator above",
    }
    found: dict[str, Swatch] = {
        text: theme.families[FAMILIES[role]] for role, text in words.items() if role in roles
    }
    if any(wire.role == "kept" for wire in circuit.wires):
        middle = SWATCH / 2
        paint = Paint(None, theme.cluster, 0.9, (2.4, 1.6))
        line = Line(((0, middle), (SWATCH, middle)), paint)
        found["forward value that a gradient reads"] = (line,)
    return found

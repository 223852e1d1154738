"""Graph -> layers as columns of circles, as in a first lecture on neural networks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from math import erf, exp, hypot, log1p, sqrt, tanh
from typing import Any

from ...grammar.diagnostics import NetError, error
from ..analysis.counts import Counts, count
from ..emit.layer_view import IDENTITY, OUTPUT, layer_view
from ..emit.palette import LIGHT, Theme, called, family, fill, ink, look_of, stroke
from ..ir.graph import PARAMETER, Graph, Node, Value
from ..ir.types import TensorType, author_extents, author_size
from .fonts import bounds, shortened, text_width
from .page import SMALL, SOFT, Swatch, label, page
from .scene import Anchor, Bounds, Drawn, Ellipse, Group, Line, Paint, Point, Rectangle, Scene, Text

RADIUS, SMALLER = 13.0, 10.0  # of units, and of those that are 1
PITCH, SPACED = 34.0, 48.0  # between units; with numbers on the edges
NARROW, WIDE = 95.0, 165.0  # between columns; with numbers on the edges
MOST_UNITS, HEAD = 10, 4  # circles of a column; of a longer layer, the first ones and the last
MOST_COLUMNS = 8  # of a deeper network, the first ones and the last
MOST_NUMBERS = 20  # on the edges between two columns
MINOR = 6.0  # the size of indices
CLOSE = 4.0  # between a number and the edges of others
THIN, THICK = 0.4, 2.6  # edges by the size of their weight

ZERO = (1.0, 2.0)  # the dash of edges that weigh nothing
SHARES = [share / 100 for share in range(14, 90, 4)]  # of an edge's way, where its number may be
# Edges of positive and of negative weights, on light and on dark.
SIGNS = (("#2166ac", "#d6604d"), ("#7fb0ee", "#f4a582"))

_Curve = Callable[[float], float]


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


# What an activation is called, and its curve from -4 to 4.
CURVES: Mapping[str, tuple[str, _Curve]] = {
    "RELU": ("ReLU", lambda x: max(x, 0.0)),
    "RELU6": ("ReLU6", lambda x: min(max(2 * x, 0.0), 6.0)),
    "LRELU": ("leaky ReLU", lambda x: x if x > 0 else 0.15 * x),
    "PRELU": ("PReLU", lambda x: x if x > 0 else 0.25 * x),
    "ELU": ("ELU", lambda x: x if x > 0 else exp(x) - 1),
    "CELU": ("CELU", lambda x: x if x > 0 else exp(x) - 1),
    "SELU": ("SELU", lambda x: x if x > 0 else 1.67 * (exp(x) - 1)),
    "GELU": ("GELU", lambda x: x * (1 + erf(x / sqrt(2))) / 2),
    "SWISH": ("swish", lambda x: x * _sigmoid(x)),
    "SILU": ("SiLU", lambda x: x * _sigmoid(x)),
    "MISH": ("mish", lambda x: x * tanh(log1p(exp(x)))),
    "SOFTPLUS": ("softplus", lambda x: log1p(exp(x))),
    "SIGMOID": ("sigmoid", lambda x: _sigmoid(1.5 * x)),
    "HARDSIGMOID": ("hard sigmoid", lambda x: min(max(x / 4 + 0.5, 0.0), 1.0)),
    "HARDSWISH": ("hard swish", lambda x: x * min(max(x / 6 + 0.5, 0.0), 1.0)),
    "TANH": ("tanh", tanh),
    "SOFTSIGN": ("softsign", lambda x: x / (1 + abs(x))),
    "STEP": ("step", lambda x: float(x > 0)),
    "SOFTMAX": ("softmax", exp),
    "LOGSOFTMAX": ("log softmax", lambda x: -log1p(exp(-x))),
    "SQUARE": ("square", lambda x: x * x),
    "ABS": ("absolute value", abs),
    "EXP": ("exp", exp),
    "NEG": ("negation", lambda x: -x),
}
# Kinds that leave the columns as they are.
PASSIVE = frozenset({"normalization", "regularization", "activation"})
FLAT = frozenset({IDENTITY, "FLATTEN"})


@dataclass(eq=False)
class _Column:
    """A layer of units: the input, or a dense layer and the activation behind it.

    Attributes:
        name: The layer's path, or the input's name.
        called: What the author calls it, or what follows it; empty where nothing.
        units: How many there are.
        dense: The operator that computes them from the column before; None for the input.
        activation: The kind of the last activation behind it.
        after: All kinds behind it, in order.
        x, pitch: Where the column stands, and how far its units are apart.
    """

    name: str
    units: int
    dense: Node | None = None
    size: str = ""
    activation: str = ""
    after: list[str] = field(default_factory=list)
    called: str = ""
    x: float = 0.0
    pitch: float = PITCH

    @property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the units that are drawn, from 0."""
        if self.units <= MOST_UNITS:
            return tuple(range(self.units))
        return (*range(HEAD), self.units - 1)

    @property
    def elided(self) -> bool:
        """Whether dots stand for some units."""
        return self.units > MOST_UNITS

    def places(self) -> dict[int, Point]:
        """The centres of the units that are drawn."""
        rows = [*range(len(self.shown))]
        if self.elided:
            rows[-1] += 1  # the row of the dots
        middle = rows[-1] / 2
        ys = [(row - middle) * self.pitch for row in rows]
        return {unit: (self.x, y) for unit, y in zip(self.shown, ys, strict=True)}


def neurons(
    graph: Graph,
    *,
    theme: Theme = LIGHT,
    state: Mapping[str, Any] | None = None,
    title: bool = True,
    counts: Counts | None = None,
) -> Scene:
    """A chain of dense layers as columns of circles, with an edge for every weight.

    Long layers show their first units and the last. Weights that the program states, or `state`
    holds, are numbers on the edges where these are few, and colour and width where they are many.

    Args:
        graph: The network, not optimised.
        theme: Its colours.
        state: Weights by name.
        title: Whether name and totals are above.
        counts: The network's counts, where they are known already.

    Raises:
        NetError: E511, the network is not a chain of dense layers.
    """
    counts = counts or count(graph)
    columns = _columns(graph, counts)
    return _Painter(graph, columns, theme, state or {}).scene(counts, title=title)


def _columns(graph: Graph, counts: Counts) -> list[_Column]:
    view = layer_view(graph, counts)
    sources: dict[int, list[int]] = {}
    for edge in view.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    dense = {n.scope: n for _, n in graph.nodes() if n.op_type == "Gemm"}
    columns: list[_Column] = []
    for position, box in enumerate(view.boxes):
        if box.kind == OUTPUT:
            continue
        if sources.get(position, []) != ([position - 1] if position else []):
            raise _no_chain("its layers branch")
        layer = graph.layers.get(box.path)
        if layer is None:
            raise _no_chain(f"`{box.path}` is not a layer" if box.path else "it has no layers")
        if box.kind == "INPUT":
            columns.append(_input(box.path, layer.outputs[0].type))
        elif box.path in dense:
            type = layer.outputs[0].type
            units = author_extents(type)[-1]
            if type.rank != 2 or not isinstance(units, int):
                raise _no_chain(f"`{box.path}` yields {author_size(type)}")
            columns.append(_Column(box.path, units, dense[box.path]))
        elif columns and family(box.kind) in PASSIVE:
            columns[-1].after.append(box.kind)
            if family(box.kind) == "activation":
                columns[-1].activation = box.kind
        elif not columns or box.kind not in FLAT:
            raise _no_chain(f"`{box.path}` is a `{box.kind}`")
        if layer.labelled:
            columns[-1].called = box.path
    if len(columns) < 2:
        raise _no_chain("it has no dense layer")
    return columns


def _no_chain(why: str) -> NetError:
    return error(
        "E511",
        f"the style `neurons` draws chains of dense layers, and {why}",
        help="the style `volumes` draws feature maps, the style `graph` any network",
    )


def _input(name: str, type: TensorType) -> _Column:
    size = type.with_shape((1, *type.shape[1:])).size
    if not isinstance(size, int):
        raise _no_chain(f"`{name}` has no fixed size")
    return _Column(name, size, size=author_size(type))


@dataclass(frozen=True, slots=True)
class _Edge:
    """A weight: from where to where, and its value where it is known."""

    start: Point
    end: Point
    title: str
    value: float | None

    def at(self, share: float) -> Point:
        """A point on the way."""
        (a, b), (c, d) = self.start, self.end
        return a + share * (c - a), b + share * (d - b)


@dataclass(eq=False)
class _Painter:
    graph: Graph
    columns: list[_Column]
    theme: Theme
    state: Mapping[str, Any]

    def scene(self, counts: Counts, *, title: bool) -> Scene:
        head = len(self.columns)
        left_out = len(self.columns) - MOST_COLUMNS
        if left_out > 0:
            head = MOST_COLUMNS // 2
            del self.columns[head : head + left_out]
        pairs = [pair for i, pair in enumerate(pairwise(self.columns), 1) if i != head]
        for before, column in pairwise(self.columns):
            numbered = self._numbered(before, column)
            column.x = before.x + (WIDE if numbered else NARROW)
            if numbered:
                before.pitch = column.pitch = SPACED
        edges = {id(b): list(self._edges(a, b)) for a, b in pairs}
        drawn = [edge for found in edges.values() for edge in found]
        largest = max((abs(edge.value) for edge in drawn if edge.value is not None), default=0.0)
        lines = [self._line(edge, largest) for edge in drawn]
        circles = [shape for column in self.columns for shape in self._column(column)]
        taken = [bounds(s) for s in circles if isinstance(s, Group) and s.role != "edge"]
        numbers: list[Drawn] = []
        for before, column in pairs:
            if self._numbered(before, column):
                numbers += self._numbers(edges[id(column)], taken)
        gap = self._gap(self.columns[head - 1], left_out) if left_out > 0 else ()
        values = {edge.value for edge in drawn}
        unwritten = any(self._stated(b) and not self._numbered(a, b) for a, b in pairs)
        legend = self._legend(coloured=largest > 0, zero=0.0 in values, unwritten=unwritten)
        return page(
            [*lines, *circles, *numbers, *gap],
            self.theme,
            name=self.graph.name,
            counts=counts,
            legend=legend,
            heading=title,
        )

    def _numbered(self, before: _Column, column: _Column) -> bool:
        """Whether the weights between two columns are few, and known."""
        edges = (before.units + self._bias(column)) * column.units
        return self._stated(column) and edges <= MOST_NUMBERS

    def _stated(self, column: _Column) -> bool:
        return any(each is not None for each in self._parameters(column))

    def _edges(self, before: _Column, column: _Column) -> Iterator[_Edge]:
        weight, bias = self._parameters(column)
        sources, targets = before.places(), column.places()
        for (j, start), (i, end) in product(sources.items(), targets.items()):
            value = None if weight is None else float(weight[i][j])
            yield _edge(start, end, f"w[{i + 1}, {j + 1}]", value)
        if self._bias(column):
            for i, end in targets.items():
                value = None if bias is None else float(bias[i])
                yield _edge(_bias_place(before), end, f"b[{i + 1}]", value, SMALLER)

    def _bias(self, column: _Column) -> bool:
        return column.dense is not None and len([v for v in column.dense.inputs if v]) > 2

    def _parameters(self, column: _Column) -> tuple[Any, Any]:
        """The weight and the bias of a column; None for those that nothing states."""
        assert column.dense is not None
        found = [self._known(v) for v in (*column.dense.inputs[1:], None)]
        return found[0], found[1]

    def _known(self, value: Value | None) -> Any:
        node = self.graph.producer(value) if value is not None else None
        if node is None or node.op_type != PARAMETER:
            return None
        return self.state.get(node.attributes["name"], node.attributes["literal"])

    def _line(self, edge: _Edge, largest: float) -> Group:
        """An edge: its colour is the sign of its weight, its width the size; zero is dotted."""
        if edge.value is None:
            paint = Paint(stroke=self.theme.line, width=0.5, opacity=0.7)
        elif not edge.value:
            paint = Paint(stroke=self.theme.line, width=0.5, dash=ZERO)
        else:
            colour = SIGNS[self.dark][edge.value < 0]
            paint = Paint(stroke=colour, width=THIN + (THICK - THIN) * abs(edge.value) / largest)
        title = edge.title if edge.value is None else f"{edge.title} = {edge.value:g}"
        return Group((Line((edge.start, edge.end), paint),), "edge", title)

    @property
    def dark(self) -> bool:
        """Whether the background is dark."""
        return self.theme.dark

    def _numbers(self, edges: list[_Edge], taken: list[Bounds]) -> Iterator[Drawn]:
        """The weights on their edges, each where it meets the fewest of the others."""
        for edge in edges:
            if edge.value is None:
                continue
            text = f"{edge.value + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")
            half = text_width(text, SMALL) / 2 + 1.5
            others = [other for other in edges if other is not edge]

            def box(share: float, half: float = half, edge: _Edge = edge) -> Bounds:
                x, y = edge.at(share)
                return Bounds(x - half, y - 4.5, x + half, y + 4.5)

            def cost(share: float, others: list[_Edge] = others) -> tuple[int, int, float]:
                place = box(share)
                met = sum(place.overlaps(other) for other in taken)
                crossed = sum(_crosses(other, place) for other in others)
                return met, crossed, abs(share - 0.5)

            place = box(min(SHARES, key=cost))
            taken.append(place)
            back = Paint(self.theme.background)
            yield Rectangle(place.left, place.top, place.width, place.height, back, 2)
            x, y = place.center
            yield label(Text(x, y + 2.5, text, SMALL, self.theme.text), title=edge.title)

    def _column(self, column: _Column) -> Iterator[Drawn]:
        first, last = column is self.columns[0], column is self.columns[-1]
        for unit, (x, y) in column.places().items():
            kind = "INPUT" if first else column.activation or "FC"
            back, line = (look(self.theme, kind, column.name) for look in (fill, stroke))
            circle = Ellipse(x, y, RADIUS, RADIUS, Paint(back, line))
            text, soft = ink(self.theme, back)
            upon = replace(self.theme, text=text, soft_text=soft)
            inside = (
                _indexed("x", unit, column.units, (x, y), upon)
                if first
                else _curve(column.activation, (x, y), upon)
            )
            title = f"{column.name} {unit + 1} of {column.units:,}"
            yield Group((circle, *inside), "box", title, column.name)
            if last:
                yield from self._answer(column, unit, (x, y))
        if column.elided:
            y = (HEAD - (HEAD + 1) / 2) * column.pitch
            for step in (-5, 0, 5):
                yield Ellipse(column.x, y + step, 1.3, 1.3, Paint(self.theme.soft_text))
        following = self.columns[self.columns.index(column) + 1] if not last else None
        if following is not None and self._bias(following):
            x, y = _bias_place(column)
            dashed = Paint(self.theme.background, self.theme.border, dash=(2, 1.5))
            one = Text(x, y + 3, "1", SOFT, self.theme.soft_text)
            circle = Ellipse(x, y, SMALLER, SMALLER, dashed)
            yield Group((circle, one), "box", f"bias of {following.name}", "bias")
        yield from self._caption(column)

    def _answer(self, column: _Column, unit: int, place: Point) -> Iterator[Drawn]:
        """The arrow out of an output unit, and what comes out."""
        x, y = place
        arrow = ((x + RADIUS, y), (x + RADIUS + 16, y))
        yield Group((Line(arrow, Paint(stroke=self.theme.line), 4.5),), "edge")
        at = (x + RADIUS + 20, y)
        named = shortened(self.answer, 60, SOFT)
        shapes = _indexed(named, unit, column.units, at, self.theme, "start")
        yield Group(shapes, "label", self.answer)

    @property
    def answer(self) -> str:
        """What the network's output is called."""
        name = next(iter(self.graph.outputs))
        return name if name != "output" else self.columns[-1].called or "y"

    def _caption(self, column: _Column) -> Iterator[Drawn]:
        """What a column is, its name, how many units it has, and what follows them."""
        usual = {kind: CURVES[kind][0] if kind in CURVES else kind for kind in column.after}
        labels = {kind: called(self.theme, kind) for kind in column.after}
        kinds = [labels[kind] if labels[kind] != kind else usual[kind] for kind in column.after]
        place = {0: "input", len(self.columns) - 1: "output"}
        role = place.get(self.columns.index(column), "hidden")
        known = (role, self.answer)
        name = look_of(self.theme, column.name).label or column.called
        lines = [
            (role, SOFT, self.theme.text),
            (name if name not in known else "", SMALL, self.theme.text),
            (self._size(column), SMALL, self.theme.text),
            (", ".join(kinds), SMALL, self.theme.soft_text),
        ]
        y = max(y for other in self.columns for _, y in other.places().values()) + RADIUS + 14
        for text, size, colour in lines:
            if text:
                short = shortened(text, NARROW - 8, size)
                yield label(Text(column.x, y, short, size, colour), title=text, name=column.name)
                y += size + 3

    def _size(self, column: _Column) -> str:
        if column.size and column.size != str(column.units):
            return f"{column.units:,} = {column.size}"
        return f"{column.units:,}"

    def _gap(self, before: _Column, left_out: int) -> Iterator[Drawn]:
        """Dots for columns that are left out, and how many these are."""
        x = before.x + NARROW / 2
        for step in (-7, 0, 7):
            yield Ellipse(x + step, 0, 1.6, 1.6, Paint(self.theme.soft_text))
        yield label(Text(x, 16, f"{left_out} layers", SMALL, self.theme.soft_text))

    def _legend(self, *, coloured: bool, zero: bool, unwritten: bool) -> dict[str, Swatch]:
        found: dict[str, Swatch] = {}
        if coloured:
            for words, colour in zip(
                ("positive weight", "negative weight"), SIGNS[self.dark], strict=True
            ):
                found[words] = (Line(((0, 4), (8, 4)), Paint(stroke=colour, width=1.8)),)
        if unwritten and coloured:
            lines = zip((2, 6), (THIN, THICK), strict=True)
            found["small and large weight"] = tuple(
                Line(((0, y), (8, y)), Paint(stroke=self.theme.text, width=wide))
                for y, wide in lines
            )
        if zero:
            dotted = Paint(stroke=self.theme.line, width=0.5, dash=ZERO)
            found["zero weight"] = (Line(((0, 4), (8, 4)), dotted),)
        if any(map(self._bias, self.columns)):
            dashed = Paint(self.theme.background, self.theme.border, dash=(2, 1.5))
            found["bias"] = (Ellipse(4, 4, 4, 4, dashed),)
        return found


def _curve(kind: str, place: Point, theme: Theme) -> tuple[Drawn, ...]:
    """An activation's curve within a circle; where there is none, the sign of a sum."""
    x, y = place
    if kind not in CURVES:
        return (Text(x, y + 4, "\N{N-ARY SUMMATION}", 11, theme.text),)
    curve, half = CURVES[kind][1], 0.6 * RADIUS
    xs = [i / 8 - 4 for i in range(65)]
    ys = [curve(each) for each in xs]
    low, high = min(*ys, 0.0), max(*ys, 0.0)
    points = tuple(
        (x + a / 4 * half, y + half - (b - low) / (high - low) * 2 * half)
        for a, b in zip(xs, ys, strict=True)
    )
    zero = y + half + low / (high - low) * 2 * half
    axis = Line(((x - half, zero), (x + half, zero)), Paint(stroke=theme.soft_text, width=0.4))
    return axis, Line(points, Paint(stroke=theme.text, width=1.2))


def _edge(
    start: Point, end: Point, title: str, value: float | None, radius: float = RADIUS
) -> _Edge:
    """An edge from the rim of a circle, of the radius, to the rim of a unit."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    ux, uy = dx / hypot(dx, dy), dy / hypot(dx, dy)
    return _Edge(
        (start[0] + radius * ux, start[1] + radius * uy),
        (end[0] - RADIUS * ux, end[1] - RADIUS * uy),
        title,
        value,
    )


def _bias_place(column: _Column) -> Point:
    """Where the bias unit beside a column's units stands: above them."""
    return column.x, min(y for _, y in column.places().values()) - column.pitch


def _crosses(edge: _Edge, box: Bounds) -> bool:
    """Whether an edge runs through a box, or close to it."""
    points = (edge.at(i / 60) for i in range(61))
    return any(
        box.left - CLOSE < x < box.right + CLOSE and box.top - CLOSE < y < box.bottom + CLOSE
        for x, y in points
    )


def _indexed(
    name: str, unit: int, units: int, place: Point, theme: Theme, anchor: Anchor = "middle"
) -> tuple[Text, ...]:
    """A name with the unit's number below the line, where there are several."""
    x, y = place
    number = f"{unit + 1}" if units > 1 else ""
    width, small = text_width(name, SOFT), text_width(number, MINOR)
    left = x - (width + small) / 2 if anchor == "middle" else x
    found = [Text(left, y + 3, name, SOFT, theme.text, italic=True, anchor="start")]
    if number:
        found.append(Text(left + width + 0.5, y + 5, number, MINOR, theme.text, anchor="start"))
    return tuple(found)

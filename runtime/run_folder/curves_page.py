"""A history -> HTML for notebooks: curves as SVG, and a table of epochs."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import isfinite

from ..metrics.definitions import VALIDATION

Measured = float | None
Columns = Mapping[str, Sequence[Measured]]

PLAIN = ("epoch", "step", "lr", "momentum", "seconds")  # columns that have no curve
WIDTH, HEIGHT = 300.0, 150.0
LEFT, TOP, BOTTOM = 52.0, 18.0, 20.0
COLOURS = ("#0072b2", "#d55e00")  # training, validation: distinct with any colour vision
MOST_ROWS = 10  # of the table; of more epochs the first and the last ones are shown


def curves_page(columns: Columns, best: int | None) -> str:
    """The loss and each metric as curves, and the table.

    Args:
        columns: The columns of a history by name, with a number for each epoch; `epoch` is one.
        best: The best epoch.
    """
    if not columns["epoch"]:
        return "<p>no epochs</p>"
    names = dict.fromkeys(name.removeprefix(VALIDATION) for name in columns if name not in PLAIN)
    panels = "".join(_panel(columns, name) for name in names)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{panels}</div>{_table(columns, best)}'


def _panel(columns: Columns, name: str) -> str:
    """A metric's lines over the epochs, of the training and the validation part."""
    lines = [(n, columns[n]) for n in (name, VALIDATION + name) if n in columns]
    known = [v for _, values in lines for v in values if v is not None and isfinite(v)]
    if not known:
        return ""
    low, high = min(known), max(known)
    high = high if high > low else low + (abs(low) or 1.0)
    last = max(len(columns["epoch"]) - 1, 1)

    def at(place: int, value: float) -> str:
        x = LEFT + place / last * (WIDTH - LEFT - 8)
        return f"{x:.1f},{TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM):.1f}"

    drawn = []
    for (label, values), colour, x in zip(lines, COLOURS, (LEFT, LEFT + 110), strict=False):
        for points in _runs(values):
            places = " ".join(at(i, v) for i, v in points)
            if len(points) == 1:
                cx, cy = places.split(",")
                drawn.append(f'<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>')
            look = f'fill="none" stroke="{colour}" stroke-width="1.8"'
            drawn.append(f'<polyline points="{places}" {look}/>')
        drawn.append(f'<text x="{x}" y="11" fill="{colour}">{escape(label)}</text>')
    for value in (low, high):
        y = float(at(0, value).split(",")[1])
        ends = f'x1="{LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}"'
        drawn.append(f'<line {ends} stroke="#999" stroke-width="0.5"/>')
        drawn.append(
            f'<text x="{LEFT - 5}" y="{y + 4}" text-anchor="end" fill="#777">{value:.3g}</text>'
        )
    first, last_epoch = columns["epoch"][0], columns["epoch"][-1]
    foot = f'y="{HEIGHT - 4}" fill="#777"'
    drawn.append(f'<text x="{LEFT}" {foot}>{first}</text>')
    drawn.append(f'<text x="{WIDTH - 8}" {foot} text-anchor="end">{last_epoch}</text>')
    size = f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11"'
    return f'{head} role="img" aria-label={_quoted(name + " by epoch")}>{"".join(drawn)}</svg>'


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'


def _runs(values: Sequence[Measured]) -> Iterator[list[tuple[int, float]]]:
    """Stretches of epochs that were measured."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate([*values, None]):
        if value is not None and isfinite(value):
            run.append((place, value))
        elif run:
            yield run
            run = []


def _table(columns: Columns, best: int | None) -> str:
    places = list(range(len(columns["epoch"])))
    if len(places) > MOST_ROWS:
        places = [*places[: MOST_ROWS // 2], *places[-MOST_ROWS // 2 :]]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = []
    for place in places:
        cells = "".join(f"<td>{_written(values[place])}</td>" for values in columns.values())
        bold = ' style="font-weight:bold"' if columns["epoch"][place] == best else ""
        body.append(f"<tr{bold}>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _written(value: Measured) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)

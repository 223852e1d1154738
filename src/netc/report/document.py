"""Network, and perhaps a run -> one HTML file: a page, its style, its script and its data.

Names of users reach the page as JSON that no name can end, and as the text of elements; nothing of
theirs is ever markup. The page may load nothing, and may run no script but its own.
"""

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from os import PathLike, fspath
from typing import Any

from ..compiler.model import Model
from ..grammar.files import write_text
from ..grammar.source import UNPRINTABLE
from ..summary.table import summarize
from ..training import as_trained
from .layers import highlighted, layer_table, memory_timeline, totals
from .levels import dark_rules, levels
from .runs import of_run

# In JSON all of these stand in strings only, where an escape says the same.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def report(
    model: Model, path: "str | PathLike[str]", *, run: Any = None, weights: Any = None
) -> None:
    """Write a network's report; see `Network.report`."""
    write_text(fspath(path), to_html(model, run=run, weights=weights))


def to_html(model: Model, *, run: Any = None, weights: Any = None) -> str:
    """The report as HTML.

    Args:
        model: The network.
        run: A run, or its folder.
        weights: Weights by name, or a file of them, instead of the run's.

    Raises:
        NetError: The weights do not fit, or files cannot be read.
    """
    given = run is not None or weights is not None
    trained = as_trained(model.graph, run, weights) if given else None
    summary = summarize(model.graph)
    state = None if trained is None else trained.weights
    data = {
        "name": model.graph.name,
        "levels": levels(model.graph, summary.counts),
        "table": layer_table(model, summary, state),
        "totals": totals(summary),
        "memory": memory_timeline(model.graph),
        "program": highlighted(UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", model.text))
        if model.text
        else None,
        "run": of_run(model, run, trained) if given else None,
    }
    script, style = _asset("report.js"), f"{_asset('report.css')}\n{dark_rules()}\n"
    parts = {
        "script-hash": _hash(script),
        "style-hash": _hash(style),
        "style": style,
        "script": script,
        "data": as_json(data),
    }
    page = _asset("page.html")
    pieces = page.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        filled += [parts[name], rest]
    return "".join(filled)


def as_json(data: Any) -> str:
    """JSON that can stand in HTML: no text in it can end the element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    for mark, escape in _UNSAFE.items():
        text = text.replace(mark, escape)
    return text


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy calls an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

"""Network, and perhaps a run -> one HTML file: a page, its style, its script and its data.

Names of users reach the page as compressed JSON, and as the text of elements; nothing of theirs is
ever markup. The page may load nothing, and may run no script but its own.
"""

import gzip
import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ..compiler.model import Model
from ..grammar.diagnostics import error
from ..grammar.files import write_text
from ..grammar.source import UNPRINTABLE
from ..summary.table import summarize
from ..training import as_trained
from .layers import highlighted, layer_table, memory_timeline, totals
from .levels import dark_rules, levels
from .runs import of_run

SCRIPTS = (
    *("basics.js", "diagram.js", "folding.js", "panel.js"),
    *("table.js", "program.js", "run.js"),
)

SUFFIXES = (".html", ".htm")


def report(
    model: Model, path: "str | PathLike[str]", *, run: Any = None, weights: Any = None
) -> None:
    """Write a network's report; see `Network.report`."""
    suffix = Path(path).suffix
    if suffix.lower() not in SUFFIXES:
        what = f"there is no report as `{suffix}`" if suffix else f"`{fspath(path)}` has no suffix"
        raise error("E505", what, help=f"a report is a page: write a {' or '.join(SUFFIXES)} file")
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
    opener, script = _asset("open.js"), "\n".join(map(_asset, SCRIPTS))
    style = f"{_asset('report.css')}\n{dark_rules()}\n"
    parts = {
        "script-hashes": f"{_hash(opener)} {_hash(script)}",
        "style-hash": _hash(style),
        "style": style,
        "opener": opener,
        "script": script,
        "data": packed(data),
    }
    first, *pieces = _asset("page.html").split("{{")
    filled = [first]
    for piece in pieces:
        name, _, rest = piece.partition("}}")
        filled += [parts[name], rest]
    return "".join(filled)


def packed(data: Any) -> str:
    """JSON as base64 of gzip: a tenth of its size, and it cannot end the element around it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy calls an inline script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

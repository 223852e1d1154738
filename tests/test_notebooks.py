"""What notebooks show: diagrams, tables, diagnostics, curves, and cells that hold a program."""

import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.live_curves import LiveCurves, in_notebook
from netc.notebook import Problems, run_cell
from netc.records import History, Run
from netc.runtime.run_folder.history import Epoch
from netc.training_bar import training_progress

HOSTILE = "<script>alert(1)</script>"


class Shell:
    """What a magic needs of IPython's shell."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.magics: dict[str, Any] = {}

    def push(self, names: dict[str, Any]) -> None:
        """Bind names."""
        self.names.update(names)

    def register_magic_function(self, function: Any, magic_kind: str, magic_name: str) -> None:
        """Keep a magic."""
        self.magics[f"{magic_kind} {magic_name}"] = function


def _trained() -> Run:
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    net = netc.compile("INPUT(2) -> FC(2) as out\ntrain { loss = cross_entropy, epochs = 2 }")
    return net.train((x, (x[:, 0] > 0).astype(np.int64)))


def _well_formed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>".replace("<br>", "<br/>"))


def test_networks_are_diagrams() -> None:
    """A network is its SVG, which is whole by itself and within HTML."""
    net = netc.load("zoo:lenet5")
    assert ElementTree.fromstring(net._repr_svg_()).tag.endswith("svg")
    assert net._repr_svg_() in net._repr_html_()


@pytest.mark.parametrize("columns", [None, ("layer", "params")])
def test_summaries_are_tables(columns: tuple[str, ...] | None) -> None:
    """A summary is a table with a row for each layer, then its totals."""
    table = _well_formed(netc.load("zoo:lenet5").summary(columns=columns)._repr_html_())
    assert len(table.findall(".//tbody/tr")) == 12
    assert "61,706" in "".join(table.itertext())


def test_errors_are_excerpts() -> None:
    """An error shows its place without a traceback; its text is never markup."""
    raised = failure_of(netc.compile, f'INPUT(3) -> op("{HOSTILE}")')
    html = raised._repr_html_()
    assert "".join(_well_formed(html).itertext()) == str(raised)
    assert HOSTILE not in html
    assert raised._render_traceback_() == str(raised).splitlines()


def test_differences_are_coloured() -> None:
    """A comparison is its own text."""
    diff = netc.diff(netc.load("zoo:lenet5"), netc.load("zoo:cnn_1"))
    page = _well_formed(diff._repr_html_())
    assert "".join(page.itertext()) == str(diff)
    assert {str(span.text).split()[0] for span in page.iter("span")} == {"changed", "removed"}


def test_runs_are_curves() -> None:
    """A run shows its losses as lines, and a row for each epoch."""
    page = _well_formed(_trained()._repr_html_())
    assert len(page.findall(".//tbody/tr")) == 2
    assert len(list(page.iter("{http://www.w3.org/2000/svg}polyline"))) >= 2


def test_histories_with_gaps() -> None:
    """What was not measured, or is not finite, is a gap; metrics' names are never markup."""
    rows = [
        Epoch(n, n, loss=loss, metrics={HOSTILE: None})
        for n, loss in enumerate([1.0, float("nan"), 0.5, 0.4], 1)
    ]
    html = History(rows)._repr_html_()
    assert HOSTILE not in html
    assert len(_well_formed(html).findall(".//tbody/tr")) == 4
    assert History()._repr_html_() == "<p>no epochs</p>"


def test_cells_hold_programs() -> None:
    """`%%net name` binds a network to the name, to the program's own, or to `net`."""
    shell = Shell()
    netc.load_ipython_extension(shell)
    cell = shell.magics["cell net"]
    assert cell("mine", "INPUT(2) -> FC(1)").params == 3
    cell("", "net Small\nINPUT(2) -> FC(2)")
    cell("", "INPUT(2) -> FC(3)")
    assert {name: net.params for name, net in shell.names.items()} == {
        "mine": 3,
        "Small": 6,
        "net": 9,
    }


@pytest.mark.parametrize(
    ("line", "text", "code"),
    [("", "INPUT ->", "E0"), ("1a", "FC", "E101"), ("class", "INPUT(2) -> FC(1)", "E101")],
)
def test_cells_show_what_is_wrong(line: str, text: str, code: str) -> None:
    """A cell with errors binds nothing and shows them."""
    shell = Shell()
    found = run_cell(shell, line, text)
    assert isinstance(found, Problems)
    assert code in repr(found)
    assert "<pre>" in found._repr_html_()
    assert shell.names == {}


def test_training_shows_live_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook each epoch redraws one display; in a terminal there is a bar as before."""
    pages: list[str] = []
    handle = SimpleNamespace(update=pages.append)

    def display(page: str, display_id: bool) -> Any:
        pages.append(page)
        return handle

    kernel = SimpleNamespace(kernel=object())
    shown = SimpleNamespace(HTML=str, display=display)
    assert not in_notebook()
    module = SimpleNamespace(get_ipython=lambda: kernel, display=shown)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    assert in_notebook()
    bar = training_progress()
    assert isinstance(bar, LiveCurves)
    bar.start(epochs=2, steps=1)
    for epoch in (1, 2):
        bar.epoch(Epoch(epoch, epoch, loss=1 / epoch).values())
    assert [page.count("<tr>") + page.count("<tr style") for page in pages] == [2, 3]


def test_a_real_notebook_takes_it() -> None:
    """IPython loads the extension and runs a cell."""
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell.instance()
    shell.run_line_magic("load_ext", "netc")
    shell.run_cell_magic("net", "mine", "INPUT(2) -> FC(1)")
    assert shell.user_ns["mine"].params == 3
    interactive.InteractiveShell.clear_instance()

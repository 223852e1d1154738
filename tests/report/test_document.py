"""The report's data: complete, harmless, and honest about what is left out."""

import gzip
import json
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import netc as command

import netc
from netc.compiler.emit.palette import THEMES
from netc.records import History, Run
from netc.report import to_html
from netc.report.document import packed
from netc.report.layers import highlighted
from netc.report.levels import dark_rules
from netc.report.pictures import themed
from netc.report.runs import curves

PLANE = "INPUT(2) -> FC(4) -> TANH -> FC(2) as out\ntrain { loss = cross_entropy, epochs = 2 }"


def _unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(b64decode(text)))


def _data(html: str) -> Any:
    found = re.search(r'<script type="text/plain" id="data">(.*?)</script>', html)
    assert found is not None
    return _unpacked(found[1])


@pytest.fixture(scope="module")
def trained() -> tuple[netc.Network, Run]:
    """A network of two inputs, and a run of it."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2)).astype(np.float32)
    net = netc.compile(PLANE)
    return net, net.train((x, (x[:, 0] > 0).astype(np.int64)))


def test_no_text_ends_the_data() -> None:
    """What is packed is base64, and reads as what it was, without what no page may hold."""
    text = '</script><!-- & \u2028 "quoted" \u05d0'
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", packed(text))
    assert _unpacked(packed(text)) == text
    assert _unpacked(packed("a\ud800b")) == "a\N{REPLACEMENT CHARACTER}b"
    assert packed(text) == packed(text)


def test_programs_keep_their_text() -> None:
    """Highlighting loses no character, and tells layers, words, numbers, strings and comments."""
    text = netc.load("zoo:lenet5").model.text
    lines = highlighted(text)
    assert "\n".join("".join(piece for _, piece in line) for line in lines) == text
    kinds = {kind for line in lines for kind, _ in line}
    assert kinds == {"", "comment", "keyword", "layer", "number", "string"}


def test_a_page_without_a_run() -> None:
    """Without weights there are no histograms and no run."""
    data = _data(to_html(netc.load("zoo:lenet5").model))
    assert data["run"] is None
    assert [row["weights"] for row in data["table"]["rows"]] == [[]] * 12
    assert data["table"]["rows"][1]["lines"] == [7, 7]
    assert data["table"]["rows"][1]["seen"]["field"] == [5, 5]
    assert max(live for _, live in data["memory"]) == netc.load("zoo:lenet5").summary().memory


def test_a_page_of_a_run(trained: tuple[netc.Network, Run]) -> None:
    """A run adds curves, a confusion matrix and histograms; what there is not is said."""
    net, run = trained
    data = _data(to_html(net.model, run=run))
    assert data["run"]["history"]["panels"][0]["title"] == "loss"
    assert len(data["run"]["history"]["epochs"]) == 2
    assert sum(sum(row) for row in data["run"]["confusions"][0]["counts"]) > 0
    assert any("filters left out" in note for note in data["run"]["notes"])
    assert [h["name"] for h in data["table"]["rows"][1]["weights"]] == ["fc1.weight", "fc1.bias"]


def test_levels_of_a_residual_network() -> None:
    """Levels go from the most folded to every layer, and one of them is shown first."""
    levels = _data(to_html(netc.load("zoo:resnet18").model))["levels"]
    assert levels[0]["name"] == "depth 1"
    assert levels[-1]["name"] == "every layer"
    assert sum("first" in level for level in levels) == 1


def test_the_command(tmp_path: Path) -> None:
    """`netc report` writes a file of the program's name, or the one that is asked for."""
    assert command("report", "zoo:lenet5", cwd=tmp_path) == (0, "wrote lenet5.html\n", "")
    assert (tmp_path / "lenet5.html").read_text("utf-8").startswith("<!doctype html>")
    found = command("report", "INPUT(2) -> FC(1)", "-o", "x.html", cwd=tmp_path)
    assert found.out == "wrote x.html\n"
    found = command("report", "zoo:lenet5", "--weights", "no.npz", cwd=tmp_path).failed()
    assert found.err.startswith("error[E001]")


@pytest.mark.parametrize("name", ["x.pdf", "x"])
def test_a_report_is_a_page(name: str, tmp_path: Path) -> None:
    """Only files that say they are HTML are written."""
    with pytest.raises(netc.NetError, match="E505"):
        netc.compile("INPUT(2) -> FC(1)").report(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_drawn_in_the_colours_of_the_page() -> None:
    """No styles are left, which the page forbids; the dark theme's rules find the ink."""
    svg = themed(
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><style>*{}</style>'
        '<path d="M0 0" style="fill: #1f2430; stroke-width: 2"/></svg>\n'
    )
    assert svg.endswith('<path d="M0 0" fill="#1f2430" stroke-width="2"/></svg>')
    assert "style" not in svg
    drawn_ink = f'[fill="{THEMES["light"].text}"]{{fill:{THEMES["dark"].text}}}'
    assert drawn_ink in dark_rules()


def test_a_run_without_a_test_part_shows_another() -> None:
    """What is left is measured and drawn: the validation part, or that of training."""
    x = np.random.default_rng(0).normal(size=(40, 1, 6, 6)).astype(np.float32)
    for split, part in (("(0.8, 0.2, 0)", "validation"), ("(1.0, 0, 0)", "train")):
        net = netc.compile(
            "INPUT(6x6x1) -> CONV(3x3, 4) -> RELU -> FC(2)\n"
            f"train {{ loss = cross_entropy, epochs = 1, split = {split} }}"
        )
        run = net.train((x, (x[:, 0, 0, 0] > 0).astype(np.int64)))
        found = _data(to_html(net.model, run=run))["run"]
        assert found["notes"] == []
        assert f", {part} part" in found["measured"]
        assert "feature maps of a sample" in [each["title"] for each in found["pictures"]]


def test_numbers_that_are_not_finite(trained: tuple[netc.Network, Run]) -> None:
    """They are gaps of curves, a curve of nothing else is left out, and weights say how many."""
    net, run = trained
    first, second = run.history.rows
    rows = [replace(first, loss=float("nan")), second]
    rows = [replace(row, val_loss=float("inf")) for row in rows]
    found = curves(History(rows))["panels"][0]["lines"]
    assert [(line["name"], line["values"]) for line in found] == [("loss", [None, second.loss])]
    weights = dict(net.initialize(seed=0))
    weights["fc1.bias"] = np.full_like(weights["fc1.bias"], np.nan)
    (kernel, bias) = _data(to_html(net.model, weights=weights))["table"]["rows"][1]["weights"]
    assert (kernel["broken"], sum(kernel["counts"])) == (0, 8)
    assert (bias["broken"], bias["counts"]) == (4, [])

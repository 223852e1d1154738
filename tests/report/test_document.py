"""The report's data: complete, harmless, and honest about what is left out."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import netc as command

import netc
from netc.records import Run
from netc.report import to_html
from netc.report.document import as_json
from netc.report.layers import highlighted

PLANE = "INPUT(2) -> FC(4) -> TANH -> FC(2) as out\ntrain { loss = cross_entropy, epochs = 2 }"


def _data(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def trained() -> tuple[netc.Network, Run]:
    """A network of two inputs, and a run of it."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2)).astype(np.float32)
    net = netc.compile(PLANE)
    return net, net.train((x, (x[:, 0] > 0).astype(np.int64)))


def test_no_text_ends_the_data() -> None:
    """JSON holds no `<`, `>` or `&`, nor what no page may hold, and reads as what it was."""
    text = '</script><!-- & \u2028 "quoted" \u05d0'
    assert not set("<>&\u2028") & set(as_json(text))
    assert json.loads(as_json(text)) == text
    assert json.loads(as_json("a\ud800b")) == "a\N{REPLACEMENT CHARACTER}b"


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
    found = command("report", "zoo:lenet5", "--weights", "no.npz", cwd=tmp_path)
    assert found.status == 1
    assert found.err.startswith("error[E001]")

"""What `repr` shows of public records: a line, or a short report or table, never their insides."""

from typing import Any

import pytest
from support.refusals import failure_of

import netc

DIGITS = "INPUT(64) -> FC(10)\ntrain { data = digits\n optimizer = sgd(lr=0.1)\n epochs = 1 }\n"


@pytest.fixture(scope="module")
def run() -> Any:
    """A short run on digits."""
    return netc.compile(DIGITS).train()


def test_a_network() -> None:
    """The name, the counts and both ends, in one line; large networks are as short as small."""
    assert repr(netc.load("zoo:lenet5")) == (
        "<Network LeNet5: 12 layers, 61,706 parameters, "
        "input float32 (N, 1, 32, 32) -> output float32 (N, 10)>"
    )
    assert len(repr(netc.load("zoo:resnet50"))) < 150


def test_tables() -> None:
    """Summaries and diffs show as they print."""
    lenet, small = netc.load("zoo:lenet5"), netc.compile("INPUT(2) -> FC(1)")
    assert repr(lenet.summary()) == str(lenet.summary())
    assert repr(netc.diff(lenet, small)) == str(netc.diff(lenet, small))


def test_a_run(run: Any) -> None:
    """A run is a report of three lines."""
    head, last, test = repr(run).splitlines()
    assert head == "Run of chain on `digits`: 1 epoch, the best is 1"
    assert last.startswith("  last: epoch 1  step 45  loss ")
    assert f"  test: loss {run.test['loss']:.4g}" in test


def test_records_are_short(run: Any) -> None:
    """Every record that a network or a run leads to fits on a line and names what it is of."""
    net = netc.load("zoo:resnet50")
    logits = net.graph.outputs["output"]
    records: list[tuple[object, str]] = [
        (net.model, "ResNet50"),
        (net.graph, "ResNet50"),
        (net.backward(), "ResNet50"),
        (net.counts, "25,557,032"),
        (net.layers[1], "CONV"),
        (net.inputs[0], "224"),
        (net.initialize(), "weights"),
        (logits, "float32[N, 1000]"),
        (net.graph.producer(logits), "Gemm"),
        (run.job, "digits"),
        (run.job.data, "1,797 samples"),
        (run.history, "loss"),
        (netc.Adam(lr=0.1), "adam(lr=0.1"),
    ]
    for record, part in records:
        shown = repr(record)
        assert part in shown
        assert "\n" not in shown
        assert len(shown) < 200, shown
    recipe = repr(netc.compile(DIGITS).recipe)
    assert "optimizer = sgd(lr=0.1)" in recipe
    assert len(recipe) < 400


def test_an_error() -> None:
    """An error shows its message."""
    caught = failure_of(netc.compile, "INPUT -> FCC(3)")
    assert "unknown layer `FCC`" in repr(caught)
    assert len(repr(caught)) < 250


def test_diagnostics_and_extents() -> None:
    """A diagnostic and its span show their place; an extent shows its formula."""
    found = failure_of(netc.compile, "INPUT -> FCC(3)").diagnostics[0]
    assert repr(found) == f"<Diagnostic {found.code} at <chain>:1:10: {found.message}>"
    assert repr(found.span) == "<Span <chain>:1:10>"
    output = netc.compile("INPUT((H, W, 3)) -> CONV(3x3, 8, stride=2)").graph.outputs["output"]
    assert repr(output.shape) == "(N, 8, (H + 1)//2, (W + 1)//2)"

"""What a loss takes of a network's output, and pairs that are refused."""

from typing import Any

import numpy as np
import pytest
from support.losses import term
from support.refusals import failure_of, refusal

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.verify import verify
from netc.compiler.passes.rewrite import rewrite
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.output_fit import (
    check_losses,
    each_loss,
    fit,
    target_type,
    target_types,
    total_loss,
)
from netc.compiler.training.terms import Term
from netc.grammar.source import Source, Span
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array


def loss_of(text: str, losses: dict[str, Term], feeds: dict[str, Array], **weights: float) -> float:
    """The total loss of a network without weights, in float64; targets are fed as `t.<output>`."""
    graph = rewrite(netc.compile(text).graph, {})
    build = Builder(graph)
    targets = {}
    for name, loss in losses.items():
        given = feeds[f"t.{name}"]
        type = target_type(graph, graph.outputs[name], loss, rank=given.ndim)
        targets[name] = build.input(f"t.{name}", type)
    value = total_loss(build, each_loss(build, graph.outputs, targets, losses), weights)
    graph.outputs = {"loss": value}
    verify(graph)
    return float(run(plan(graph, dtype="float64"), feeds, {})["loss"])


def reference(logits: Array, target: Array) -> float:
    """The cross entropy of logits whose classes come second."""
    shifted = logits - logits.max(1, keepdims=True)
    predicted = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return float(-np.take_along_axis(predicted, target[:, None], 1).mean())


VECTORS = ["INPUT(5)", "INPUT(5) -> SOFTMAX", "INPUT(5) -> LOGSOFTMAX"]


@pytest.mark.parametrize("text", VECTORS)
def test_cross_entropy_takes_logits(text: str) -> None:
    """Logits, SOFTMAX and LOGSOFTMAX give the same loss, and none overflows."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1e3, (4, 5))
    t = random.integers(0, 5, 4)
    found = loss_of(text, {"output": term("cross_entropy")}, {"input": logits, "t.output": t})
    assert found == pytest.approx(reference(logits, t), rel=1e-12)


@pytest.mark.parametrize("last", ["", " -> SOFTMAX", " -> LOGSOFTMAX"])
def test_classes_of_sequences_and_images(last: str) -> None:
    """The classes are the channels: the last axis of sequences, the first of images."""
    random = np.random.default_rng(1)
    losses = {"output": term("cross_entropy")}
    x, t = random.normal(0, 9, (2, 6, 5)), random.integers(0, 5, (2, 6))
    found = loss_of(f"INPUT(6x5, sequence){last}", losses, {"input": x, "t.output": t})
    assert found == pytest.approx(reference(x.transpose(0, 2, 1), t), rel=1e-12)
    x, t = random.normal(0, 9, (2, 5, 3, 4)), random.integers(0, 5, (2, 3, 4))
    found = loss_of(f"INPUT(3x4x5){last}", losses, {"input": x, "t.output": t})
    assert found == pytest.approx(reference(x, t), rel=1e-12)


def test_moved_probabilities() -> None:
    """Reshapes and transposes between SOFTMAX and the output are done to the logits, too."""
    random = np.random.default_rng(2)
    losses = {"output": term("cross_entropy")}
    x, t = random.normal(0, 1e3, (3, 5, 1, 1)), random.integers(0, 5, 3)
    found = loss_of("INPUT(1x1x5) -> SOFTMAX -> FLATTEN", losses, {"input": x, "t.output": t})
    assert found == pytest.approx(reference(x[..., 0, 0], t), rel=1e-12)
    x, t = random.normal(0, 1e3, (3, 5, 2, 4)), random.integers(0, 5, (3, 4, 2))
    text = "INPUT(2x4x5) -> SOFTMAX -> PERMUTE((width, height, channels))"
    found = loss_of(text, losses, {"input": x, "t.output": t})
    assert found == pytest.approx(reference(x.transpose(0, 1, 3, 2), t), rel=1e-12)


def test_classes_on_another_axis() -> None:
    """Where SOFTMAX ran over another axis than the channels, its classes are on that axis."""
    text = 'INPUT(6x5, sequence) -> op("Softmax", axis=1)'
    graph = netc.compile(text).graph
    loss = term("cross_entropy")
    types = target_types(graph, graph.outputs["output"], loss)
    assert [str(type) for type in types] == ["int64[N, 5]", "float32[N, 6, 5]"]
    random = np.random.default_rng(3)
    x, t = random.normal(0, 9, (2, 6, 5)), random.integers(0, 6, (2, 5))
    found = loss_of(text, {"output": loss}, {"input": x, "t.output": t})
    assert found == pytest.approx(reference(x, t), rel=1e-12)


@pytest.mark.parametrize("text", ["INPUT(3)", "INPUT(3) -> SIGMOID"])
def test_binary_cross_entropy_takes_logits(text: str) -> None:
    """Logits and SIGMOID give the same loss, and neither overflows."""
    x, t = np.array([[1e4, -2.0, -1e4]]), np.array([[1.0, 0.0, 1.0]])
    losses = {"output": term("binary_cross_entropy")}
    found = loss_of(text, losses, {"input": x, "t.output": t})
    assert found == pytest.approx((np.log1p(np.exp(-2.0)) + 1e4) / 3, rel=1e-14)


def test_several_outputs() -> None:
    """The losses of several outputs are weighed and added up."""
    text = "INPUT(4) as x\noutput cls = x -> SOFTMAX\noutput box = x -> TANH"
    random = np.random.default_rng(4)
    feeds = {
        "x": random.normal(0, 1, (6, 4)),
        "t.cls": random.integers(0, 4, 6),
        "t.box": random.normal(0, 1, (6, 4)),
    }
    losses = {"cls": term("cross_entropy"), "box": term("mse")}
    cls = reference(feeds["x"], feeds["t.cls"])
    box = float(np.mean((np.tanh(feeds["x"]) - feeds["t.box"]) ** 2))
    assert loss_of(text, losses, feeds) == pytest.approx(cls + box, rel=1e-13)
    assert loss_of(text, losses, feeds, box=0.5) == pytest.approx(cls + box / 2, rel=1e-13)


def test_outputs_without_a_loss() -> None:
    """An output that has no loss takes no part."""
    text = "INPUT(4) as x\noutput a = x -> TANH\noutput b = x -> RELU"
    feeds = {"x": np.ones((2, 4)), "t.a": np.zeros((2, 4))}
    found = loss_of(text, {"a": term("mae")}, feeds)
    assert found == pytest.approx(np.tanh(1.0), rel=1e-14)


REFUSED = {
    ("RELU", "cross_entropy"): "end in `SOFTMAX`, or in a layer without an activation",
    ("TANH", "cross_entropy"): "end in `SOFTMAX`, or in a layer without an activation",
    ("SWISH", "cross_entropy"): "end in `SOFTMAX`, or in a layer without an activation",
    ("RELU6", "cross_entropy"): "end in `SOFTMAX`, or in a layer without an activation",
    ("SIGMOID", "cross_entropy"): "use `binary_cross_entropy` for classes that are not mutually"
    " exclusive, or end in `SOFTMAX`",
    ("DROPOUT", "cross_entropy"): "put the `DROPOUT` before the last layer that has weights",
    ("SOFTMAX", "binary_cross_entropy"): "use `cross_entropy` for mutually exclusive classes,"
    " or end in `SIGMOID`",
    ("LOGSOFTMAX", "binary_cross_entropy"): "use `cross_entropy` or `nll`, or end in `SIGMOID`",
    ("TANH", "binary_cross_entropy"): "end in `SIGMOID`, or in a layer without an activation",
    ("SOFTMAX", "nll"): "end in `LOGSOFTMAX`, or use `cross_entropy`, which takes `SOFTMAX`",
    ("RELU", "nll"): "it takes log-probabilities: end in `LOGSOFTMAX`, or use `cross_entropy`",
    ("SOFTMAX", "hinge"): "it takes scores: remove the `SOFTMAX`, or use `cross_entropy`",
    ("LOGSOFTMAX", "hinge"): "it takes scores: remove the `LOGSOFTMAX`, or use `nll`",
    ("SIGMOID", "hinge"): "it takes scores: remove the `SIGMOID`, or use `binary_cross_entropy`",
    ("RELU", "hinge"): "it takes unbounded numbers: end in a layer without an activation, such as"
    " `FC` or `CONV`",
}


@pytest.mark.parametrize(("last", "loss"), REFUSED)
def test_refused(last: str, loss: str) -> None:
    """An output layer that does not fit the loss is an error that says what to do."""
    graph = netc.compile(f"INPUT(4) -> FC(3) -> {last}").graph
    assert refusal(check_losses, graph, {"output": term(loss)}) == (
        f"error[E132]: the output `output` ends in `{last}`, which `{loss}` does not take\n"
        "  --> <chain>:1:22\n"
        "   |\n"
        f" 1 | INPUT(4) -> FC(3) -> {last}\n"
        f"   |                      {'^' * len(last)}\n"
        "   |\n"
        f"   = help: {REFUSED[last, loss]}"
    )


def test_both_places() -> None:
    """Where the loss stands in a program, it is pointed at, and the layer is the second culprit."""
    text = "loss = cross_entropy"
    source = Source("train.net", text)
    loss = Term("loss", "cross_entropy", {}, Span(source, 7, len(text)))
    graph = netc.compile("INPUT(4) -> FC(3) -> RELU").graph
    assert refusal(check_losses, graph, {"output": loss}) == (
        "error[E132]: the output `output` ends in `RELU`, which `cross_entropy` does not take\n"
        "  --> train.net:1:8\n"
        "   |\n"
        " 1 | loss = cross_entropy\n"
        "   |        ^^^^^^^^^^^^^\n"
        "  ::: <chain>:1:22\n"
        "   |\n"
        " 1 | INPUT(4) -> FC(3) -> RELU\n"
        "   |                      ---- the output's last layer\n"
        "   |\n"
        "   = help: end in `SOFTMAX`, or in a layer without an activation"
    )


@pytest.mark.parametrize(
    ("text", "loss", "message", "help"),
    [
        (
            "INPUT(4) -> FC(1)",
            "cross_entropy",
            "the output `output` has one channel: 1, which `cross_entropy` does not take",
            "the probability of a single class is always 1: use `binary_cross_entropy`, or a"
            " channel for each class",
        ),
        (
            "INPUT(4, dtype=int64) -> ID",
            "mse",
            "the output `output` holds int64: 4, which `mse` does not take",
            "a loss takes real numbers",
        ),
        (
            "INPUT((H, W, C))",
            "hinge",
            "the output `output` has as many channels as its input: H x W x C, which `hinge` does"
            " not take",
            "give the channels as a number",
        ),
        (
            "INPUT(2x3x4) -> SOFTMAX -> FLATTEN",
            "cross_entropy",
            "the output `output` ends in `SOFTMAX`, which `cross_entropy` does not take",
            "its classes are no longer an axis of the output: reshape before the `SOFTMAX`",
        ),
    ],
)
def test_shapes_that_no_target_fits(text: str, loss: str, message: str, help: str) -> None:
    """Outputs that hold no classes, or only one, have no cross entropy."""
    failure = failure_of(check_losses, netc.compile(text).graph, {"output": term(loss)})
    (found,) = failure.diagnostics
    assert (found.code, found.message, found.help) == ("E132", message, help)


def test_all_outputs_are_checked() -> None:
    """Each output that does not fit, or is not there, has a diagnostic of its own."""
    graph = netc.compile("INPUT(4) as x\noutput a = x -> RELU\noutput b = x -> TANH").graph
    losses = {"a": term("cross_entropy"), "b": term("mse"), "c": term("mse")}
    failure = failure_of(check_losses, graph, losses)
    assert [d.message for d in failure.diagnostics] == [
        "the output `a` ends in `RELU`, which `cross_entropy` does not take",
        "there is no output `c` for `mse`",
    ]
    assert failure.diagnostics[1].help == "the outputs are `a`, `b`"


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_fits_some_output(loss: str) -> None:
    """No loss is without an output that it takes without a word."""
    last = {"nll": "LOGSOFTMAX", "dice": "SIGMOID"}.get(loss, "ID")
    assert (
        check_losses(netc.compile(f"INPUT(4) -> FC(3) -> {last}").graph, {"output": term(loss)})
        == ()
    )


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log_cosh"])
def test_differences_of_probabilities(loss: str) -> None:
    """Differences of SOFTMAX's probabilities are allowed, with a warning; SIGMOID's are fine."""
    graph = netc.compile("INPUT(4) -> FC(3) -> SOFTMAX").graph
    (warning,) = check_losses(graph, {"output": term(loss)})
    assert warning.code == "W110"
    assert warning.message == (
        f"`{loss}` on `SOFTMAX` learns slowly where the output `output` is wrong"
    )
    graph = netc.compile("INPUT(4) -> FC(3) -> SIGMOID").graph
    assert check_losses(graph, {"output": term(loss)}) == ()


@pytest.mark.parametrize(
    ("text", "loss", "rank", "real", "expected"),
    [
        ("INPUT(5)", "cross_entropy", 1, False, "int64[N]"),
        ("INPUT(5)", "cross_entropy", 2, True, "float32[N, 5]"),
        ("INPUT(5)", "cross_entropy", 2, False, "float32[N, 5]"),
        ("INPUT(1)", "binary_cross_entropy", 1, False, "float32[N]"),
        ("INPUT(1)", "hinge", 1, False, "float32[N]"),
        ("INPUT(5)", "hinge", 1, False, "int64[N]"),
        ("INPUT(8x8x5)", "cross_entropy", 3, False, "int64[N, 8, 8]"),
        ("INPUT(5)", "cross_entropy", None, False, "int64[N]"),
    ],
)
def test_target_of_data(text: str, loss: str, rank: Any, real: bool, expected: str) -> None:
    """The rank of a data set's targets, and whether they are integers, say how they are fed."""
    graph = netc.compile(text).graph
    type = target_type(graph, graph.outputs["output"], term(loss), rank=rank, real=real)
    assert str(type) == expected


def test_target_that_fits_not() -> None:
    """Targets of another rank are refused, and the message names what is taken."""
    graph = netc.compile("INPUT(5)").graph
    failure = refusal(
        target_type, graph, graph.outputs["output"], term("cross_entropy"), rank=1, real=True
    )
    assert failure == (
        "error[E133]: the target of `output` has real numbers on 1 axis, which `cross_entropy`"
        " does not take\n"
        "  = note: it takes int64[N] or float32[N, 5]\n"
        "  = help: give class indices as integers, one for each position: `0` and not `0.0`,"
        " `t.astype(int)`; or numbers in the output's shape"
    )


def test_fusing_leaves_the_graph_alone() -> None:
    """A look at how an output fits appends nothing; only its value does."""
    graph: Graph = netc.compile("INPUT(1x1x5) -> SOFTMAX -> FLATTEN").graph
    before = len(graph)
    found = fit(graph, graph.outputs["output"], term("cross_entropy"))
    assert (found.fused, found.axis, len(graph)) == (True, 1, before)

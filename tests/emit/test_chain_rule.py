"""Pictures of the chain rule: what is drawn, and which numbers stand on the arrows."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import netc
from netc.chain_rules import spell_array
from netc.compiler.emit.chain_rule import differentiate
from netc.drawing import to_picture_text


def labels(dot: str) -> str:
    """The picture's text with its labels in plain characters."""
    return _plain(dot).replace("<BR/>", " ")


def _plain(text: str) -> str:
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{MULTIPLICATION SIGN}", "x")


def picture(spec: str, inputs: Mapping[str, list[list[float]]]) -> str:
    """The chain rule of a shipped spec with the numbers of an input."""
    network = netc.load(f"zoo:{spec}")
    arrays = {name: np.array(rows, np.float32) for name, rows in inputs.items()}
    return labels(to_picture_text(network.model, style="backward", inputs=arrays))


def test_the_product() -> None:
    """Of z = x y at (-2, 3) the gradients are the other factors: dz/dx = 3, dz/dy = -2."""
    dot = picture("product", {"x": [[-2.0]], "y": [[3.0]]})
    boxes = re.findall(r"n\d+ \[label=<(.)>, fillcolor=\"(#\w+)\"", dot)
    assert [sign for sign, _ in boxes] == ["x"] * 3
    assert len({colour for _, colour in boxes}) == 2  # forward and backward
    assert re.search(r"n\d+ -> value \[label=<-6>\]", dot)
    assert re.search(r"g0 -> n\d+ \[label=<3>, dir=back", dot)
    assert re.search(r"g1 -> n\d+ \[label=<-2>, dir=back", dot)
    assert "∂z/∂x" in dot
    assert "∂z/∂y" in dot
    assert len(re.findall("style=dashed", dot)) == 2  # each factor is read on the way back


def test_the_chain() -> None:
    """Of f = (2 / x)^2 at x = 2 the factors are df/du = 2, du/dv = 2, dv/dx = -1/4; f' = -1."""
    dot = picture("chain_rule", {"x": [[2.0]]})
    assert "∂f/∂u 2" in dot
    assert "∂f/∂v 4" in dot
    assert re.search(r"g0 -> n\d+ \[label=<-1>, dir=back", dot)


def test_two_sigmoid_layers() -> None:
    """The lectures' example: log loss on two sigmoid layers, dL/dz = y - 1."""
    dot = picture("two_sigmoid_layers", {"x": [[1.0, -2.0]]})
    assert "y 0.702" in dot
    assert "∂L/∂z -0.298" in dot
    assert "∂L/∂a [-0.0269, 0.0135]" in dot
    for name in ("x", "a.weight", "a.bias", "z.weight", "z.bias"):
        assert f"<∂L/∂{name}>" in dot


def test_extents_without_an_input() -> None:
    """Without numbers the arrows say extents, the batch as N."""
    dot = labels(to_picture_text(netc.load("zoo:relu_layer").model, style="backward"))
    assert "Nx3" in dot
    assert "max(0, x)" in dot


def test_a_loss() -> None:
    """With a loss, the target is an input, and the loss is what is differentiated."""
    model = netc.compile("INPUT(3) -> FC(2) -> SOFTMAX").model
    dot = to_picture_text(
        model,
        style="backward",
        loss="cross_entropy",
        inputs={"input": np.ones((1, 3), np.float32)},
        targets={"output": np.array([1])},
        state={"fc1.weight": np.zeros((2, 3), np.float32), "fc1.bias": np.zeros(2, np.float32)},
    )
    assert re.search(r"n\d+ -> value \[label=<0.693>\]", dot)
    assert "∂loss/∂fc1.weight" in dot


def drawn(program: str, **chain_rule: Any) -> str:
    """The chain rule of a program, in plain characters."""
    return labels(to_picture_text(netc.compile(program).model, style="backward", **chain_rule))


def boxes(dot: str) -> list[str]:
    """What stands in the boxes of operators."""
    return re.findall(r"n\d+ \[label=<([^>]*)>, fillcolor", dot)


X = np.array([[1.0, -2.0, 0.5]], np.float32)
EYE = {"fc1.weight": np.eye(2, 3, dtype=np.float32), "fc1.bias": np.zeros(2, np.float32)}
YES = {"output": np.array([[1.0, 0.0]], np.float32)}


@pytest.mark.parametrize(
    ("chain", "loss", "target", "formula", "gradient"),
    [
        ("", "cross_entropy", np.array([1]), "-1/N ∑ t log p", "(p - t) / N"),
        (" -> SOFTMAX", "cross_entropy", np.array([1]), "-1/N ∑ t log p", "(p - t) / N"),
        (
            *(" -> SIGMOID", "binary_cross_entropy", np.array([[1.0, 0.0]], np.float32)),
            *("-1/n ∑ (t log p + (1 - t) log(1 - p))", "(p - t) / n"),
        ),
        (" -> SOFTMAX", "kl_divergence", YES["output"], "1/N ∑ t log(t / p)", "(p - t) / N"),
        (" -> LOGSOFTMAX", "nll", np.array([0]), "-1/N ∑ t y", "-t / N"),
        ("", "mse", np.ones((1, 2), np.float32), "1/n ∑ (y - t)²", "2 (y - t) / n"),
        ("", "mse(half=yes)", np.ones((1, 2), np.float32), "1/2N ∑ (y - t)²", "(y - t) / N"),
        ("", "mae", np.ones((1, 2), np.float32), "1/n ∑ |y - t|", "sign(y - t) / n"),
        (
            "",
            "huber(2)",
            np.ones((1, 2), np.float32),
            "1/n ∑ huber(y - t, δ=2)",
            "clip(y - t, ±2) / n",
        ),
        (
            *("", "log_cosh", np.ones((1, 2), np.float32)),
            *("1/n ∑ log cosh(y - t)", "tanh(y - t) / n"),
        ),
        (
            *("", "hinge", np.ones((1, 2), np.float32)),
            *("1/n ∑ max(0, 1 - t y)", "-t / n where t y &lt; 1"),
        ),
        (
            *("", "hinge(2)", np.array([0])),
            *("1/n ∑ max(0, 2 - y[t] + y[i]), i ≠ t",),
            *("1 / n where 2 - y[t] + y[i] &gt; 0, at t minus their sum",),
        ),
        (
            *("", "cross_entropy(label_smoothing=0.1)", np.array([1])),
            *("-1/N ∑ ((1 - 0.1) t + 0.1 / C) log p", "(p - ((1 - 0.1) t + 0.1 / C)) / N"),
        ),
    ],
)
def test_losses_are_formulas(
    chain: str, loss: str, target: np.ndarray[Any, Any], formula: str, gradient: str
) -> None:
    """A loss is one box with its formula, and one with the formula's derivative on the way back."""
    found = boxes(
        drawn(
            f"INPUT(3) -> FC(2){chain}",
            loss=loss,
            inputs={"input": X},
            targets={"output": target},
            state=EYE,
        )
    )
    assert found.count(formula) == 1
    assert found.count(gradient) == 1
    plumbing = {"IsNaN", "Where", "GatherElements", "Not", "Unsqueeze", "= -100", "LogSoftmax"}
    assert not plumbing & set(found)


def test_cross_entropy_shows_p() -> None:
    """With weights of 1 the logits are (1, -2), and p = softmax is (0.953, 0.0474): p - t."""
    dot = drawn(
        "INPUT(3) -> FC(2)",
        loss="cross_entropy",
        inputs={"input": X},
        targets={"output": np.array([1])},
        state=EYE,
    )
    assert "p [0.953, 0.0474]" in dot
    assert "t 1" in dot
    assert "∂loss/∂y [0.953, -0.953]" in dot
    assert "softmax" in boxes(dot)


def test_masks_are_told_where_they_are_in_use() -> None:
    """Targets that are not known are spoken of only where there are some."""
    known = {"loss": "mse", "inputs": {"input": X}, "state": EYE}
    partly = {"output": np.array([[1.0, np.nan]], np.float32)}
    assert "1/n ∑ (y - t)², where t is known" in boxes(
        drawn("INPUT(3) -> FC(2)", targets=partly, **known)
    )
    assert "1/n ∑ (y - t)²" in boxes(drawn("INPUT(3) -> FC(2)", targets=YES, **known))


def test_several_losses_have_a_formula_each() -> None:
    """The loss of each output has its own boxes; p bears the output's name."""
    dot = drawn(
        "a = INPUT(3) -> RELU\nb = a -> FC(2)\nc = a -> FC(1)\noutput cls = b\noutput box = c",
        loss={"cls": "cross_entropy", "box": "mse"},
    )
    assert {"-1/N ∑ t log p", "(p - t) / N", "1/n ∑ (y - t)²", "2 (y - t) / n"} <= set(boxes(dot))
    assert "p.cls" in dot


def test_inputs_and_their_gradients_have_one_name() -> None:
    """An input that is bound to a name bears it, as its gradient does."""
    dot = drawn("x = INPUT(2)\ny = INPUT(2)\n( x | y ) -> MUL as f")
    assert {"<B>x</B>", "<B>y</B>"} <= set(re.findall("<B>.</B>", dot))
    assert {"∂f/∂x", "∂f/∂y"} <= set(re.findall("∂f/∂[xy]", dot))
    assert "input" not in dot


def test_frozen_weights_have_no_gradient() -> None:
    """What is not trained ends no arrow, and neither does a target."""
    dot = drawn("INPUT(3) -> FC(2, frozen=yes) -> FC(1)", loss="mse")
    assert "∂loss/∂fc2.weight" in dot
    assert "∂loss/∂fc1.weight" not in dot
    assert "∂loss/∂target" not in dot


def test_an_addition_names_both_ways() -> None:
    """Of f = a + b one arrow back is df/da, the other df/db, and zero has no sign."""
    dot = drawn(
        "INPUT(1) as x\nINPUT(1) as y\na = ( x | y ) -> MUL\nb = y -> SQUARE\nf = ( a | b ) -> ADD",
        inputs={"x": np.array([[2.0]], np.float32), "y": np.array([[-0.0]], np.float32)},
    )
    assert "∂f/∂a 1" in dot
    assert "∂f/∂b 1" in dot
    assert "-0" not in dot


SLOPES = {"y.weight": np.full(3, 0.25, np.float32)}


@pytest.mark.parametrize(
    ("layer", "value", "gradients"),
    [
        ("RELU", "max(0, x)", ["g if x &gt; 0, else 0"]),
        ("RELU6", "max(0, min(6, x))", ["g if 0 ≤ x ≤ 6, else 0"]),
        ("LRELU(0.2)", "x if x &gt; 0, else 0.2 x", ["g if x &gt; 0, else 0.2 g"]),
        (
            *("PRELU", "x if x &gt; 0, else a x"),
            ["g if x &gt; 0, else a g", "∑ g min(0, x)"],
        ),
        ("ELU", "x if x &gt; 0, else exp x - 1", ["g if x &gt; 0, else (y + 1) g"]),
        ("ELU(2)", "x if x &gt; 0, else 2 (exp x - 1)", ["g if x &gt; 0, else (y + 2) g"]),
        (
            *("SELU", "1.05 x if x &gt; 0, else 1.76 (exp x - 1)"),
            ["1.05 g if x &gt; 0, else (y + 1.76) g"],
        ),
        (
            *("CELU(2)", "x if x &gt; 0, else 2 (exp(x / 2) - 1)"),
            ["g if x &gt; 0, else (y / 2 + 1) g"],
        ),
        ("GELU", "x Φ(x)", ["g (Φ(x) + x φ(x))"]),
        ("MISH", "x t, t = tanh log(1 + exp x)", ["(t + x (1 - t²) sigmoid x) g"]),
        ("SOFTPLUS", "log(1 + exp x)", ["g sigmoid x"]),
        ("SOFTSIGN", "x / (1 + |x|)", ["g / (1 + |x|)²"]),
        ("HARDSIGMOID", "clip(0.167 x + 0.5, 0 to 1)", ["0.167 g if 0 &lt; y &lt; 1, else 0"]),
        ("ABS", "|x|", ["g sign x"]),
        (
            *("LN", "w z + b, z = (x - mean) / std"),
            ["(h - mean h - z mean h z) / std, h = w g", "∑ g z", "∑ g"],
        ),
        ("BN", "w z + b, z = (x - mean) / std", ["w g / std", "∑ g z", "∑ g"]),
        ("BN(affine=no)", "(x - mean) / std", ["g / std"]),
        ("REDUCE(mean)", "mean", ["g / n"]),
        ("REDUCE(prod)", "product", ["g y / x"]),
    ],
)
def test_rules_are_formulas(layer: str, value: str, gradients: list[str]) -> None:
    """A layer is one box, and each of its gradients one on the way back."""
    found = boxes(drawn(f"INPUT(3) -> {layer}"))
    assert sorted(found) == sorted([value, *gradients])


@pytest.mark.parametrize(
    ("layer", "forward", "back"),
    [
        ("CONV(3x3, 2)", "w * x + b", ["w * g, transposed", "x * g", "∑ g"]),
        ("CONV(3x3, 2, bias=no)", "w * x", ["w * g, transposed", "x * g"]),
        ("UPCONV(2x2, 2)", "w * x, transposed + b", ["w * g", "g * x", "∑ g"]),
        ("POOL", "max in each window", ["g at each maximum"]),
        ("POOL(avg)", "mean in each window", ["g / n in each window"]),
        ("GAP", "mean", ["g / n"]),
    ],
)
def test_rules_of_pictures_are_formulas(layer: str, forward: str, back: list[str]) -> None:
    """Convolutions and pools are formulas; what else is drawn only moves numbers."""
    found = boxes(drawn(f"INPUT(4x4x1) -> {layer}"))
    assert set(found) - {"reshape", "flatten", "squeeze"} == {forward, *back}


def test_numbers_of_a_rule() -> None:
    """At (-2, 0, 3) with slopes of 1/4, PRELU's gradient is (1/4, 1/4, 1), and -2 by the first."""
    dot = drawn(
        "INPUT(3) -> PRELU as y",
        inputs={"input": np.array([[-2.0, 0.0, 3.0]], np.float32)},
        state=SLOPES,
    )
    assert re.search(r"g\d+ -> n\d+ \[label=<\[0.25, 0.25, 1\]>", dot)
    assert re.search(r"g\d+ -> n\d+ \[label=<\[-2, 0, 0\]>", dot)


def test_a_rule_reads_what_its_own_gradient_takes() -> None:
    """PRELU's gradient by x reads slopes and x, that by the slopes reads x alone."""
    dot = drawn("INPUT(3) -> PRELU as y")
    (by_x,) = re.findall(r"n(\d+) \[label=<g if", dot)
    (by_slope,) = re.findall(r"n(\d+) \[label=<∑ g min", dot)
    dashed = re.findall(r"n\d+ -> n(\d+) \[style=dashed", dot)
    assert (dashed.count(by_x), dashed.count(by_slope)) == (2, 1)


def test_an_embedding_is_a_formula() -> None:
    """Rows are looked up, and their gradients are added up where they came from."""
    found = boxes(drawn("INPUT(4, dtype=int64) -> EMBED(10, 3) -> FC(2)", loss="mse"))
    assert {"x[i]", "∑ g at each i"} <= set(found)
    assert not {"scatter elements", "copy"} & set(found)


def test_an_addition_of_several_names_no_other_derivative() -> None:
    """The arrow that ends in df/dy is not called that of the sum, which it passes on."""
    dot = drawn("INPUT(1) as x\nINPUT(1) as y\n( x | y | x ) -> ADD as z")
    labels_at_ends = re.findall(r"g\d+ -> \w+ \[label=<([^>]*)>", dot)
    assert labels_at_ends == ["Nx1", "Nx1"]


@pytest.mark.parametrize(
    ("penalty", "formulas"),
    [
        ("l2(0.1)", ["0.1/2 ∑ w²", "0.1 w"]),
        ("l1(0.1)", ["0.1 ∑ |w|", "0.1 sign w"]),
        ("[l1(0.1), l2(0.2)]", ["0.1 ∑ |w|", "0.2/2 ∑ w²", "0.1 sign w", "0.2 w"]),
        ("l2(0.2, biases=yes)", ["0.2/2 ∑ w²", "0.2 w"]),
    ],
)
@pytest.mark.parametrize("layers", ["FC(2)", "FC(4) -> TANH -> FC(2)"])
def test_penalties_are_formulas(layers: str, penalty: str, formulas: list[str]) -> None:
    """A penalty is one box for all weights, and its derivative one on the way back."""
    dot = drawn(f"INPUT(3) -> {layers}\ntrain {{ loss = mse, regularize = {penalty} }}")
    found = boxes(dot)
    assert [found.count(formula) for formula in formulas] == [1] * len(formulas)
    assert not {"Unsqueeze", "copy", "0 or 1", "&gt; 0", "|x|"} & set(found)
    arrows = re.findall(r"(n\d+ -> n\d+) \[label=\S+, dir=back", dot)
    assert len(arrows) == len(set(arrows))


@pytest.mark.parametrize("of", [None, "z"])
def test_any_value_is_drawn(of: str | None) -> None:
    """`of` names what is differentiated; without it, that is the output."""
    program = "INPUT(1) as x\nINPUT(1) as y\nz = ( x | y ) -> MUL\nf = ( z | x ) -> ADD"
    text = drawn(program, of=of)
    assert f"∂{of or 'f'}/∂x" in text
    assert ("∂z/∂z" in text) == (of == "z")


def test_what_has_no_gradient() -> None:
    """A step has no chain rule, and the error says so."""
    with pytest.raises(netc.NetError, match="no gradient passes through"):
        differentiate(netc.load("zoo:xor").graph)


def test_numbers_and_layers_do_not_mix(tmp_path: object) -> None:
    """Numbers stand on the chain rule's arrows only."""
    with pytest.raises(netc.NetError, match="in the format `dot` takes no `inputs`"):
        netc.load("zoo:product").draw(f"{tmp_path}/p.dot", inputs={})


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([[0.5]], "0.5"),
        ([[1.0, -2.0]], "[1, -2]"),
        ([[1.0, 2.0], [3.0, 4.0]], "[1, 2; 3, 4]"),
        ([[1e-7]], "1e-07"),
        ([[0.0] * 5], "1x5"),
    ],
)
def test_spelled_arrays(numbers: list[list[float]], text: str) -> None:
    """Few numbers are written out, rows apart; of many the extents."""
    assert _plain(spell_array(np.array(numbers))) == text

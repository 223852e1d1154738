"""Pictures of layers: the numbers in them are the network's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.figures import Figures

import netc
from netc import show
from netc.compiler.analysis.receptive_fields import receptive_fields, seen_by
from netc.records import Run
from netc.show.layers import activation_curves, weights_of_layers

Trained = tuple[netc.Network, Run]


def test_filters_are_the_weights(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Each filter is a grey picture of its kernel: grey is 0, its largest |w| black or white."""
    net, run = digits
    show.filters(net, tmp_path / "f.svg", run=run)
    kernels = run.state["conv.weight"]
    assert len(figures.images()) == len(kernels) == 4
    for pixels, (kernel,) in zip(figures.images(), kernels, strict=True):
        expected = 0.5 + 0.5 * kernel / np.abs(kernel).max()
        np.testing.assert_allclose(pixels, np.stack([expected] * 3, axis=-1), atol=1e-6)
    assert "conv: 4 filters of 3x3" in figures.texts()


def test_colour_filters(figures: Figures, tmp_path: Path) -> None:
    """Filters on a colour picture are coloured, one for all three channels."""
    net = netc.compile("INPUT(8x8x3) -> CONV(3x3, 5) -> CONV(3x3, 2) as second")
    state = net.initialize(1)
    show.filters(net, tmp_path / "f.png", state)
    kernels = state["conv1.weight"]
    expected = 0.5 + 0.5 * kernels[0] / np.abs(kernels[0]).max()
    np.testing.assert_allclose(figures.images()[0], expected.transpose(1, 2, 0), atol=1e-6)
    assert len(figures.images()) == 5
    show.filters(net, tmp_path / "f.png", state, layer="second")
    assert len(figures.images()) == 2 * 5  # a row of channels each


def test_templates(figures: Figures, tmp_path: Path) -> None:
    """Weights of a dense layer on images are shown in the input's shape, by the class's name."""
    net = netc.compile("INPUT(8x8x1) -> FC(10) as scores\ntrain { data = digits, epochs = 1 }")
    run = net.train(output=tmp_path / "run")
    show.filters(net, tmp_path / "f.pdf", run=tmp_path / "run")
    template = run.state["scores.weight"][3].reshape(8, 8)
    np.testing.assert_allclose(
        figures.images()[3][..., 0], 0.5 + 0.5 * template / np.abs(template).max(), atol=1e-6
    )
    assert {"7", "scores: 10 templates of 8x8"} <= set(figures.texts())


def test_templates_of_flat_pictures(figures: Figures, tmp_path: Path) -> None:
    """A network that takes pictures flat has templates in the shape of its run's samples."""
    net = netc.compile("INPUT(64) -> FC(5) as hidden -> RELU -> FC(10)\ntrain { data = digits }")
    run = net.train(epochs=1)
    show.filters(net, tmp_path / "f.svg", run=run)
    assert "hidden: 5 templates of 8x8" in figures.texts()
    with pytest.raises(netc.NetError, match="no layer has weights that are images"):
        show.filters(net, tmp_path / "f.svg", run.state)


@pytest.mark.parametrize(
    ("program", "layer", "message"),
    [
        ("INPUT(4) -> FC(2)", None, "no layer has weights that are images"),
        ("INPUT(8x8x1) -> CONV(3x3, 2) -> BN", "bn1", "the weights of `bn1`, a BN, are not images"),
        ("INPUT(8x8x1) -> CONV(3x3, 2)", "conv2", "there is no layer `conv2`"),
        ("INPUT(20x3, sequence) -> CONV(kernel=3, 2)", None, "no layer has weights that are"),
    ],
)
def test_no_filters(program: str, layer: str | None, message: str, tmp_path: Path) -> None:
    """Where there are no images, the error says so, and no file is written."""
    net = netc.compile(program)
    with pytest.raises(netc.NetError, match=message):
        show.filters(net, tmp_path / "f.svg", net.initialize(), layer=layer)
    assert list(tmp_path.iterdir()) == []


def test_filters_need_weights(tmp_path: Path) -> None:
    """Weights are never drawn at random in silence."""
    with pytest.raises(netc.NetError, match="there are no weights"):
        show.filters(netc.compile("INPUT(8x8x1) -> CONV(3x3, 2)"), tmp_path / "f.svg")


@pytest.mark.parametrize("picture", [show.filters, show.weights, show.activations])
def test_weights_must_be_the_networks(picture: Callable[..., None], tmp_path: Path) -> None:
    """Weights of another network are refused, and no file is written."""
    net = netc.compile("INPUT(8x8x1) -> CONV(3x3, 2) -> PRELU")
    other = netc.compile("INPUT(8x8x1) -> CONV(3x3, 2) as other").initialize()
    with pytest.raises(netc.NetError, match="E501"):
        picture(net, tmp_path / "f.svg", other)
    assert list(tmp_path.iterdir()) == []


def test_histograms_hold_all_weights(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Each layer has a panel, whose shares add up to 1, with its weights' deviation."""
    net, run = digits
    show.weights(net, tmp_path / "w.svg", run=run)
    panels = [axes for axes in figures[-1].axes if axes._left_title.get_text()]
    assert [axes._left_title.get_text() for axes in panels] == ["conv", "head"]
    for axes in panels:
        for steps in axes.patches:
            assert abs(steps.get_data().values.sum() - 1) < 1e-9
    deviation = np.std(run.state["head.weight"])
    assert f"\N{GREEK SMALL LETTER SIGMA} {deviation:.2g}" in figures.texts()


def test_equal_numbers_leave_room_for_others(figures: Figures, tmp_path: Path) -> None:
    """Biases of zero are a line where zero is; no bar of 1 stands beside the weights' shares."""
    show.weights(netc.compile("INPUT(50) -> FC(40) -> FC(2)"), tmp_path / "w.svg")
    for axes in [axes for axes in figures[-1].axes if axes._left_title.get_text()]:
        (weights,) = axes.patches
        assert max(weights.get_data().values) < 0.5
        (line,) = axes.lines if axes is not figures[-1].axes[0] else axes.lines[:1]
        assert list(line.get_xdata()) == [0, 0]


def test_initial_weights(digits: Trained, figures: Figures, tmp_path: Path) -> None:
    """Without a run and a file, the weights that training starts from are drawn."""
    net, _ = digits
    show.weights(net, tmp_path / "w.svg", seed=3)
    assert "Digits: initial weights, seed 3" in [t.get_text() for t in [figures[-1]._suptitle]]
    layers = weights_of_layers(net.graph, net.initialize(3))
    assert [(layer.name, list(layer.arrays)) for layer in layers] == [
        ("conv", ["weight", "bias"]),
        ("head", ["weight", "bias"]),
    ]
    with pytest.raises(netc.NetError, match="`chain` has no weights"):
        show.weights(netc.compile("INPUT(3) -> RELU"), tmp_path / "w.svg")


def test_deep_networks_keep_what_mixes(figures: Figures, tmp_path: Path) -> None:
    """Of very many layers, those that only scale and shift channels are left out."""
    show.weights(netc.load("zoo:resnet18"), tmp_path / "w.png")
    titles = [axes._left_title.get_text() for axes in figures[-1].axes]
    assert len([title for title in titles if title]) == 21
    assert not any("bn" in title for title in titles)


CURVES: dict[str, Any] = {
    "RELU": (lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "SIGMOID": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
    ),
    "TANH": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "LRELU(0.2)": (lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1.0, 0.2)),
    "ELU": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
}


def test_activations_by_their_own_operators() -> None:
    """Each activation is there once, with its value and its slope; SOFTMAX has no curve."""
    chain = " -> ".join(["INPUT(4) -> FC(4)", *CURVES, "RELU", "SOFTMAX"])
    net = netc.compile(chain)
    x = np.linspace(-3, 3, 40)
    found = list(activation_curves(net, net.initialize(), x))
    assert [curve.name for curve in found] == list(CURVES)
    for curve in found:
        value, slope = CURVES[curve.name]
        np.testing.assert_allclose(curve.y, value(x), atol=1e-12)
        assert curve.slope is not None
        np.testing.assert_allclose(curve.slope, slope(x), atol=1e-12)


def test_learned_and_stepped_activations(figures: Figures, tmp_path: Path) -> None:
    """A learned slope is the mean of its channels'; what is constant has no derivative."""
    net = netc.compile("INPUT(4) -> FC(2) -> PRELU as p -> STEP")
    state = {**net.initialize(), "p.weight": np.array([0.1, 0.5], np.float32)}
    prelu, step = activation_curves(net, state, np.array([-2.0, 2.0]))
    np.testing.assert_allclose(prelu.y, [-0.6, 2.0], rtol=1e-6)
    assert (step.name, step.slope) == ("STEP", None)
    show.activations(net, tmp_path / "a.svg", state)
    above, below = figures[-1].axes
    assert [text.get_text() for text in below.texts] == ["PRELU"]
    assert {text.get_text() for text in above.texts} == {"PRELU", "STEP"}


def test_no_activations(tmp_path: Path) -> None:
    """A linear network has no curves; a span is a positive number."""
    with pytest.raises(netc.NetError, match="`chain` has no activations with a curve"):
        show.activations(netc.compile("INPUT(3) -> FC(2)"), tmp_path / "a.svg")
    with pytest.raises(netc.NetError, match="the span must be a positive number"):
        show.activations(netc.compile("INPUT(3) -> RELU"), tmp_path / "a.svg", span=-1.0)


GEOMETRY = """
INPUT(21x17x1) -> CONV(3x3, 1, stride=2) -> POOL(2x2, avg)
  -> CONV(5x3, 1, pad=valid) as a -> UPCONV(3x3, 1, stride=2) as b
"""


@pytest.mark.parametrize("label", ["a", "b"])
def test_receptive_fields_lie_where_numbers_matter(label: str) -> None:
    """All pixels that move an element lie in its box; where no element is between taps, it is full.

    Weights are positive and biases 0, so that no two taps cancel.
    """
    net = netc.compile(GEOMETRY)
    field = receptive_fields(net.graph)[label]
    state = {name: np.abs(array) for name, array in net.initialize().items()}
    pixels = np.eye(21 * 17, dtype=np.float32).reshape(-1, 1, 21, 17)
    answers = net.run(pixels, state, fetch=[label])[label][:, 0]
    for place in np.ndindex(*answers.shape[1:]):
        rows, columns = np.nonzero((answers[:, *place] != 0).reshape(21, 17))
        top, left, bottom, right = seen_by(field, place, (21, 17))
        box = (max(top, 0), min(bottom, 21) - 1, max(left, 0), min(right, 17) - 1)
        found = (rows.min(), rows.max(), columns.min(), columns.max())
        if label == "a":
            assert found == box
        assert found[0] >= np.floor(box[0])
        assert found[1] <= np.ceil(box[1])
        assert found[2] >= np.floor(box[2])
        assert found[3] <= np.ceil(box[3])


def test_means_see_everything() -> None:
    """What every element sees all of has no place of its own."""
    net = netc.compile("INPUT(9x9x1) -> CONV(3x3, 2) -> IN as i")
    field = receptive_fields(net.graph)["i"]
    assert (field.extents, field.strides, field.starts) == ((9, 9), (1, 1), (None, None))
    assert seen_by(field, (8, 0), (9, 9)) == (0, 0, 9, 9)


def test_receptive_picture(figures: Figures, tmp_path: Path) -> None:
    """The picture names size, stride and place, and draws them over the input."""
    net = netc.load("zoo:lenet5")
    picture = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    show.receptive(net, "s4", tmp_path / "r.png", picture)
    assert figures[-1]._suptitle.get_text() == "s4 sees 16x16 of 32x32, stride 4x4"
    assert figures.axes.get_xlabel() == "element 2, 2 of 5x5: rows 8 to 23, columns 8 to 23"
    np.testing.assert_allclose(figures.images()[0][..., 0], picture)
    show.receptive(net, "s2", tmp_path / "r.png", at=(0, 1))
    assert figures.axes.get_xlabel() == "element 0, 1 of 14x14: rows 0 to 5, columns 2 to 7"
    show.receptive(net, "out", tmp_path / "r.png")
    assert figures.axes.get_xlabel() == "every element sees all of it"


def test_receptive_strip(figures: Figures, tmp_path: Path) -> None:
    """A sequence is a strip of one row, drawn over its numbers where they are given."""
    net = netc.compile(
        "INPUT(40x1, sequence) -> CONV(5, kernel=5) as a -> POOL(kernel=4) -> CONV(kernel=3) as b"
    )
    wave = np.sin(np.arange(40, dtype=np.float32))
    show.receptive(net, "b", tmp_path / "r.png", wave[:, None])
    assert figures[-1]._suptitle.get_text() == "b sees 16 of 40, stride 4"
    assert figures.axes.get_xlabel() == "element 5 of 10: positions 14 to 29"
    assert figures.images()[0].shape[:2] == (1, 40)
    show.receptive(net, "a", tmp_path / "r.png", at=0)
    assert figures.axes.get_xlabel() == "element 0 of 40: positions -2 to 2"
    low, high = figures.axes.get_ylim()
    assert abs(high - low) < 1.5
    with pytest.raises(netc.NetError, match="`a` is 40 and has no 40"):
        show.receptive(net, "a", tmp_path / "r.png", at=(0, 40))


@pytest.mark.parametrize(
    ("program", "label", "options", "message"),
    [
        ("INPUT(8x8x1) -> CONV(3x3, 2) as conv", "convv", {}, "unknown layer or value `convv`"),
        ("INPUT(8x8x1) -> CONV(3x3, 2) as c", "c", {"at": (8, 0)}, "`c` is 8x8 and has no 8, 0"),
        ("INPUT(8) -> FC(3) as f", "f", {}, "`f` has no receptive field in a picture"),
        ("INPUT((H, W, 1)) -> GAP as g", "g", {}, "`g` has no receptive field in a picture"),
        (
            *("INPUT(8x8x2) -> CONV(3x3, 2) as c", "c", {"x": np.zeros((5, 5), np.float32)}),
            r"what is given: the input `input` is float32 \(N, 5.*takes float32 \(N, 2, 8, 8\)",
        ),
    ],
)
def test_no_receptive_field(
    program: str, label: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """What has no place in a picture is refused."""
    with pytest.raises(netc.NetError, match=message):
        show.receptive(netc.compile(program), label, tmp_path / "r.svg", **options)


def test_a_long_name_keeps_to_the_picture(figures: Figures, tmp_path: Path) -> None:
    """Of a heading that is too long the middle is left out; its end says what is drawn."""
    name = "N" * 300
    show.weights(netc.compile(f"net {name}\nINPUT(4) -> FC(2)"), tmp_path / "x.png")
    (figure,) = figures
    (heading,) = [t for t in figure.texts if "weights" in t.get_text()]
    assert "N\N{HORIZONTAL ELLIPSIS}N" in heading.get_text()
    assert heading.get_text().endswith(": initial weights, seed 0")
    figure.draw_without_rendering()
    assert heading.get_window_extent().x1 <= figure.bbox.width

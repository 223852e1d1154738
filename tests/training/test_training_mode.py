"""Networks in training mode: what is dropped, what is sampled, and how statistics move."""

from collections.abc import Mapping

import numpy as np
import pytest
from support.engines import on_both
from support.layers import norm_error

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.compiler.passes.set_mode import set_mode
from netc.runtime.kerneldef import Array

BUFFERS = ("weight", "bias", "running_mean", "running_var")


def trained(
    program: str,
    x: Array,
    *,
    step: int = 0,
    seed: int = 0,
    state: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """A program's outputs in training mode; both engines must drop and sample the same."""
    network = netc.compile(program)
    weights = network.initialize(0) if state is None else state
    return trained_by(network, x, weights, step=step, seed=seed)


def trained_by(
    network: netc.Network, x: Array, state: Mapping[str, Array], *, step: int = 0, seed: int = 0
) -> dict[str, Array]:
    """The same of a network and its weights."""
    graph = set_mode(network.graph, training=True, seed=seed)
    (name, *others) = graph.inputs
    feeds = {name: x, **({"step": np.array(step)} if others else {})}
    found, expected = on_both(graph, feeds, state)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key] == 0, array == 0)
        assert norm_error(found[key], array) <= 1e-5
    return found


def ones(*shape: int) -> Array:
    """Ones of float32."""
    return np.ones(shape, np.float32)


def graph_in_training(program: str) -> Graph:
    """A program's graph in training mode."""
    return set_mode(netc.compile(program).graph, training=True)


@pytest.mark.parametrize("program", ["INPUT(4)", "INPUT(5x3, sequence)", "INPUT(4x5x3)"])
@pytest.mark.parametrize("batch", [0, 1, 7])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_dropout(program: str, batch: int, rate: float) -> None:
    """An element is 0, or 1 / (1 - rate) times what it was, on both engines the same ones."""
    network = netc.compile(program)
    shape = [batch if dim == "N" else int(dim) for dim in network.inputs[0].shape]
    y = trained(f"{program} -> DROPOUT({rate})", ones(*shape))["output"]
    assert y.shape == tuple(shape)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_share_that_stays(rate: float) -> None:
    """Of many elements the share 1 - rate stays, and another share at each step."""
    x = ones(100, 1000)
    for step in range(3):
        share = (trained(f"INPUT(1000) -> DROPOUT({rate})", x, step=step)["output"] != 0).mean()
        assert abs(share - (1 - rate)) < 4 * (rate * (1 - rate) / x.size) ** 0.5


def test_noise_is_a_function_of_seed_layer_and_step() -> None:
    """The same three give the same mask again, and each of them another one."""
    program = "x = INPUT(512) as a\noutput p = x -> DROPOUT as d\noutput q = x -> DROPOUT as e"
    x = ones(8, 512)
    masks = [
        (trained(program, x, step=step, seed=seed)[name] != 0).tobytes()
        for seed in (0, 1)
        for step in (0, 1)
        for name in "pq"
    ]
    assert len(set(masks)) == 8
    again = trained(program, x, step=1, seed=1)
    assert [(again[name] != 0).tobytes() for name in "pq"] == masks[6:]


def test_another_layer_changes_no_noise() -> None:
    """A layer's noise stays when layers are inserted, as long as its own name does."""
    x = ones(8, 64)
    first = trained("INPUT(64) -> DROPOUT(0.3) as drop", x)["output"]
    program = "x = INPUT(64) as a\noutput p = x -> DROPOUT(0.2) as new -> FC(3)\n"
    second = trained(program + "output q = x -> DROPOUT(0.3) as drop", x)["q"]
    np.testing.assert_array_equal(first, second)


def test_dropconnect() -> None:
    """The weights are dropped, the same ones for all samples, and those that stay are scaled."""
    program = "INPUT(6) -> DROPCONNECT(4, 0.5, bias=no) as d"
    weight = np.arange(1, 25, dtype=np.float32).reshape(4, 6)
    y = trained(program, np.eye(6, dtype=np.float32), state={"d.weight": weight})["output"]
    dropped = y == 0
    assert 0 < dropped.sum() < 24
    np.testing.assert_allclose(y, np.where(dropped, 0, 2 * weight.T))


def test_droppath() -> None:
    """Whole samples are dropped."""
    x = np.random.default_rng(0).uniform(1, 2, (64, 3, 2, 2)).astype(np.float32)
    y = trained("INPUT(2x2x3) -> DROPPATH(0.25)", x)["output"]
    kept = y.any(axis=(1, 2, 3), keepdims=True)
    assert 32 < kept.sum() < 64
    np.testing.assert_allclose(y, np.where(kept, x / 0.75, 0), rtol=1e-6)


def test_attention_dropout() -> None:
    """Attention drops its weights in training, alike on both engines."""
    program = "INPUT(5x8, sequence) -> ATTENTION(2, dropout=0.5)"
    x = np.random.default_rng(0).uniform(-1, 1, (3, 5, 8)).astype(np.float32)
    first, second = (trained(program, x, step=step)["output"] for step in (0, 1))
    assert norm_error(first, second) > 1e-2


@pytest.mark.parametrize(("rate", "share"), [(None, 0.5), (0.25, 0.25), (0.0, 0.0), (1.0, 1.0)])
def test_mask_as_an_output(rate: float | None, share: float) -> None:
    """ONNX's Dropout yields its mask on demand; nothing is dropped at inference."""
    graph = Graph("mask")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 100)))
    ratio = [] if rate is None else [build.constant(rate, DType.FLOAT32)]
    y, mask = build.op("Dropout", (x, *ratio), outputs=2)
    graph.outputs = {"y": y, "mask": mask}
    feeds = {"x": ones(40, 100), "step": np.array(3)}
    settled = set_mode(graph, training=True)
    fed = {name: feeds[name] for name in settled.inputs}
    for results in on_both(settled, fed, {}):
        np.testing.assert_array_equal(results["mask"], results["y"] != 0)
        assert abs((~results["mask"]).mean() - share) <= 4 * (share * (1 - share) / 4000) ** 0.5
    for results in on_both(set_mode(graph, training=False), {"x": feeds["x"]}, {}):
        assert results["mask"].all()
        np.testing.assert_array_equal(results["y"], feeds["x"])


@pytest.mark.parametrize(
    "program",
    [
        "INPUT(8x8x2) -> CONV(3x3, 4) -> BN -> RELU -> POOL -> FC(3)",
        "INPUT(4x4x2) -> DROPOUT(0.0)",
        "INPUT(4x4x2) -> DROPPATH(0.0)",
        "INPUT(4) -> DROPCONNECT(3, 0.0)",
    ],
)
def test_no_step_without_noise(program: str) -> None:
    """A graph in which nothing is drawn has no input `step`, and no operator that computes it."""
    graph = graph_in_training(program)
    assert "step" not in graph.inputs
    assert "Range" not in to_text(graph)


def test_an_input_named_step() -> None:
    """The counter has another name then, which no program can give, where something draws noise."""
    graph = graph_in_training("INPUT(4) as step -> DROPOUT")
    assert graph.inputs.keys() == {"step", "train:step"}
    assert graph_in_training("INPUT(4) as step -> RELU").inputs.keys() == {"step"}


def test_dropout_of_a_computed_rate() -> None:
    """ONNX lets the rate of Dropout be computed; in training it must be a constant."""
    program = 'x = INPUT(4)\nr = x -> op("ReduceMean", keepdims=no)\n( x | r ) -> op("Dropout")'
    with pytest.raises(netc.NetError, match=r"E103.*rate of `Dropout`"):
        graph_in_training(program)


def test_statistics_of_the_batch() -> None:
    """BatchNormalization uses the batch's statistics, and moves the running ones as PyTorch."""
    x = np.random.default_rng(0).uniform(-1, 3, (5, 4, 3, 2)).astype(np.float32)
    random = np.random.default_rng(1)
    state = {f"bn1.{name}": random.uniform(0.5, 2, 4).astype(np.float32) for name in BUFFERS}
    found = trained("INPUT(3x2x4) -> BN(momentum=0.3, eps=0.001)", x, state=state)
    wide = x.astype(np.float64)
    mean, variance = wide.mean((0, 2, 3)), wide.var((0, 2, 3))
    y = (wide - mean.reshape(4, 1, 1)) / np.sqrt(variance.reshape(4, 1, 1) + 1e-3)
    scale, shift = (state[f"bn1.{name}"].reshape(4, 1, 1) for name in BUFFERS[:2])
    assert norm_error(found["output"], y * scale + shift) < 1e-6
    for name, new in (("running_mean", mean), ("running_var", variance * 30 / 29)):
        expected = 0.7 * state[f"bn1.{name}"] + 0.3 * new
        np.testing.assert_allclose(found[f"bn1.{name}.next"], expected, rtol=1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(6, 4), (2, 4, 3, 5), (2, 4, 2, 3, 2)], ids=str)
def test_statistics_against_pytorch(shape: tuple[int, ...]) -> None:
    """Three steps of batch normalization move the running statistics as PyTorch does."""
    torch = pytest.importorskip("torch")
    dimensions = max(len(shape) - 2, 1)
    norm = getattr(torch.nn, f"BatchNorm{dimensions}d")(4, momentum=0.2)
    size = "x".join(map(str, (*shape[2:], shape[1])))
    network = netc.compile(f"INPUT({size}) -> BN(momentum=0.2)")
    state = dict(network.initialize(0))
    for step in range(3):
        x = np.random.default_rng(step).uniform(-2, 5, shape).astype(np.float32)
        expected = norm(torch.from_numpy(x)).detach().numpy()
        found = trained_by(network, x, state)
        assert norm_error(found["output"], expected) < 1e-5
        state |= {name.removesuffix(".next"): v for name, v in found.items() if ".next" in name}
        for name in ("running_mean", "running_var"):
            assert norm_error(state[f"bn1.{name}"], getattr(norm, name).numpy()) < 1e-5


@pytest.mark.parametrize("layer", ["BN", "BN(affine=no)"])
def test_frozen_statistics(layer: str) -> None:
    """A frozen layer normalizes by its running statistics in training, too, and keeps them."""
    frozen = layer.replace(")", ", frozen=yes)") if "(" in layer else f"{layer}(frozen=yes)"
    network = netc.compile(f"INPUT(3x3x2) -> {frozen}")
    graph = set_mode(network.graph, training=True)
    assert list(graph.outputs) == ["output"]
    assert to_text(graph) == to_text(network.graph)
    block = f"block B {{ {layer} }}\nINPUT(3x3x2) -> B(frozen=yes)"
    assert list(graph_in_training(block).outputs) == ["output"]
    assert len(graph_in_training(f"INPUT(3x3x2) -> {layer}").outputs) == 3


def test_shared_statistics_move_twice() -> None:
    """A layer that is used twice moves its running statistics by one batch after the other."""
    program = (
        "x = INPUT(2) as a\ny = INPUT(2) as b\n"
        "output p = x -> BN as n\noutput q = y -> BN(share=n) as m"
    )
    network = netc.compile(program)
    graph = set_mode(network.graph, training=True)
    random = np.random.default_rng(0)
    feeds = {name: random.uniform(0, 1, (6, 2)).astype(np.float32) for name in "ab"}
    for found in on_both(graph, feeds, network.initialize(0)):
        means = [feeds[name].mean(0) for name in "ab"]
        expected = 0.9 * (0.1 * means[0]) + 0.1 * means[1]
        np.testing.assert_allclose(found["n.running_mean.next"], expected, rtol=1e-5)
        assert len(found) == 4


def test_one_number_per_channel() -> None:
    """A batch of one vector has no spread, and nothing would be left of it: it is refused."""
    with pytest.raises(
        netc.NetError, match="`bn1` has one value per channel in a batch of 1 sample"
    ):
        trained("INPUT(3) -> BN", ones(1, 3))


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ("6x6x2", "2x2"),
        ("7x9x2", "3x3, stride=2, pad=1"),
        ("7x6x2", "3x2, stride=1, ceil=yes"),
        ("6x6x2", "5x5, stride=3, pad=2"),
        ("5x6x4x2", "2x2x2"),
        ("7x7x2", "3x3, stride=2, ceil=yes"),
    ],
)
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_stochastic_pooling(size: str, options: str, batch: int) -> None:
    """Each output is an element of its window, on both engines the same one."""
    extents = [int(extent) for extent in size.split("x")]
    x = np.random.default_rng(0).uniform(0.1, 1, (batch, extents[-1], *extents[:-1]))
    x = x.astype(np.float32)
    y = trained(f"INPUT({size}) -> POOL({options}, stochastic)", x)["output"]
    inference = netc.compile(f"INPUT({size}) -> POOL({options}, stochastic)").run(x, {})
    assert y.shape == np.asarray(inference).shape
    assert np.isin(y, x).all()
    low, high = (bound(x, options, size) for bound in (lowest, highest))
    assert (y >= low).all()
    assert (y <= high).all()


def highest(x: Array, options: str, size: str) -> Array:
    """The maximum of each window."""
    return np.asarray(netc.compile(f"INPUT({size}) -> POOL({options})").run(x, {}))


def lowest(x: Array, options: str, size: str) -> Array:
    """The minimum of each window's data."""
    return -highest(-x, options, size)


def test_stochastic_pooling_samples_by_magnitude() -> None:
    """Each element of a window is drawn as often as its share of the window's sum says."""
    window = np.array([0.1, 0.0, 0.4, 0.5], np.float32)
    x = np.tile(window.reshape(1, 1, 2, 2), (200, 4, 10, 10))
    y = trained("INPUT(20x20x4) -> POOL(stochastic)", x)["output"]
    for element in window:
        deviation = (element * (1 - element) / y.size) ** 0.5
        assert abs((y == element).mean() - element) <= 4 * deviation


def test_stochastic_pooling_of_zeros_in_training() -> None:
    """A window of zeros gives 0, and one with a single other element that element."""
    x = np.zeros((2, 1, 4, 4), np.float32)
    x[:, 0, 3, 2] = 5
    y = trained("INPUT(4x4x1) -> POOL(stochastic)", x)["output"]
    np.testing.assert_array_equal(y, np.broadcast_to([[[0, 0], [0, 5]]], (2, 1, 2, 2)))


def test_stochastic_pooling_of_symbolic_extents() -> None:
    """The extents of an image may be unknown until it comes."""
    program = "INPUT((H, W, 2)) -> POOL(3x3, stochastic, stride=2)"
    for height, width in ((5, 8), (6, 7)):
        x = np.random.default_rng(0).uniform(0, 1, (2, 2, height, width)).astype(np.float32)
        y = trained(program, x)["output"]
        assert y.shape == (2, 2, (height - 1) // 2, (width - 1) // 2)
        assert np.isin(y, x).all()


def test_gradient_of_stochastic_pooling() -> None:
    """The gradient goes to the element that was drawn, and nowhere in a window of zeros."""
    network = netc.compile("INPUT(4x4x1) -> POOL(stochastic)")
    graph = set_mode(network.graph, training=True)
    build = Builder(graph)
    (y, x) = graph.outputs["output"], graph.inputs["input"]
    (gradient,) = gradients(build, build.ReduceSum(y, keepdims=0), [x])
    assert gradient is not None
    graph.outputs["gradient"] = gradient
    image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    image[..., :2, 2:] = 0
    for found in on_both(graph, {"input": image, "step": np.array(1)}, {}):
        drawn = np.isin(image, found["output"]) & (image != 0)
        np.testing.assert_array_equal(found["gradient"], drawn)
        assert drawn.sum() == 3

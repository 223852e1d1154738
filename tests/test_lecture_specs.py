"""The specs of lectures: totals by closed forms of their own, truth tables, values by hand."""

from collections.abc import Mapping
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import pytest
from support.layers import norm_error

import netc
from netc.sources import zoo

Array = np.ndarray[Any, Any]

ENGINES = ("numpy", "onnxruntime")


def dense(*widths: int, bias: bool = True) -> int:
    """Parameters of dense layers of these widths, the input's first."""
    return sum((a + bias) * b for a, b in pairwise(widths))


def conv(*sizes: int, bias: bool = True) -> int:
    """Parameters of a convolution: the kernel's extents, input channels, filters."""
    *kernel, channels, filters = sizes
    return filters * (prod(kernel) * channels + bias)


def convs(kernel: int, *channels: int, rank: int = 2) -> int:
    """Parameters of convolutions with one kernel, each on the channels of the one before."""
    return sum(conv(*(kernel,) * rank, a, b) for a, b in pairwise(channels))


ALEXNET = (
    conv(11, 11, 3, 96)
    + conv(5, 5, 96 // 2, 256)
    + conv(3, 3, 256, 384)
    + conv(3, 3, 384 // 2, 384)
    + conv(3, 3, 384 // 2, 256)
    + dense(6 * 6 * 256, 4096, 4096, 1000)
)
ALEXNET_MACS = (
    55**2 * 96 * 11**2 * 3
    + 27**2 * 256 * 5**2 * 48
    + 13**2 * 384 * 3**2 * 256
    + 13**2 * 384 * 3**2 * 192
    + 13**2 * 256 * 3**2 * 192
    + 6 * 6 * 256 * 4096
    + 4096 * 4096
    + 4096 * 1000
)

# VGG-16's convolutions: extent of the maps, input channels, filters.
VGG16_CONVS = (
    *((224, 3, 64), (224, 64, 64)),
    *((112, 64, 128), (112, 128, 128)),
    *((56, 128, 256), (56, 256, 256), (56, 256, 256)),
    *((28, 256, 512), (28, 512, 512), (28, 512, 512)),
    *((14, 512, 512), (14, 512, 512), (14, 512, 512)),
)
VGG16_DENSE = (7 * 7 * 512, 4096, 4096, 1000)

# Two convolutions each: going down, at the bottom, and coming up, where a skip doubles the input.
UNET = (
    convs(3, 1, 16, 16)
    + convs(3, 16, 32, 32)
    + convs(3, 32, 64, 64)
    + convs(3, 64, 128, 128)
    + sum(conv(2, 2, 2 * c, c) + convs(3, 2 * c, c, c) for c in (64, 32, 16))
    + conv(1, 1, 16, 2)
)

# Convolutions without bias, there and back; a scale and a shift for each channel; the scores.
DECONVNET = (
    3 * 3 * (3 * 32 + 32 * 64 + 64 * 128)
    + 2 * 4 * 4 * 128 * 256
    + 3 * 3 * (128 * 64 + 64 * 32 + 32 * 32)
    + 2 * (32 + 64 + 128 + 256 + 128 + 64 + 32 + 32)
    + conv(1, 1, 32, 21)
)

PARAMETERS: Mapping[str, int] = {
    "linear/linear_image": dense(256**2, 10),
    "linear/linear_volume": dense(256**3, 10),
    "linear/linear_regression": dense(13, 1),
    "linear/logistic_regression": dense(30, 1),
    "dense_vs_conv/dense_150": dense(150, 150, bias=False),
    "dense_vs_conv/local_150": 150 * 3,
    "dense_vs_conv/shared_150": 3,
    "dense_vs_conv/dense_200x200": dense(200**2, 200**2, bias=False),
    "dense_vs_conv/local_200x200": 200**2 * 10**2,
    "dense_vs_conv/conv_200x200": conv(10, 10, 1, 100, bias=False),
    "dense_vs_conv/conv_28x28x3": conv(3, 3, 3, 100),
    "logic/perceptron_xor": dense(2, 1),
    "logic/xor": dense(2, 2, 1),
    "logic/xnor": dense(2, 2, 1),
    "graphs/product": 0,
    "graphs/chain_rule": 1,
    "graphs/logistic_neuron": dense(2, 1),
    "graphs/relu_layer": dense(3, 2),
    "graphs/weight_decay": 3 + 1,
    "classic/alexnet": ALEXNET,
    "classic/tiny_vgg": convs(3, 3, 10, 10, 10, 10) + dense(13 * 13 * 10, 10),
    "classic/vgg16": sum(conv(3, 3, a, b) for _, a, b in VGG16_CONVS) + dense(*VGG16_DENSE),
    "keypoints/keypoints_net1": dense(96 * 96, 100, 30),
    "keypoints/keypoints_net2": conv(3, 3, 1, 32)
    + convs(2, 32, 64, 128)
    + dense(11 * 11 * 128, 500, 500, 30),
    "volumes/cnn_3d": conv(5, 5, 5, 1, 8) + convs(3, 8, 16, 32, rank=3) + dense(8**3 * 32, 128, 10),
    "volumes/rgbd": convs(3, 4, 16, 32, 64) + dense(8 * 8 * 64, 128, 10),
    "dense_prediction/autoencoder": convs(3, 1, 16, 8) + convs(2, 8, 16, 1),
    "dense_prediction/box_regression": convs(3, 3, 16, 32, 64)
    + dense(8 * 8 * 64, 128, 20)
    + dense(8 * 8 * 64, 128, 4),
    "dense_prediction/deconvnet": DECONVNET,
    "dense_prediction/fcn_small": convs(3, 3, 16, 32, 64, 128, 128)
    + sum(conv(1, 1, c, 21) for c in (128, 128, 64))
    + 21 * 21 * (4 * 4 + 4 * 4 + 16 * 16),
    "dense_prediction/unet_small": UNET,
}

FIGURES: Mapping[str, int] = {  # as published, or as lectures state them
    "linear/linear_image": 655_370,
    "linear/linear_volume": 167_772_170,
    "dense_vs_conv/dense_150": 22_500,
    "dense_vs_conv/dense_200x200": 1_600_000_000,
    "dense_vs_conv/local_200x200": 4_000_000,
    "dense_vs_conv/conv_28x28x3": 2_800,
    "keypoints/keypoints_net1": 924_730,
    "keypoints/keypoints_net2": 8_051_502,
    "classic/alexnet": 60_965_224,
    "classic/vgg16": 138_357_544,
}

MACS: Mapping[str, int] = {
    "dense_vs_conv/local_150": 150 * 3,
    "dense_vs_conv/shared_150": 150 * 3,
    "dense_vs_conv/local_200x200": 200**2 * 10**2,
    "dense_vs_conv/conv_200x200": 200**2 * 10**2 * 100,
    "classic/alexnet": ALEXNET_MACS,
    "classic/vgg16": sum(n * n * 3 * 3 * a * b for n, a, b in VGG16_CONVS)
    + dense(*VGG16_DENSE, bias=False),
}

OUTPUTS: Mapping[str, Mapping[str, tuple[int | str, ...]]] = {
    "linear/linear_volume": {"output": ("N", 10)},
    "dense_vs_conv/dense_150": {"output": ("N", 150)},
    "dense_vs_conv/local_150": {"output": ("N", 150, 1)},
    "dense_vs_conv/shared_150": {"output": ("N", 150, 1)},
    "dense_vs_conv/dense_200x200": {"output": ("N", 40_000)},
    "dense_vs_conv/local_200x200": {"output": ("N", 1, 200, 200)},
    "dense_vs_conv/conv_200x200": {"output": ("N", 100, 200, 200)},
    "graphs/weight_decay": {"y": ("N", 1), "penalty": (1, 1)},
    "keypoints/keypoints_net2": {"output": ("N", 30)},
    "classic/alexnet": {"output": ("N", 1000)},
    "classic/tiny_vgg": {"output": ("N", 10)},
    "volumes/cnn_3d": {"output": ("N", 10)},
    "dense_prediction/autoencoder": {"output": ("N", 1, 28, 28)},
    "dense_prediction/box_regression": {"class": ("N", 20), "box": ("N", 4)},
    "dense_prediction/deconvnet": {"output": ("N", 21, 32, 32)},
    "dense_prediction/fcn_small": {"output": ("N", 21, 64, 64)},
    "dense_prediction/unet_small": {"output": ("N", 2, 64, 64)},
}

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TRUTH = {"logic/xor": [0, 1, 1, 0], "logic/xnor": [1, 0, 0, 1]}


def load(name: str) -> netc.Network:
    """A shipped spec."""
    return netc.load(f"zoo:{name}")


def run(network: netc.Network, x: Any, state: Any, engine: str) -> Array:
    """The only output."""
    y = network.run(x, state, engine=engine)
    assert isinstance(y, np.ndarray)
    return y


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    """The spec has as many parameters as its layers' closed forms add up to."""
    assert load(name).params == PARAMETERS[name]


@pytest.mark.parametrize("name", FIGURES)
def test_closed_forms_give_the_known_figures(name: str) -> None:
    """The closed forms are those of the networks that are meant."""
    assert PARAMETERS[name] == FIGURES[name]


@pytest.mark.parametrize("name", MACS)
def test_macs(name: str) -> None:
    """The spec multiplies as often as its layers' closed forms say."""
    assert load(name).macs == MACS[name]


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs(name: str) -> None:
    """The outputs' names and shapes, channels first."""
    assert {spec.name: spec.shape for spec in load(name).outputs} == OUTPUTS[name]


def test_vgg16_has_the_names_of_torchvision() -> None:
    """Names and shapes are those of torchvision's state_dict, in its order."""
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    expected: dict[str, tuple[int, ...]] = {}
    for place, (_, channels, filters) in zip(places, VGG16_CONVS, strict=True):
        expected[f"features.{place}.weight"] = (filters, channels, 3, 3)
        expected[f"features.{place}.bias"] = (filters,)
    for place, (features, units) in zip((0, 3, 6), pairwise(VGG16_DENSE), strict=True):
        expected[f"classifier.{place}.weight"] = (units, features)
        expected[f"classifier.{place}.bias"] = (units,)
    parameters = load("classic/vgg16").graph.parameters
    assert [(name, value.type.shape) for name, value in parameters.items()] == [*expected.items()]


def test_alexnet_normalizes_as_the_paper_does() -> None:
    """k = 2, n = 5, beta = 0.75; ONNX divides the sum by n, so its alpha is 5 times the paper's."""
    nodes = [node for _, node in load("classic/alexnet").graph.nodes() if node.op_type == "LRN"]
    assert len(nodes) == 2
    for node in nodes:
        given = node.attributes
        assert (given["bias"], given["size"], given["beta"]) == (2.0, 5, 0.75)
        assert given["alpha"] == pytest.approx(5e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", TRUTH)
def test_truth_table(name: str, engine: str) -> None:
    """The step neurons with literal weights compute the Boolean function exactly."""
    network = load(name)
    y = run(network, CORNERS, network.initialize(0), engine)
    assert y[:, 0].tolist() == TRUTH[name]


def test_only_the_reversed_signs_give_xnor() -> None:
    """Of the output layers (2, 2) and (-2, -2) with bias -1 or 1, one turns XOR into XNOR."""
    network = load("logic/xnor")
    state = dict(network.initialize(0))
    right = []
    for weight, bias in product((2.0, -2.0), (1.0, -1.0)):
        state["fc2.weight"] = np.full((1, 2), weight, np.float32)
        state["fc2.bias"] = np.full(1, bias, np.float32)
        if run(network, CORNERS, state, "numpy")[:, 0].tolist() == TRUTH["logic/xnor"]:
            right.append((weight, bias))
    assert right == [(-2.0, 1.0)]


def test_a_single_neuron_computes_all_boolean_functions_but_xor_and_xnor() -> None:
    """One line separates 14 of the 16 ways to label the corners of a square."""
    network = load("logic/perceptron_xor")
    found = set()
    for a, b, threshold in product((-1.0, 0.0, 1.0), (-1.0, 0.0, 1.0), (-1.5, -0.5, 0.5, 1.5)):
        state = {
            "fc1.weight": np.array([[a, b]], np.float32),
            "fc1.bias": np.array([-threshold], np.float32),
        }
        found.add(tuple(run(network, CORNERS, state, "numpy")[:, 0].tolist()))
    every = set(product((0.0, 1.0), repeat=4))
    assert every - found == {tuple(map(float, row)) for row in TRUTH.values()}


# Values by hand: the spec, its inputs, and each output.
GRAPHS: list[tuple[str, Mapping[str, list[list[float]]], Mapping[str, list[list[float]]]]] = [
    ("product", {"x": [[3], [-2]], "y": [[4], [5]]}, {"z": [[12], [-10]]}),
    # f = (2 / x)^2
    ("chain_rule", {"x": [[1], [2], [-4]]}, {"output": [[4], [1], [0.25]]}),
    # 2 * -1 - 3 * -2 - 3 = 1, and 2 * 1.5 - 3 * 0 - 3 = 0; sigmoid(1) = 0.731059, sigmoid(0) = 0.5
    ("logistic_neuron", {"x": [[-1, -2], [1.5, 0]]}, {"output": [[0.7310586], [0.5]]}),
    # (1 - 3 + 1, 2 + 2 - 1) and (0 - 0 + 1, 0 - 3 - 1), the negative ones to 0
    ("relu_layer", {"X": [[1, 2, 3], [0, -3, 0]]}, {"output": [[0, 3], [1, 0]]}),
    # w = (1, -2, 3): 1 - 4 + 9 = 6, and 0.5 * (1 + 4 + 9) = 7
    ("weight_decay", {"x": [[1, 2, 3], [1, 1, 0]]}, {"y": [[6], [-1]], "penalty": [[7]]}),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "inputs", "outputs"), GRAPHS, ids=[row[0] for row in GRAPHS])
def test_graph_values(name: str, inputs: Any, outputs: Any, engine: str) -> None:
    """The computational graph yields what a pencil does."""
    network = load(f"graphs/{name}")
    feeds = {name: np.array(value, np.float32) for name, value in inputs.items()}
    found = network.run(feeds, network.initialize(0), engine=engine, fetch=[*network.graph.outputs])
    assert found.keys() == outputs.keys()
    for output, expected in outputs.items():
        np.testing.assert_allclose(found[output], expected, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_chain_rule_names_its_intermediate_values(engine: str) -> None:
    """v = 1 / x, u = 2 v and f = u^2 can be fetched by these names."""
    network = load("graphs/chain_rule")
    x = np.array([[4.0]], np.float32)
    found = network.run(x, network.initialize(0), engine=engine, fetch=["v", "u", "f"])
    assert {name: float(value[0, 0]) for name, value in found.items()} == {
        "v": 0.25,
        "u": 0.5,
        "f": 0.25,
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_regressions_are_one_neuron(engine: str) -> None:
    """Linear regression yields x'w + b, logistic regression the sigmoid of it."""
    random = np.random.default_rng(0)
    for name, layer, width in (("linear", "y", 13), ("logistic", "logit", 30)):
        w, b, x = random.normal(size=width), random.normal(), random.normal(size=(5, width))
        state = {f"{layer}.weight": w[None], f"{layer}.bias": np.array([b])}
        state = {key: value.astype(np.float32) for key, value in state.items()}
        found = run(load(f"linear/{name}_regression"), x.astype(np.float32), state, engine)
        z = x @ w + b
        expected = z if name == "linear" else 1 / (1 + np.exp(-z))
        assert norm_error(found[:, 0], expected) <= 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_dense_local_and_shared_layers_compute_the_same_where_weights_are_tied(engine: str) -> None:
    """A convolution is a local layer with equal weights, which is a dense layer with a band."""
    random = np.random.default_rng(0)
    taps = random.normal(size=3).astype(np.float32)
    x = random.normal(size=(2, 150)).astype(np.float32)
    band = sum(np.diag(np.full(150 - abs(k), taps[k + 1]), k) for k in (-1, 0, 1))
    weights = {"dense": band, "local": np.tile(taps, (150, 1, 1, 1)), "shared": taps[None, None]}
    found = {}
    for kind, weight in weights.items():
        network = load(f"dense_vs_conv/{kind}_150")
        ((name, value),) = network.graph.parameters.items()
        assert value.type.shape == np.shape(weight)
        image = x if kind == "dense" else x[..., None]
        found[kind] = run(network, image, {name: weight}, engine).reshape(2, 150)
    expected = np.stack([np.convolve(row, taps[::-1], mode="same") for row in x])
    for array in found.values():
        assert norm_error(array, expected) <= 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_two_heads_share_their_features(engine: str) -> None:
    """Both outputs of the localization network come from one run on the same features."""
    network = load("dense_prediction/box_regression")
    x = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    fetch = ["pool3", "class_hidden", "box_hidden", "class", "box"]
    state = network.initialize(0)
    found = network.run(x, state, engine=engine, fetch=fetch)
    features = found["pool3"].reshape(2, -1)
    for head in ("class_hidden", "box_hidden"):
        expected = features @ state[f"{head}.weight"].T + state[f"{head}.bias"]
        assert norm_error(found[head], expected) <= 1e-5
    assert (found["class"].shape, found["box"].shape) == ((2, 20), (2, 4))


def test_every_lecture_spec_has_a_closed_form() -> None:
    """No spec in these folders goes unchecked."""
    folders = {name.split("/")[0] for name in PARAMETERS}
    assert {name for name in zoo() if name.split("/")[0] in folders} == set(PARAMETERS)

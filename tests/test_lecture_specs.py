"""The specs of lectures: totals by closed forms of their own, shapes, names."""

from collections.abc import Mapping
from itertools import pairwise
from math import prod

import pytest

import netc
from netc.sources import zoo


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

# Convolutions without bias, with a scale and a shift for each channel behind them.
DIGITS_CNN = 9 * (16 + 16 * 16 + 16 * 32 + 32 * 32) + 2 * 2 * (16 + 32) + dense(2 * 2 * 32, 10)
CIFAR10_VGG = (
    9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    + 2 * 2 * (32 + 64 + 128)
    + dense(4 * 4 * 128, 10)
)
SHAPES_UNET = (
    9 * (8 + 8 * 16 + 16 * 32 + 32 * 64 + 32 * 32 + 16 * 16 + 8 * 8)
    + 2 * (2 * (8 + 16 + 32) + 64)
    + sum(conv(2, 2, 2 * c, c) for c in (32, 16, 8))
    + dense(8, 4)
)
SHAPES_BOXES = (
    25 * 8
    + 9 * (8 * 16 + 16 * 32 + 32 * 64)
    + 2 * (8 + 16 + 32 + 64)
    + dense(4 * 4 * 64, 64, bias=False)
    + 2 * 64
    + dense(64, 3)
    + dense(64, 4)
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
    "logic/xor_mlp": dense(2, 4, 1),
    "logic/xor_neuron": dense(2, 1),
    "graphs/product": 0,
    "graphs/chain_rule": 1,
    "graphs/logistic_neuron": dense(2, 1),
    "graphs/relu_layer": dense(3, 2),
    "graphs/two_sigmoid_layers": dense(2, 2, 1),
    "graphs/weight_decay": 3 + 1,
    "classic/alexnet": ALEXNET,
    "classic/tiny_vgg": convs(3, 3, 10, 10, 10, 10) + dense(13 * 13 * 10, 10),
    "classic/vgg16": sum(conv(3, 3, a, b) for _, a, b in VGG16_CONVS) + dense(*VGG16_DENSE),
    "keypoints/keypoints_net1": dense(96 * 96, 100, 30),
    "keypoints/keypoints_net2": conv(3, 3, 1, 32)
    + convs(2, 32, 64, 128)
    + dense(11 * 11 * 128, 500, 500, 30),
    "keypoints/keypoints_net6": conv(3, 3, 1, 32)
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
    "training/cifar10_vgg": CIFAR10_VGG,
    "training/digits_cnn": DIGITS_CNN,
    "training/digits_mlp": dense(8 * 8, 64, 10),
    "training/digits_softmax": dense(8 * 8, 10),
    "training/o_rings": dense(1, 1),
    "training/shapes_boxes": SHAPES_BOXES,
    "training/shapes_unet": SHAPES_UNET,
    "training/spirals": dense(2, 100, 3),
    "training/stopping_distance": dense(1, 1),
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
    "volumes/cnn_3d": 32**3 * 8 * 5**3
    + 32**3 * 16 * 3**3 * 8
    + 16**3 * 32 * 3**3 * 16
    + dense(8**3 * 32, 128, 10, bias=False),
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


def load(name: str) -> netc.Network:
    """A shipped spec."""
    return netc.load(f"zoo:{name}")


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


def test_every_lecture_spec_has_a_closed_form() -> None:
    """No spec in these folders goes unchecked; `classic` holds published ones as well."""
    folders = {name.split("/")[0] for name in PARAMETERS} - {"classic"}
    found = {name for name in zoo() if name.split("/")[0] in folders}
    assert found == {name for name in PARAMETERS if name.split("/")[0] in folders}

"""The zoo's backward graphs, decomposed into ONNX's own operators, on stock onnxruntime."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import pytest
from support.backward import Backward, as_type, backward, numbers
from support.network_rows import Array, random_arrays, random_weights, spec

import netc
from netc.compiler.emit.onnx.export import write
from netc.compiler.passes.append_backward import GRADIENT, trainable
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.objective import Objective
from netc.compiler.training.output_fit import fit
from netc.compiler.training.terms import Term
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.session import Session
from netc.sources import zoo

MOST_PARAMS = 5_000_000
TOLERANCE = 1e-3
# Shares of the largest gradient. Smaller ones than SMALL are what large terms leave that cancel,
# and have lost as many digits. Where float64 leaves NOTHING, such as for a shift in front of a
# normalization, float32 leaves what rounding errors add up to.
SMALL, NOTHING, ROUNDING = 1e-3, 1e-9, 1e-4
SEEDS = range(3, 9)
BATCH = 4  # of two samples, normalization leaves +1 and -1 whatever they are
LOSS_ORDER = ("cross_entropy", "binary_cross_entropy", "mse")

# Steps have no gradient; see the test below.
HARD = ("logic/perceptron_xor", "logic/xnor", "logic/xor")

# These take inputs of any size, and are compared on small ones: the fewer positions there are,
# the fewer maxima and thresholds are so near to a tie that rounding decides.
SMALLER = {
    "dense_prediction/fcn_small": ("64x64x3", "32x32x3"),
    "dense_prediction/unet_small": ("64x64x1", "32x32x1"),
    "dense_vs_conv/conv_200x200": ("200x200", "60x60"),
    "mobile/mnasnet1_0": ("224x224x3", "64x64x3"),
    "mobile/mobilenet_v2": ("224x224x3", "64x64x3"),
    "mobile/shufflenet_v2_x1_0": ("224x224x3", "64x64x3"),
    "mobile/squeezenet1_0": ("224x224x3", "48x48x3"),
    "mobile/squeezenet1_1": ("224x224x3", "48x48x3"),
    "regnet/regnet_y_400mf": ("224x224x3", "48x48x3"),
    "resnet/resnet20_cifar": ("32x32x3", "16x16x3"),
    "volumes/cnn_3d": ("64x64x64x1", "24x24x24x1"),
}

# At their own size, among 10^7 rectifiers and 10^5 max-pools that see random numbers some are
# likely to be so near to a tie that the engines, whose last bits differ, decide it differently.
# All before such a one gets a gradient that is another in the third digit.
JUMPING = {
    "mobile/mnasnet1_0": 0.03,
    "mobile/squeezenet1_0": 0.03,
    "mobile/squeezenet1_1": 0.03,
}

# Of more parameters; these take a while to differentiate.
LARGE = (
    *("classic/alexnet", "classic/alexnet_torchvision", "classic/vgg16", "classic/zfnet"),
    *("convnext/convnext_tiny", "dense_vs_conv/dense_200x200", "densenet/densenet121"),
    *("densenet/densenet161", "detection/single_stage", "inception/googlenet"),
    *("inception/inception_v3", "inception/inception_v3_aux", "keypoints/keypoints_net2"),
    *("linear/linear_volume", "mobile/efficientnet_b0", "mobile/mobilenet_v3_large"),
    *("resnet/resnet18", "resnet/resnet34", "resnet/resnet50", "resnet/resnet101"),
    *("resnet/resnet152", "resnet/resnext50_32x4d", "resnet/wide_resnet50_2"),
    *("segmentation/unet", "siamese/siamese", "transformers/bert_base_uncased"),
    *("transformers/gpt2_small", "transformers/swin_t", "transformers/vit_b_16"),
    *("transformers/vit_b_32", "vgg/vgg11", "vgg/vgg11_bn", "vgg/vgg16_bn", "vgg/vgg19"),
)


def _marked(name: str) -> object:
    marks = [pytest.mark.long] if name in LARGE else []
    return pytest.param(name, marks=[pytest.mark.slow] if name in SMALLER else marks)


@pytest.mark.parametrize("name", [_marked(name) for name in zoo() if name not in HARD])
def test_gradients(name: str) -> None:
    """In training mode, loss and gradients are those of the NumPy engine.

    Of networks of more than 5 million parameters, every weight has a gradient.
    """
    if name in SMALLER:
        network = netc.compile(spec(name, *SMALLER[name]), name=name)
    else:
        network = netc.load(f"zoo:{name}")
    if network.params <= MOST_PARAMS:
        check(network, TOLERANCE)
    else:
        given = backward(network.graph, objective(network))
        assert given.gradients == list(trainable(network.graph))


@pytest.mark.long
@pytest.mark.parametrize("name", SMALLER)
def test_gradients_at_full_size(name: str) -> None:
    """So they are for images of the size that the spec states."""
    check(netc.load(f"zoo:{name}"), JUMPING.get(name, TOLERANCE))


def check(network: netc.Network, tolerance: float) -> None:
    """The engines agree on random data, or on others where a tie lies in these."""
    weights = list(trainable(network.graph))
    given = backward(network.graph, objective(network), by_inputs=not weights)
    assert given.gradients == (weights or list(network.graph.inputs))
    state = as_type(clear_of_ties(network), "float32")
    file = BytesIO()
    write(given.graph, state, file)
    session = Session(file.getvalue())
    differences = []
    for seed in SEEDS:
        differences.append(difference(given, session, state, seed))
        if differences[-1][0] <= tolerance:
            return
    raise AssertionError(f"the gradients that differ most: {differences}")


def objective(network: netc.Network) -> Objective:
    """The recipe's, or the first loss that fits each output."""
    if network.recipe is not None:
        return network.recipe.objective
    return Objective({output: _loss(network, output) for output in network.graph.outputs})


def _loss(network: netc.Network, output: str) -> Term:
    value = network.graph.outputs[output]
    for name in LOSS_ORDER:
        term = Term("loss", name, {})
        if name == "cross_entropy" and 1 in value.shape[1:2]:
            continue
        try:
            fit(network.graph, value, term, name=output)
        except NetError:
            continue
        return term
    raise AssertionError(f"no loss fits {output}")


def clear_of_ties(network: netc.Network) -> dict[str, Array]:
    """Random weights; what batch normalization yields stays clear of a rectifier's threshold.

    Four or more deviations to one side of it: where engines round differently, the same elements
    pass all the same.
    """
    random = np.random.default_rng(1)
    state = random_weights(network)
    for name in state:
        scope, _, last = name.rpartition(".")
        if last != "running_mean" or f"{scope}.weight" not in state:
            continue
        shape = state[name].shape
        sides = np.where(random.random(shape) < 0.8, 1, -1)
        state[f"{scope}.weight"] = np.asarray(random.uniform(0.3, 0.6, shape))
        state[f"{scope}.bias"] = sides * random.uniform(2.0, 3.5, shape)
    return state


def difference(
    given: Backward, session: Session, state: Mapping[str, Array], seed: int
) -> tuple[float, str]:
    """The gradient that differs most, and by how much, norm-wise."""
    feeds = random_arrays(given.inputs, batch=BATCH, classes=2, seed=seed)
    feeds |= random_arrays(given.targets, batch=BATCH, classes=2, seed=seed + 1)
    found = numbers(given.graph, feeds, state, dtype="float32")
    fed = {**as_type(feeds, "float32"), "step": np.array(2)}
    expected = session.run({name: fed[name] for name in session.inputs})
    assert found.keys() == expected.keys()
    assert np.isfinite(expected["loss"])
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    names = [name for name in found if name.endswith(GRADIENT)]
    whole = max(largest(expected[name]) for name in names)
    differences = {
        name: largest(found[name] - expected[name]) / max(largest(expected[name]), SMALL * whole)
        for name in names
    }
    if max(differences.values()) > TOLERANCE:
        exact = numbers(given.graph, feeds, state, fetch=names)
        for name in vanishing(exact):
            assert max(largest(found[name]), largest(expected[name])) <= ROUNDING * whole
            del differences[name]
    return max((value, name) for name, value in differences.items())


def vanishing(gradients: Mapping[str, Array]) -> list[str]:
    """The gradients that are 0 but for rounding errors, of which no network has many."""
    least = NOTHING * max(map(largest, gradients.values()))
    found = [name for name, array in gradients.items() if largest(array) <= least]
    assert len(found) <= len(gradients) // 4
    return found


def largest(array: Array) -> float:
    """The largest absolute value, which is finite."""
    assert np.isfinite(array).all()
    return float(np.abs(array).max())


@pytest.mark.parametrize("name", HARD)
def test_steps_cannot_be_trained(name: str) -> None:
    """Of the whole zoo, only threshold neurons have no gradient, and the message says so."""
    network = netc.load(f"zoo:{name}")
    with pytest.raises(NetError, match=r"E131.*GreaterOrEqual"):
        backward(network.graph, objective(network))


def test_losses_are_there() -> None:
    """The losses that are tried are names of losses."""
    assert set(LOSS_ORDER) <= set(LOSSES)

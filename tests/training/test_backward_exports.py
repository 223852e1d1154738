"""The zoo's backward graphs, decomposed into ONNX's own operators, on stock onnxruntime."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from support.backward import Arrays, Backward, as_type, backward, numbers
from support.network_rows import random_arrays, random_weights, spec, stated

import netc
from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.graph import Graph
from netc.compiler.ops.opdef import definition
from netc.compiler.ops.pooling import POOL_ATTRIBUTES
from netc.compiler.passes.append_backward import GRADIENT, trainable
from netc.compiler.passes.rewrite import RewriteRule, rewrite
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.objective import Objective
from netc.compiler.training.output_fit import fit
from netc.compiler.training.terms import Term
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.session import Session
from netc.runtime.inspection.kinks import SIDE_PREFIX, with_sides
from netc.runtime.kerneldef import Array
from netc.sources import zoo

MOST_PARAMS = 5_000_000
TOLERANCE = 1e-3
# Shares of the largest gradient. Smaller ones than SMALL are what large terms leave that cancel,
# and have lost as many digits. Where float64 leaves NOTHING, such as for a shift in front of a
# normalization, float32 leaves what rounding errors add up to.
SMALL, NOTHING, ROUNDING = 1e-3, 1e-9, 1e-4
SEEDS = range(3, 23)
STEP, GROWTH = 1e-9, 1e-4  # of central differences in float64; and how well these are met
BATCH = 4  # of two samples, normalization leaves +1 and -1 whatever they are
LOSS_ORDER = ("cross_entropy", "binary_cross_entropy", "mse")

# Steps have no gradient; see the test below.
HARD = ("logic/perceptron_xor", "logic/xnor", "logic/xor")

# These take inputs of any size, and are compared on small ones: the fewer positions there are,
# the fewer maxima and thresholds are so near to a tie that rounding decides.
SMALLER = {
    "convnext/convnext_v2_atto": ("224x224x3", "64x64x3"),
    "detection/yolov5n": ("640x640x3", "64x64x3"),
    "detection/yolov8n": ("640x640x3", "64x64x3"),
    "mobile/mobilenet_v4_conv_small": ("224x224x3", "64x64x3"),
    "points/pointnet": ("1024x3, sequence", "16x3, sequence"),
    "sequences/wavenet": ("4096x256, sequence", "64x256, sequence"),
    "transformers/mobilevit_xs": ("256x256x3", "64x64x3"),
    "transformers/mobilevit_xxs": ("256x256x3", "64x64x3"),
    "detection/ssdlite320_mobilenet_v3_large": ("320x320x3", "96x96x3"),
    "dense_prediction/fcn_small": ("64x64x3", "32x32x3"),
    "dense_prediction/unet_small": ("64x64x1", "32x32x1"),
    "dense_vs_conv/conv_200x200": ("200x200", "60x60"),
    "mobile/mnasnet0_5": ("224x224x3", "64x64x3"),
    "mobile/mnasnet0_75": ("224x224x3", "64x64x3"),
    "segmentation/lraspp_mobilenet_v3_large": ("520x520x3", "64x64x3"),
    "mobile/mnasnet1_0": ("224x224x3", "64x64x3"),
    "mobile/mobilenet_v2": ("224x224x3", "64x64x3"),
    "mobile/shufflenet_v2_x0_5": ("224x224x3", "64x64x3"),
    "mobile/shufflenet_v2_x1_0": ("224x224x3", "64x64x3"),
    "mobile/shufflenet_v2_x1_5": ("224x224x3", "64x64x3"),
    "mobile/squeezenet1_0": ("224x224x3", "48x48x3"),
    "mobile/squeezenet1_1": ("224x224x3", "48x48x3"),
    "regnet/regnet_y_400mf": ("224x224x3", "48x48x3"),
    "resnet/resnet20_cifar": ("32x32x3", "16x16x3"),
    "volumes/cnn_3d": ("64x64x64x1", "24x24x24x1"),
}

# At their own size, among 10^7 rectifiers and 10^5 max-pools that see random numbers some are
# always so near to a tie that the engines, whose last bits differ, decide it differently. So
# smooth functions of the same kind take their place there.
SMOOTH: Mapping[str, RewriteRule] = {
    "Clip": lambda build, node, operands: (build.Sigmoid(operands[0]),),
    "GlobalMaxPool": lambda build, node, operands: (build.GlobalAveragePool(*operands),),
    "HardSwish": lambda build, node, operands: (
        build.Mul(operands[0], build.Sigmoid(operands[0])),
    ),
    "HardSigmoid": lambda build, node, operands: (build.Sigmoid(*operands),),
    "MaxPool": lambda build, node, operands: build.op(
        "AveragePool", operands, {name: node.attributes[name] for name in POOL_ATTRIBUTES}
    ),
    "Relu": lambda build, node, operands: (build.Softplus(*operands),),
}

# Whose rectifiers see too few numbers at a small size and too many at a larger one: with smooth
# functions at any size.
SMOOTHED = ("detection/ssdlite320_mobilenet_v3_large",)

# The means of a thousand random points hardly differ between samples, and a normalization over
# these magnifies what rounding leaves. Of a few points, it needs statistics of more samples.
MAGNIFYING = ("points/pointnet",)


def _marked(name: str) -> object:
    """Networks of many parameters take a while to differentiate, and those of large images."""
    large = [pytest.mark.long] if stated(name)["params"] > MOST_PARAMS else []
    return pytest.param(name, marks=[pytest.mark.slow] if name in SMALLER else large)


@pytest.mark.parametrize("name", [_marked(name) for name in zoo() if name not in HARD])
def test_gradients(name: str) -> None:
    """In training mode, loss and gradients are those of the NumPy engine, and of differences.

    Of networks of more than 5 million parameters, every weight has a gradient.
    """
    if name in SMALLER:
        network = netc.compile(spec(name, *SMALLER[name]), name=name)
    else:
        network = netc.load(f"zoo:{name}")
    if network.params <= MOST_PARAMS:
        smoothed = name in SMOOTHED
        batch = 2 * BATCH if name in MAGNIFYING else BATCH
        check(network, rewrite(network.graph, SMOOTH) if smoothed else network.graph, batch)
    else:
        given = backward(network.graph, objective(network))
        assert given.gradients == list(trainable(network.graph))


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in SMALLER if name not in MAGNIFYING])
def test_gradients_at_full_size(name: str) -> None:
    """So they are for images of the size that the spec states, with smooth functions for others."""
    network = netc.load(f"zoo:{name}")
    graph = rewrite(network.graph, SMOOTH)
    assert not any(row.kinks for _, node in graph.nodes() if (row := definition(node)))
    check(network, graph)


def check(network: netc.Network, graph: Graph, batch: int = BATCH) -> None:
    """The engines agree, and the loss grows along the gradients as these say."""
    weights = list(trainable(graph))
    given = backward(graph, objective(network), by_inputs=not weights)
    assert given.gradients == (weights or list(graph.inputs))
    watched = with_sides(given.graph)
    state, file = as_type(random_weights(network), "float32"), BytesIO()
    write(watched, state, file)
    session = Session(file.getvalue())
    feeds, found, expected = agreed(replace(given, graph=watched), session, state, batch)
    names = [f"{name}{GRADIENT}" for name in given.gradients]
    exact = numbers(given.graph, feeds, state, fetch=names)
    assert difference(found, expected, exact)[0] <= TOLERANCE
    grown, told = growth(given.graph, feeds, state, exact)
    assert grown == pytest.approx(told, rel=GROWTH)


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


def agreed(
    given: Backward, session: Session, state: Arrays, batch: int
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """Random feeds, and what NumPy and onnxruntime make of them, on the same side of each kink."""
    for seed in SEEDS:
        feeds = random_arrays(given.inputs, batch=batch, classes=2, seed=seed)
        feeds |= random_arrays(given.targets, batch=batch, classes=2, seed=seed + 1)
        found = numbers(given.graph, feeds, state, dtype="float32")
        fed = {**as_type(feeds, "float32"), "step": np.array(2)}
        expected = session.run({name: fed[name] for name in session.inputs})
        assert found.keys() == expected.keys()
        sides = [name for name in found if name.startswith(SIDE_PREFIX)]
        if all(np.array_equal(found[side], expected[side]) for side in sides):
            return feeds, found, expected
    raise AssertionError("in all of the data, some number is so near a kink that engines differ")


def difference(found: Arrays, expected: Arrays, exact: Arrays) -> tuple[float, str]:
    """The gradient that differs most, and by how much, norm-wise."""
    assert np.isfinite(expected["loss"])
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    whole = max(largest(expected[name]) for name in exact)
    gone = vanishing(exact)
    for name in gone:
        assert max(largest(found[name]), largest(expected[name])) <= ROUNDING * whole
    return max(
        (largest(found[name] - expected[name]) / max(largest(expected[name]), SMALL * whole), name)
        for name in exact
        if name not in gone
    )


def growth(graph: Graph, feeds: Arrays, state: Arrays, gradients: Arrays) -> tuple[float, float]:
    """How fast the loss grows along all gradients at once: by a central difference, and by them.

    Each counts the same, whatever its length, but for those that are SMALL.
    """
    lengths = {name: float(np.linalg.norm(array)) for name, array in gradients.items()}
    least = SMALL * max(lengths.values())
    ways = {
        name.removesuffix(GRADIENT): array / (lengths[name] or 1) / max(lengths[name], least)
        for name, array in gradients.items()
    }
    step = STEP * max(lengths.values())

    def loss(move: float) -> float:
        moved = {
            name: array + move * ways[name] if name in ways else array
            for name, array in {**feeds, **state}.items()
        }
        fed, weights = ({name: moved[name] for name in part} for part in (feeds, state))
        return float(numbers(graph, fed, weights, fetch=["loss"])["loss"])

    told = sum(length / max(length, least) for length in lengths.values())
    return (loss(step) - loss(-step)) / (2 * step), told


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

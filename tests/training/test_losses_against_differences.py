"""Gradients of losses, and gradients of these, against central differences in float64."""

import numpy as np
import pytest
from support.loss_rows import ROWS, LossRow, partly_given, target
from support.losses import LossGraph, evaluate, loss_graph, term

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Value
from netc.compiler.ops.gradient import gradients
from netc.compiler.training.losses import LOSSES
from netc.runtime.kerneldef import Array

STEP = 1e-5
TOLERANCE = 1e-7


def differentiated(found: LossGraph, value: Value, name: str) -> Value:
    """The gradient of a scalar with respect to the output, as an output of the graph."""
    (gradient,) = gradients(Builder(found.graph), value, [found.output])
    if gradient is None:  # of a gradient that is the same everywhere
        gradient = Builder(found.graph).Sub(found.output, found.output)
    found.graph.outputs[name] = gradient
    return gradient


def differences(found: LossGraph, feeds: dict[str, Array], name: str) -> Array:
    """Central differences of a scalar among the graph's outputs."""
    result = np.zeros_like(feeds["y"])
    for place in np.ndindex(result.shape):
        sides = []
        for sign in (1, -1):
            moved = feeds["y"].copy()
            moved[place] += sign * STEP
            sides.append(float(evaluate(found.graph, {**feeds, "y": moved})[name]))
        result[place] = (sides[0] - sides[1]) / (2 * STEP)
    return result


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_first_and_second(row: LossRow) -> None:
    """The gradient, and a Hessian-vector product, are what differences say."""
    random = np.random.default_rng(11)
    shape = (2, 4, 2, 1)
    y = random.normal(0, 1, shape)
    y = 1 / (1 + np.exp(-y)) if LOSSES[row.name].scores == "probabilities" else y
    feeds = {"y": y, "v": random.normal(0, 1, shape)}
    feeds["t"] = partly_given(row.kind, random, target(row.kind, random, shape))
    found = loss_graph(term(row.name, **row.arguments), feeds["y"], feeds["t"])
    build = Builder(found.graph)
    weights = build.input("v", found.output.type)
    gradient = differentiated(found, found.loss, "dy")
    product = build.ReduceSum(build.Mul(gradient, weights), keepdims=0)
    found.graph.outputs["product"] = product
    differentiated(found, product, "hv")
    results = evaluate(found.graph, feeds)
    for of, key in (("loss", "dy"), ("product", "hv")):
        expected = differences(found, feeds, of)
        assert np.max(np.abs(results[key] - expected)) <= TOLERANCE

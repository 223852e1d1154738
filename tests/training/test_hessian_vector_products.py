"""Gradients of gradients: products of the Hessian of a loss with a vector."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from support.backward import backward, numbers
from support.network_rows import random_arrays, random_weights

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import gradients
from netc.compiler.passes.append_backward import GRADIENT, trainable
from netc.compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from netc.compiler.passes.rewrite import rewrite
from netc.compiler.training.objective import Objective
from netc.compiler.training.terms import Term
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array

Arrays = Mapping[str, Array]

BATCH, CLASSES = 4, 3
STEP = 1e-5
DIFFERENCES, ORACLE = 1e-7, 1e-8
PRODUCT, DIRECTION = ".product", ".direction"

PROGRAMS = {
    "mlp": """INPUT(5)
        -> FC(7) as a -> TANH -> FC(6) as b -> SIGMOID -> FC(6) as c -> SOFTPLUS -> FC(3) as d""",
    "conv_tanh": """INPUT(6x5x2)
        -> CONV(4) as a -> TANH -> CONV(4, stride=2, groups=2) as b -> TANH
        -> UPCONV(3) as c -> TANH -> FC(3) as d""",
    "max_pool": """INPUT(8x6x2)
        -> CONV(4) as a -> TANH -> POOL(3x3, stride=2, pad=1) as p -> CONV(4) as b -> SWISH
        -> POOL -> FC(3) as d""",
    "normalized": """INPUT(4x5x2)
        -> CONV(4, bias=no) as a -> BN as n -> TANH -> CONV(4, bias=no) as b -> GN(2) as g -> GELU
        -> GAP -> FC(3) as d""",
    "attention": """INPUT(4x6, sequence)
        -> ( ID | LN as n -> ATTENTION(2, causal=yes) as a ) -> ADD -> FC(3) as d""",
}


@dataclass(frozen=True)
class Problem:
    """A loss, its gradients and Hessian-vector products as one graph, and where to take them.

    Attributes:
        graph: Its outputs are `<weight>.grad` and `<weight>.product`.
        state: The weights.
        feeds: Inputs and targets.
        directions: The vector, `<weight>.direction` for each weight.
    """

    graph: Graph
    state: Arrays
    feeds: Arrays
    directions: Arrays

    def values(self, ending: str, state: Arrays) -> dict[str, Array]:
        """Gradients or products by weight."""
        names = [name for name in self.graph.outputs if name.endswith(ending)]
        found = numbers(self.graph, {**self.feeds, **self.directions}, state, fetch=names)
        return {name.removesuffix(ending): array for name, array in found.items()}


def problem(program: str) -> Problem:
    """Differentiate the product of the gradient and a constant vector once more."""
    network = netc.compile(program)
    objective = Objective({"output": Term("loss", "cross_entropy", {})})
    first = backward(network.graph, objective)
    graph = rewrite(first.graph, {})
    build = Builder(graph)
    weights = trainable(graph)
    terms = []
    for name, weight in weights.items():
        direction = build.input(f"{name}{DIRECTION}", weight.type)
        product = build.Mul(graph.outputs[f"{name}{GRADIENT}"], direction)
        terms.append(build.ReduceSum(product, keepdims=0))
    products = gradients(build, build.Sum(*terms), list(weights.values()))
    graph.outputs |= {
        f"{name}{PRODUCT}": product
        for name, product in zip(weights, products, strict=True)
        if product is not None
    }
    graph = eliminate_dead_nodes(graph)
    verify(graph, after="differentiation")
    state = random_weights(network)
    random = np.random.default_rng(6)
    return Problem(
        graph,
        state,
        {
            **random_arrays(first.inputs, batch=BATCH, classes=CLASSES),
            **random_arrays(first.targets, batch=BATCH, classes=CLASSES),
        },
        {f"{n}{DIRECTION}": np.asarray(random.uniform(-1, 1, state[n].shape)) for n in weights},
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_against_differences(name: str) -> None:
    """They are what central differences of the gradient along the vector are."""
    given = problem(PROGRAMS[name])
    found = given.values(PRODUCT, given.state)
    assert found.keys() == {n.removesuffix(DIRECTION) for n in given.directions}
    ends = [
        given.values(GRADIENT, {**given.state, **_moved(given, sign * STEP)}) for sign in (1, -1)
    ]
    for weight, product in found.items():
        difference = (ends[0][weight] - ends[1][weight]) / (2 * STEP)
        assert np.abs(product).max() > 1e-4
        assert norm_difference(product, difference) <= DIFFERENCES, weight


def _moved(given: Problem, step: float) -> dict[str, Array]:
    """The weights some way along the vector."""
    moves = {n.removesuffix(DIRECTION): v for n, v in given.directions.items()}
    return {name: given.state[name] + step * move for name, move in moves.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_symmetry(name: str) -> None:
    """The Hessian is symmetric: u H v = v H u."""
    given = problem(PROGRAMS[name])
    random = np.random.default_rng(11)
    u = {n: np.asarray(random.uniform(-1, 1, v.shape)) for n, v in given.directions.items()}
    other = Problem(given.graph, given.state, given.feeds, u)
    left, right = (
        sum(float(np.vdot(vector[f"{n}{DIRECTION}"], h)) for n, h in hessian.items())
        for vector, hessian in (
            (u, given.values(PRODUCT, given.state)),
            (given.directions, other.values(PRODUCT, given.state)),
        )
    )
    assert left == pytest.approx(right, rel=1e-10)


@pytest.mark.oracle
@pytest.mark.parametrize("name", PROGRAMS)
def test_against_pytorch(name: str) -> None:
    """They are PyTorch's, norm-wise within 1e-8."""
    import torch
    from support.torch_twice import NETWORKS
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import cross_entropy

    given = problem(PROGRAMS[name])
    module = NETWORKS[name]().double().train()
    module.load_state_dict({n: torch.from_numpy(a) for n, a in given.state.items()}, strict=False)
    x, target = (torch.from_numpy(given.feeds[key]) for key in ("input", "target"))
    weights = dict(module.named_parameters())
    vector = [torch.from_numpy(given.directions[f"{n}{DIRECTION}"]) for n in weights]
    with sdpa_kernel(SDPBackend.MATH):  # the faster ones cannot be differentiated twice
        loss = cross_entropy(module(x), target)
        first = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        products = torch.autograd.grad(first, list(weights.values()), grad_outputs=vector)
    found = given.values(PRODUCT, given.state)
    assert found.keys() == weights.keys()
    for weight, product in zip(weights, products, strict=True):
        assert norm_difference(found[weight], product.numpy()) <= ORACLE, weight

"""What a backward graph holds, what it leaves out, and what it adds up."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from support.backward import backward, numbers
from support.layers import norm_error
from support.network_rows import ROWS, NetworkRow, random_arrays, random_weights
from support.refusals import failure_of, refusal

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import CONSTANT, INPUT, Graph
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ops.gradient import gradients
from netc.compiler.passes.append_backward import GRADIENT, append_backward
from netc.compiler.passes.set_mode import set_mode
from netc.compiler.training.objective import Objective, add_loss
from netc.compiler.training.terms import Term
from netc.grammar.diagnostics import NetError
from netc.runtime.kerneldef import Array

MSE = Term("loss", "mse", {})


def with_loss(program: str, *outputs: str) -> Graph:
    """A program in inference mode with the squared error of some outputs, the only one if none."""
    graph = netc.compile(program, name="net.net").graph
    names = outputs or ("output",)
    return set_mode(add_loss(graph, Objective(dict.fromkeys(names, MSE))), training=False)


def appended(program: str, *outputs: str) -> Graph:
    """The same with its gradients."""
    return append_backward(with_loss(program, *outputs))


def weights_with_gradient(graph: Graph) -> list[str]:
    """Whose gradients are outputs."""
    return [name.removesuffix(GRADIENT) for name in graph.outputs if name.endswith(GRADIENT)]


def counted(graph: Graph, scope: str) -> Counter[str]:
    """How many operators of each kind a scope has; constants do not count."""
    nodes = (node for _, node in graph.nodes() if node.scope == scope)
    return Counter(node.op_type for node in nodes if node.op_type != CONSTANT)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_dead_nodes(row: NetworkRow) -> None:
    """Some output depends on every node but inputs, which callers feed."""
    network = netc.compile(row.program)
    graph = backward(network.graph, row.objective(network)).graph
    needed = {value.node for value in graph.outputs.values()}
    for value in graph.outputs.values():
        needed |= nx.ancestors(graph.nx, value.node)
    dead = [node for identifier, node in graph.nodes() if identifier not in needed]
    assert {node.op_type for node in dead} <= {INPUT}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_deterministic(row: NetworkRow) -> None:
    """The same program gives the same text again, and the pass leaves its input as it is."""
    network = netc.compile(row.program)
    before = set_mode(add_loss(network.graph, row.objective(network)), training=True)
    text = to_text(before)
    first, second = append_backward(before), append_backward(before)
    assert to_text(before) == text
    assert to_text(first) == to_text(second)


def test_frozen_front() -> None:
    """Of layers before which all is frozen, nothing is differentiated."""
    chain = "INPUT(8x8x3) -> CONV(4, frozen=yes) as a -> TANH as t -> POOL as p -> FC(2) as b"
    graph = appended(chain)
    assert weights_with_gradient(graph) == ["b.weight", "b.bias"]
    forward = netc.compile(chain).graph
    for scope in "atp":
        assert counted(graph, scope) == counted(forward, scope)


def test_frozen_middle() -> None:
    """A frozen layer passes gradients on to those before it, and has none of its own."""
    graph = appended("INPUT(8x8x3) -> CONV(4) as a -> CONV(4, frozen=yes) as b -> FC(2) as c")
    assert weights_with_gradient(graph) == ["a.weight", "a.bias", "c.weight", "c.bias"]
    assert counted(graph, "b")["netc.ConvWeightGrad"] == 0
    assert counted(graph, "b")["ConvTranspose"] == 1
    assert counted(graph, "a")["netc.ConvWeightGrad"] == 1
    # Nobody asks for the gradient by the input.
    assert counted(graph, "a")["ConvTranspose"] == 0


def test_frozen_block() -> None:
    """`frozen=yes` on a block holds for all of its layers."""
    program = """block B { FC(4) as x -> BN as n -> TANH -> FC(4) as y }
    INPUT(3) -> B(frozen=yes) as b -> B as c -> FC(2) as d"""
    names = weights_with_gradient(appended(program))
    assert {name.split(".")[0] for name in names} == {"c", "d"}
    assert "c.n.weight" in names
    assert not [name for name in names if "running" in name]


def test_all_frozen() -> None:
    """Without a trained weight, the graph is the forward graph with its loss."""
    program = "INPUT(3) -> FC(4) as a -> TANH -> FC(2) as b"
    frozen = program.replace(") as", ", frozen=yes) as")
    graph, forward = appended(frozen), with_loss(frozen)
    assert weights_with_gradient(graph) == []
    assert len(graph) == len(forward)


def test_weights_that_the_loss_does_not_need() -> None:
    """They have no gradient, and what only another output needs stays as it is."""
    program = """x = INPUT(3) -> FC(4) as a -> TANH
    output p = x -> FC(2) as b
    output q = x -> FC(2) as c -> TANH as t"""
    graph = appended(program, "p")
    assert weights_with_gradient(graph) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    assert counted(graph, "t") == {"Tanh": 1}
    assert list(graph.outputs)[:3] == ["p", "q", "loss"]


def test_scope_and_span() -> None:
    """Each node of the backward graph lies where the node lies that it differentiates."""
    program = "INPUT(4x4x1) -> CONV(2) as a -> TANH as t -> FC(2) as b"
    graph, forward = appended(program), with_loss(program)
    places = {(node.scope, str(node.span)) for _, node in forward.nodes()}
    assert {(node.scope, str(node.span)) for _, node in graph.nodes()} == places
    assert counted(graph, "t").total() > counted(forward, "t").total()


def test_shared_weights() -> None:
    """The gradient of weights that are used twice is the sum of those of two copies."""
    program = """block Twin { CONV(3x3, 4) as conv -> TANH -> FC(5) as fc -> SIGMOID }
    a = INPUT(5x4x1) as p -> Twin as twin
    b = INPUT(5x4x1) as q -> Twin{arguments} as other
    output = ( a | b ) -> SUB -> FC(1) as out"""
    program = program.replace("output =", "output y =")
    shared, apart = (
        netc.compile(program.replace("{arguments}", text)) for text in ("(share=twin)", "")
    )
    state = random_weights(shared)
    copies = {n.replace("twin", "other"): a for n, a in state.items() if n.startswith("twin")}
    found, parts = (
        evaluated(network, {**state, **(copies if network is apart else {})})
        for network in (shared, apart)
    )
    assert not [name for name in found if name.startswith("other")]
    for name in ("twin.conv.weight", "twin.conv.bias", "twin.fc.weight", "twin.fc.bias"):
        total = parts[name + GRADIENT] + parts[name.replace("twin", "other") + GRADIENT]
        assert norm_error(found[name + GRADIENT], total) <= 1e-12


def evaluated(network: netc.Network, state: dict[str, Array]) -> dict[str, Array]:
    """Outputs, loss and gradients of the squared errors of all outputs."""
    given = backward(network.graph, Objective(dict.fromkeys(network.graph.outputs, MSE)))
    feeds = random_arrays({**given.inputs, **given.targets}, batch=3, classes=1)
    return numbers(given.graph, feeds, state)


def test_several_outputs() -> None:
    """The gradient of a weighed sum of losses is the weighed sum of their gradients."""
    network = netc.compile(
        """x = INPUT(3) -> FC(4) as a -> TANH
        output p = x -> FC(2) as b
        output q = x -> FC(2) as c
        output r = ( x | x ) -> MUL"""
    )
    state = random_weights(network)
    feeds = random_arrays({n: v.type for n, v in network.graph.inputs.items()}, batch=3, classes=1)
    targets = random_arrays(
        {n: v.type for n, v in network.graph.outputs.items()}, batch=3, classes=1, seed=8
    )
    weights = {"p": 0.5, "q": 2.0, "r": 3.0}
    whole = backward(network.graph, Objective(dict.fromkeys("pqr", MSE), weights)).graph
    many = {f"target.{name}": array for name, array in targets.items()}
    found = numbers(whole, {**feeds, **many}, state)
    parts = {
        name: numbers(
            backward(network.graph, Objective({name: MSE})).graph,
            {**feeds, "target": targets[name]},
            state,
        )
        for name in weights
    }
    for key in ("loss", *(f"{weight}{GRADIENT}" for weight in state)):
        total = sum(weights[n] * part[key] for n, part in parts.items() if key in part)
        assert norm_error(found[key], np.asarray(total)) <= 1e-12, key


def test_cotangents_accumulate() -> None:
    """What arrives at a value that is used often is added up once, by one operator."""
    build = Builder(Graph("g"))
    x = build.input("x", TensorType(DType.FLOAT32, (3,)))
    y = build.Tanh(x)
    parts = [build.Sigmoid(y), build.Softplus(y), build.Exp(y), y]
    total = build.ReduceSum(build.Sum(*parts), keepdims=0)
    before = len(build.graph)
    (gradient,) = gradients(build, total, [x])
    added = [node for i, node in build.graph.nodes() if i >= before]
    assert [len(node.inputs) for node in added if node.op_type in ("Add", "Sum")] == [4]
    build.graph.outputs = {"dx": gradient} if gradient else {}
    point = np.array([-0.5, 0.1, 2.0])
    t = np.tanh(point)
    s = 1 / (1 + np.exp(-t))
    expected = (s * (1 - s) + s + np.exp(t) + 1) * (1 - t**2)
    np.testing.assert_allclose(numbers(build.graph, {"x": point}, {})["dx"], expected, rtol=1e-14)


def test_size_is_linear() -> None:
    """A chain of sums of a value with itself has 2^n paths, and a backward graph of n sums."""
    build = Builder(Graph("g"))
    x = y = build.input("x", TensorType(DType.FLOAT32, ()))
    for _ in range(60):
        y = build.Add(y, y)
    (gradient,) = gradients(build, y, [x])
    assert len(build.graph) < 60 * 4
    build.graph.outputs = {"dx": gradient} if gradient else {}
    assert numbers(build.graph, {"x": np.array(1.0)}, {})["dx"] == 2.0**60


def test_by_values_within() -> None:
    """Gradients with respect to a value inside, and past it, from one walk."""
    build = Builder(Graph("g"))
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 2)))
    inside = build.Exp(x)
    y = build.ReduceSum(build.Mul(inside, inside), keepdims=0)
    found = gradients(build, y, [x, inside, build.input("z", x.type)])
    assert found[2] is None
    build.graph.outputs = {name: value for name, value in zip("ab", found, strict=False) if value}
    point = np.array([[0.5, -1.0], [0.0, 2.0]])
    results = numbers(build.graph, {"x": point, "z": point}, {})
    np.testing.assert_allclose(results["b"], 2 * np.exp(point), rtol=1e-14)
    np.testing.assert_allclose(results["a"], 2 * np.exp(2 * point), rtol=1e-14)


STEP = """INPUT(3)
  -> FC(4) as a
  -> STEP as hard
  -> FC(2) as b
"""


def test_error_through_a_step() -> None:
    """The message names the operator, the layer, and the place in the text."""
    assert refusal(appended, STEP) == (
        "error[E131]: no gradient reaches `a.weight`: none passes through `GreaterOrEqual` in"
        " `hard`\n"
        "  --> net.net:3:6\n"
        "   |\n"
        " 3 |   -> STEP as hard\n"
        "   |      ^^^^\n"
        "   |\n"
        "   = help: use a smooth layer instead, or mark the layers before it with"
        " `frozen=yes`"
    )


@pytest.mark.parametrize("operator", ["Floor", "Ceil", "Round", "Sign"])
def test_error_through_steps_of_numbers(operator: str) -> None:
    """So it does for operators that yield real numbers, constant almost everywhere."""
    text = refusal(appended, STEP.replace("STEP", f'op("{operator}")'))
    assert text.startswith(f"error[E131]: no gradient passes through `{operator}` in `hard`\n")
    assert "--> net.net:3:6" in text


@pytest.mark.parametrize("operator", ["Sin", "Asinh", "Atan", "Cosh"])
def test_smooth_operators_pass_gradients_on(operator: str) -> None:
    """What is smooth is differentiated, whether or not a layer is named after it."""
    graph = appended(STEP.replace("STEP", f'op("{operator}")'))
    assert weights_with_gradient(graph)[:2] == ["a.weight", "a.bias"]


@pytest.mark.parametrize("operator", ["GlobalLpPool", "Det"])
def test_error_through_operators_without_a_rule(operator: str) -> None:
    """That netc has no rule is not said in words that deny a gradient."""
    program = f"""INPUT(4x4x2) -> CONV(1x1, 3) as a -> op("{operator}") as o"""
    (finding,) = failure_of(appended, program).diagnostics
    assert finding.code == "E131"
    assert finding.message == f"netc has no rule for the gradient of `{operator}` in `o`"
    assert "constant" not in str(finding.help)


def test_error_through_a_foreign_step() -> None:
    """Hardmax yields real numbers, and the same ones nearly everywhere."""
    with pytest.raises(NetError, match="no gradient passes through `Hardmax` in `hard`"):
        appended(STEP.replace("STEP", 'op("Hardmax")'))


def test_steps_behind_frozen_layers() -> None:
    """Where all before a step is frozen, what follows it can be trained."""
    graph = appended(STEP.replace("FC(4)", "FC(4, frozen=yes)"))
    assert weights_with_gradient(graph) == ["b.weight", "b.bias"]


def test_a_way_around_a_step() -> None:
    """A weight whose gradient comes another way has that one: the step's part is zero."""
    program = """INPUT(3) -> FC(4) as a -> ( STEP | TANH ) -> ADD -> FC(2) as b"""
    assert weights_with_gradient(appended(program))[:2] == ["a.weight", "a.bias"]

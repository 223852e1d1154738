"""What golden files cannot show of passes: spans, layers' records, and refusals."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.signature import OpCall
from netc.compiler.ir.text import to_text
from netc.compiler.ir.verify import InvariantError
from netc.compiler.ops.opdef import OPS
from netc.compiler.passes.decompose import decompose
from netc.compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from netc.compiler.passes.pipeline import DECOMPOSE, SIMPLIFY, Pass, in_mode, run_passes
from netc.compiler.passes.rewrite import rewrite
from netc.compiler.passes.set_mode import set_mode

GraphOf = Callable[[str], Graph]


def test_rewrite_without_rules(graph_of: GraphOf) -> None:
    """A rebuild changes nothing: not the text, not a node, not a layer's record."""
    graph = graph_of("INPUT(16x4, sequence) -> [CONV(kernel=3, filters=4) -> BN]*2 -> FC(3)")
    rebuilt = rewrite(graph, {})
    assert to_text(rebuilt) == to_text(graph)
    assert list(rebuilt.nodes()) == list(graph.nodes())
    assert rebuilt.layers == graph.layers
    assert set(rebuilt.nx.edges(keys=True)) == set(graph.nx.edges(keys=True))


def test_a_layer_that_passes_on(graph_of: GraphOf) -> None:
    """At inference a dropout layer yields what it reads, under its own label, too."""
    graph = set_mode(graph_of("INPUT(4) -> RELU -> DROPOUT as drop -> TANH"), training=False)
    assert graph.layers["drop"].outputs == graph.layers["relu1"].outputs
    assert graph.labels["drop"] == graph.labels["relu1"]


def test_a_mode_stays(graph_of: GraphOf) -> None:
    """A graph that was put in a mode is left alone by what puts others in one."""
    graph = graph_of("INPUT(4x4x2) -> BN -> DROPOUT -> POOL(stochastic) -> RELU")
    for training in (True, False):
        settled = set_mode(graph, training=training)
        assert to_text(set_mode(settled, training=training)) == to_text(settled)
        assert to_text(set_mode(settled, training=False)) == to_text(settled)


def test_unread_inputs_stay(graph_of: GraphOf) -> None:
    """An input that nothing reads stays, because callers feed it."""
    graph = graph_of("x = INPUT(4) as a\ny = INPUT(4) as b\noutput z = x -> RELU")
    assert list(eliminate_dead_nodes(graph).inputs) == ["a", "b"]


def test_decompose(graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator is replaced by what the op table builds for it, in the same layer."""

    def tanh(
        build: Builder, operands: Sequence[Value | None], call: OpCall
    ) -> Sequence[Value] | None:
        """By the sigmoid, on vectors only: 2 sigmoid(2 x) - 1."""
        (x,) = operands
        assert x is not None
        if call.type(0).rank > 2:
            return None
        one, two = (build.constant(number, x.dtype) for number in (1.0, 2.0))
        return (build.Sub(build.Mul(two, build.Sigmoid(build.Mul(two, x))), one),)

    graph = graph_of("INPUT(2x2x2) -> TANH -> FC(3) -> TANH as last")
    assert decompose(graph) is graph
    row = OPS.named("Tanh")
    monkeypatch.setitem(OPS, row.key, replace(row, decompose=tanh))
    found = decompose(graph_of("INPUT(2x2x2) -> TANH -> FC(3) -> TANH as last"))
    ops = [node.op_type for _, node in found.nodes() if node.scope == "last"]
    assert ops == ["Constant", "Constant", "Mul", "Sigmoid", "Mul", "Sub"]
    assert [node.op_type for _, node in found.nodes() if node.scope == "tanh1"] == ["Tanh"]
    assert found.producer(found.outputs["output"]).op_type == "Sub"


def test_a_pass_that_breaks_the_graph_is_named(graph_of: GraphOf) -> None:
    """The check after each pass names it, and so does a pass that lacks what it needs."""

    def broken(graph: Graph) -> Graph:
        found = rewrite(graph, {})
        found.outputs["gone"] = Value(len(found), 0, next(iter(found.outputs.values())).type)
        return found

    graph = graph_of("INPUT(4) -> FC(2)")
    with pytest.raises(InvariantError, match="after break_it"):
        run_passes(graph, (Pass("break_it", broken),))
    with pytest.raises(InvariantError, match=r"before cancel_transposes: .* training or in inf"):
        run_passes(graph, SIMPLIFY)


def test_each_change_is_checked_once(graph_of: GraphOf) -> None:
    """The caller may look at the graph after each pass that changed it."""
    seen: list[str] = []
    passes = (in_mode(training=False), *SIMPLIFY, DECOMPOSE)
    graph = graph_of("INPUT(8x2, sequence) -> DROPOUT -> [CONV(kernel=3, filters=2)]*2")
    run_passes(graph, passes, check=lambda graph, after: seen.append(after))
    assert seen == ["set_mode", "cancel_transposes", "eliminate_dead_nodes"]
    same = graph_of("INPUT(4) -> FC(2)")
    assert run_passes(same, passes, check=lambda graph, after: pytest.fail(after)) is same

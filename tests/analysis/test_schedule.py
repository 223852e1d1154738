"""Order and last uses."""

import netc
from netc.compiler.ir.graph import LEAVES
from netc.compiler.ir.schedule import schedule


def test_order_leaves_out_what_no_fetch_needs() -> None:
    """Only the nodes that lead to the fetches run, in topological order."""
    graph = netc.compile("INPUT(4) -> FC(3) as a -> RELU as b -> FC(2) as c").graph
    plan = schedule(graph, [graph.labels["b"]])
    assert [graph[i].op_type for i in plan.order] == ["Gemm", "Relu"]
    assert {graph[i].attributes["name"] for i in plan.leaves} == {"input", "a.weight", "a.bias"}
    assert all(graph[i].op_type in LEAVES for i in plan.leaves)


def test_last_uses() -> None:
    """A value dies with its last reader; fetched values live on."""
    graph = netc.compile("INPUT(4) -> ( RELU as a -> TANH as b | ID ) -> ADD as c").graph
    plan = schedule(graph, graph.outputs.values())
    names = {graph.labels[name].node: name for name in ("input", "a", "b", "id1", "c")}
    assert [names[i] for i in plan.order] == ["a", "b", "id1", "c"]
    assert {names[i]: position for i, position in plan.last_use.items()} == {
        "input": 2,
        "a": 1,
        "b": 3,
        "id1": 3,
        "c": 4,
    }

"""The indexes of a graph: networkx's graph, and who reads a value."""

import networkx

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType

X = TensorType(DType.FLOAT32, (4,))


def test_the_graph_of_networkx_follows() -> None:
    """It holds a record per node and an edge per argument, also of nodes that come after."""
    graph = Graph("net")
    build = Builder(graph)
    x = build.input("x", X)
    twice = build.Add(x, x)
    assert sorted(graph.nx.edges(keys=True)) == [(0, 1, (0, 0)), (0, 1, (0, 1))]
    build.Relu(twice)
    assert [data["node"] for _, data in graph.nx.nodes(data=True)] == graph.records
    assert networkx.descendants(graph.nx, x.node) == {1, 2}


def test_consumers() -> None:
    """Each reader of a value comes once, in order, and no reader of another output."""
    graph = Graph("net")
    build = Builder(graph)
    x = build.input("x", X)
    left, right = build.op("Split", (x,), {"num_outputs": 2}, outputs=2)
    add = build.Add(left, left)
    assert list(graph.consumers(left)) == [add.node]
    relu, tanh = build.Relu(right), build.Tanh(left)
    assert list(graph.consumers(left)) == [add.node, tanh.node]
    assert list(graph.consumers(right)) == [relu.node]


def test_what_was_tried_leaves_no_trace() -> None:
    """Neither index remembers nodes that were taken back."""
    graph = Graph("net")
    build = Builder(graph)
    x = build.input("x", X)
    with graph.tentatively():
        build.Relu(build.Tanh(x))
        assert list(graph.consumers(x)) == [1]
        assert len(graph.nx) == 3
    assert list(graph.consumers(x)) == []
    assert len(graph.nx) == 1
    assert list(graph.consumers(build.Relu(x))) == []
    assert len(graph.nx.edges) == 1

"""`verify` names what is wrong with a graph, and the stage that made it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Node, Value
from netc.compiler.ir.tensor import Tensor
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import InvariantError, verify
from netc.compiler.ops.opdef import OPS

X = TensorType(DType.FLOAT32, (BATCH, 4))
WRONG = TensorType(DType.FLOAT32, (BATCH, 5))


def _graph() -> Graph:
    """x -> Relu -> y, with the graph's second node in scope `relu1`."""
    graph = Graph("net")
    build = Builder(graph)
    x = build.input("x", X)
    build.scope = "relu1"
    graph.outputs["y"] = graph.labels["relu1"] = build.Relu(x)
    return graph


def _set(graph: Graph, identifier: int, node: Node) -> None:
    graph.records[identifier] = node


def _wrong_type(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], outputs=(WRONG,)))


def _later_argument(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], inputs=(Value(1, 0, X),)))


def _argument_of_another_type(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], inputs=(Value(0, 0, WRONG),)))


def _argument_without_output(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], inputs=(Value(0, 3, X),)))


def _unknown_operator(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], op_type="Frobnicate"))


def _refused_operands(graph: Graph) -> None:
    row = OPS.named("Transpose")
    _set(graph, 1, replace(graph[1], op_type="Transpose", attributes={"perm": (0, 0)}, row=row))


def _unspoken_version(graph: Graph) -> None:
    _set(graph, 1, replace(graph[1], row=replace(OPS.named("Relu"), since_version=23)))


def _unspoken_domain(graph: Graph) -> None:
    row = replace(OPS.named("Relu"), op_type="ai.relu.Relu", domain="ai.relu")
    _set(graph, 1, replace(graph[1], op_type="ai.relu.Relu", row=row))


def _wrong_constant(graph: Graph) -> None:
    graph.add(
        Node(
            "Constant",
            (),
            (TensorType(DType.INT64, (3,)),),
            {"value": Tensor.of((1, 2), DType.INT64)},
        )
    )


def _leaf_with_argument(graph: Graph) -> None:
    graph.add(Node("Constant", (Value(0, 0, X),), (X,), {"value": Tensor.of(1, DType.INT64)}))


def _unregistered_input(graph: Graph) -> None:
    del graph.inputs["x"]


def _no_output(graph: Graph) -> None:
    graph.outputs.clear()


def _output_that_is_gone(graph: Graph) -> None:
    graph.outputs["z"] = Value(9, 0, X)


def _label_that_is_gone(graph: Graph) -> None:
    graph.labels["z"] = Value(1, 1, X)


CASES: dict[Callable[[Graph], None], str] = {
    _wrong_type: "node 1 (Relu in relu1) is recorded as float32[N, 5], but is float32[N, 4]",
    _later_argument: "node 1 (Relu in relu1) takes argument 0 from node 1, which is not before it",
    _argument_of_another_type: "node 1 (Relu in relu1) takes argument 0, of type float32[N, 5],"
    " where node 0 yields float32[N, 4]",
    _argument_without_output: "node 1 (Relu in relu1) takes argument 0, output 3 of node 0,"
    " which has fewer",
    _unknown_operator: "node 1 (Frobnicate in relu1) is not an operator of the instruction set",
    _refused_operands: "node 1 (Transpose in relu1) has operands that it does not take:"
    " Transpose cannot apply (0, 0) to float32[N, 4]",
    _unspoken_version: "node 1 (Relu in relu1) is of version 23 of the domain ``, and the graph of"
    " version 22",
    _unspoken_domain: "node 1 (ai.relu.Relu in relu1) is of version 14 of the domain `ai.relu`, and"
    " the graph of version 0",
    _wrong_constant: "node 2 (Constant) is recorded as int64[3], which is not its value's shape",
    _leaf_with_argument: "node 2 (Constant) has 1 arguments and 1 outputs",
    _unregistered_input: "the table of Input nodes does not hold exactly these nodes",
    _no_output: "there is no output",
    _output_that_is_gone: "output `z` is a value of node 9, which is not there",
    _label_that_is_gone: "label `z` is a value output 1 of node 1, which has fewer",
}


@pytest.mark.parametrize("damage", CASES, ids=lambda damage: damage.__name__[1:])
def test_damaged_graphs(damage: Callable[[Graph], None]) -> None:
    """Each kind of damage is found, and the message says where."""
    graph = _graph()
    damage(graph)
    with pytest.raises(InvariantError) as caught:
        verify(graph, after="fold_constants")
    assert str(caught.value) == f"after fold_constants: {CASES[damage]}"


def test_sound_graphs(graph_of: Callable[[str], Graph]) -> None:
    """A graph that is as it should be passes."""
    verify(_graph())
    verify(graph_of("INPUT(8x8x2) -> [CONV -> BN -> RELU]*3 -> DROPOUT -> FC(3)"))

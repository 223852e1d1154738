"""A node that runs graphs -> a graph whose nodes stand for it, where there is one."""

from collections.abc import Sequence

from onnx import FunctionProto, GraphProto, NodeProto, TypeProto, ValueInfoProto

from ..ir.builder import Builder
from ..ir.graph import Value
from ..onnx_standard.protos import type_proto
from ..onnx_standard.schemas import schema_of
from ..ops.opdef import OPS
from .attributes import find, subgraphs
from .folding import held


def inlined(node: NodeProto, build: Builder, inputs: Sequence[Value | None]) -> GraphProto | None:
    """The graph whose nodes stand for a node, on inputs that are called as the graph says.

    Args:
        node: The node.
        build: The graph around it, as far as it was read.
        inputs: The node's arguments.
    """
    if not any(True for _ in subgraphs(node)):
        return None
    if not node.domain and node.op_type == "If":
        return _branch(node, build, inputs)
    return _definition(node, build, inputs)


def _branch(node: NodeProto, build: Builder, inputs: Sequence[Value | None]) -> GraphProto | None:
    """The branch of an `If` whose condition is known."""
    condition = held(build, inputs[0]) if inputs and inputs[0] is not None else None
    taken = None if condition is None else condition.numbers()
    if taken is None or len(taken) != 1:
        return None
    branch = find(node, "then_branch" if taken[0] else "else_branch")
    return branch.g if branch is not None else None


def _definition(
    node: NodeProto, build: Builder, inputs: Sequence[Value | None]
) -> GraphProto | None:
    """What ONNX defines an operator by, its subgraphs within; None of one in the op table."""
    version = build.graph.opsets.get(node.domain, 1)
    schema = schema_of(node.op_type, version, node.domain)
    name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    if schema is None or not schema.has_context_dependent_function or OPS.find(name):
        return None
    types = [TypeProto() if x is None else type_proto(x.type) for x in inputs]
    given = node.SerializeToString(), [type.SerializeToString() for type in types]
    body = FunctionProto.FromString(schema.get_context_dependent_function(*given))
    infos = ([ValueInfoProto(name=each) for each in names] for names in (body.input, body.output))
    taken, yielded = infos
    return GraphProto(name=name, node=body.node, input=taken, output=yielded)

"""Graph -> Graph: appends the gradients of a loss with respect to the weights that are trained."""

from collections.abc import Iterable, Mapping

from ...grammar.diagnostics import NetError, error
from ..builder import Builder
from ..gradient import cut_between, gradients
from ..graph import Graph, Node, Value
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite

GRADIENT = ".grad"


def append_backward(graph: Graph, *, of: str = "loss", wrt: Iterable[str] | None = None) -> Graph:
    """Append the backward graph of an output.

    Frozen weights, buffers, and all that only they need are left out, and so is a weight that the
    loss does not depend on. The gradient of `conv1.weight` is the output `conv1.weight.grad`.

    Args:
        graph: A network with a loss, in training or in inference mode.
        of: The output to differentiate, a scalar.
        wrt: Names of parameters or inputs; all trainable parameters where it is None.

    Raises:
        NetError: E131, an operator on the way, or on each way to a weight, has no gradient.
    """
    target = rewrite(graph, {})
    leaves = {**target.inputs, **target.parameters}
    names = list(trainable(target)) if wrt is None else list(wrt)
    value = target.outputs[of]
    last = target.producer(value)
    build = Builder(target, scope=last.scope, span=last.span)
    found = gradients(build, value, [leaves[name] for name in names])
    for name, gradient in zip(names, found, strict=True):
        if gradient is None:
            _check_way(target, leaves[name], value)
        else:
            target.outputs[f"{name}{GRADIENT}"] = gradient
    return eliminate_dead_nodes(target)


def trainable(graph: Graph) -> Mapping[str, Value]:
    """The parameters that training changes, by name."""
    return {
        name: value
        for name, value in graph.parameters.items()
        if graph.producer(value).attributes["trainable"]
    }


def _check_way(graph: Graph, weight: Value, loss: Value) -> None:
    """A weight without a gradient must be one that the loss does not depend on at all."""
    node = cut_between(graph, weight, loss)
    if node is not None:
        raise _cut(graph, weight, node)


def _cut(graph: Graph, weight: Value, node: Node) -> NetError:
    name = graph.producer(weight).attributes["name"]
    where = f" in `{node.scope}`" if node.scope else ""
    return error(
        "E131",
        f"no gradient reaches `{name}`: none passes through `{node.op_type}`{where}",
        node.span,
        help="use a smooth layer in its place, or mark the layers before it with `frozen=yes`",
    )

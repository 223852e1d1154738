"""Graph -> Graph: appends the gradients of a value, such as the loss, with respect to others."""

from collections.abc import Iterable, Mapping

from ...grammar.diagnostics import NetError, did_you_mean, error
from ..ir.builder import Builder
from ..ir.graph import Graph, Node, Value
from ..ops.gradient import cut_between, gradients
from .eliminate_dead_nodes import eliminate_dead_nodes
from .rewrite import rewrite

GRADIENT = ".grad"


def append_backward(graph: Graph, *, of: str = "loss", wrt: Iterable[str] | None = None) -> Graph:
    """Append the backward graph of a value.

    The gradient of `conv1.weight` is the output `conv1.weight.grad`. What `of` names is an output,
    too, and of several numbers it is their sum that is differentiated. Frozen weights, buffers,
    and all that only they need are left out.

    Args:
        graph: A network, or a network with a loss, in training or in inference mode.
        of: The output, or any value by its label, to differentiate.
        wrt: Names of inputs, parameters and other values. Where it is None, all trainable
            parameters. What `of` does not depend on is left out.

    Raises:
        NetError: E131, an operator on the way, or on each way to a weight, has no gradient. E101,
            a name is not known.
    """
    target = rewrite(graph, {})
    append_gradients(target, of=of, wrt=wrt)
    return eliminate_dead_nodes(target)


def append_gradients(target: Graph, *, of: str = "loss", wrt: Iterable[str] | None = None) -> None:
    """Append a value's gradients to the graph itself, as `append_backward` does to a copy."""
    value = named_value(target, of)
    names = list(trainable(target)) if wrt is None else list(dict.fromkeys(wrt))
    sources = [named_value(target, name) for name in names]
    target.outputs.setdefault(of, value)
    last = target.producer(value)
    build = Builder(target, scope=last.scope, span=last.span)
    found = gradients(build, value, sources, cotangent=ones(build, value))
    for name, source, gradient in zip(names, sources, found, strict=True):
        if gradient is None:
            _check_way(target, source, name, value)
        else:
            target.outputs[f"{name}{GRADIENT}"] = gradient


def named_value(graph: Graph, name: str) -> Value:
    """A real value of a graph by name: an output, an input, a parameter, a label or a binding.

    Raises:
        NetError: E101, there is none of that name; E131, it holds no real numbers.
    """
    tables = {**graph.labels, **graph.parameters, **graph.inputs, **graph.outputs}
    if name not in tables:
        known = list(dict.fromkeys((*graph.outputs, *graph.inputs, *graph.labels, *tables)))
        help = (
            did_you_mean(str(name), tables) or f"there is {', '.join(f'`{n}`' for n in known[:8])}"
        )
        raise error("E101", f"the network has no value `{name}`", help=help)
    value = tables[name]
    if not value.dtype.is_float:
        raise error("E131", f"`{name}` holds {value.dtype.value}, which has no gradient")
    return value


def ones(build: Builder, value: Value) -> Value:
    """The gradient of the sum of a value's numbers with respect to them: 1 for each."""
    one = build.constant(1.0, value.dtype)
    return build.Expand(one, build.Shape(value)) if value.shape else one


def trainable(graph: Graph) -> Mapping[str, Value]:
    """The parameters that training changes, by name."""
    return {
        name: value
        for name, value in graph.parameters.items()
        if graph.producer(value).attributes["trainable"]
    }


def _check_way(graph: Graph, source: Value, name: str, value: Value) -> None:
    """What has no gradient must be something that the value does not depend on at all."""
    node = cut_between(graph, source, value)
    if node is not None:
        raise _cut(name, node)


def _cut(name: str, node: Node) -> NetError:
    where = f" in `{node.scope}`" if node.scope else ""
    return error(
        "E131",
        f"no gradient reaches `{name}`: none passes through `{node.op_type}`{where}",
        node.span,
        help="use a smooth layer instead, or mark the layers before it with `frozen=yes`",
    )

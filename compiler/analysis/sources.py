"""Graph to what each layer reads: the layers whose tensors it takes."""

from collections.abc import Iterable, Mapping

from ..ir.graph import CONSTANT, PARAMETER, Graph, Output, Value

Paths = tuple[str, ...]


def sources(graph: Graph) -> tuple[Mapping[str, Paths], Mapping[str, Paths]]:
    """The layers that each layer and each output of the network reads, in order, each once.

    A layer reads what the last layer before it provides: one without operators of its own (a
    FLATTEN of what is flat already) stands between its neighbours. Operators that belong to no
    layer pass on what they read.

    Returns:
        Paths by the path of a layer, and paths by the name of an output.
    """
    reads: dict[str, list[Value]] = {path: [] for path in graph.layers}
    owned: dict[str, list[int]] = {path: [] for path in graph.layers}
    for identifier, node in graph.nodes():
        if node.op_type not in (PARAMETER, CONSTANT):
            owned.setdefault(node.scope, []).append(identifier)
        # `Shape` reads extents alone.
        outer = (v for v in node.inputs if v is not None and node.op_type != "Shape")
        reads.setdefault(node.scope, []).extend(
            v for v in outer if graph.producer(v).scope != node.scope
        )
    providers: dict[Output, Paths] = {}
    found: dict[str, Paths] = {}
    for path, values in reads.items():
        layer = graph.layers.get(path)
        passed = layer.outputs if layer is not None and not owned[path] else ()
        found[path] = _provided(providers, [*values, *passed])
        provided = (path,) if layer is not None else found[path]
        for identifier in owned.get(path, ()):
            for output in range(len(graph[identifier].outputs)):
                providers[identifier, output] = provided
        for value in layer.outputs if layer is not None else ():
            providers[value.node, value.output] = provided
    layers = {path: found[path] for path in graph.layers}
    return layers, {name: _provided(providers, [v]) for name, v in graph.outputs.items()}


def _provided(providers: Mapping[Output, Paths], values: Iterable[Value]) -> Paths:
    """The layers that provide some values; parameters and constants have none."""
    paths = (path for value in values for path in providers.get((value.node, value.output), ()))
    return tuple(dict.fromkeys(paths))

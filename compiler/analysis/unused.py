"""Layers that no output needs: most likely a result that the author forgot to use."""

from ...grammar.diagnostics import Diagnostic
from ..ir.graph import Graph


def unused_layers(graph: Graph) -> list[Diagnostic]:
    """A warning for each layer at the end of a chain that no output depends on."""
    needed = {value.node for value in graph.outputs.values()}
    for identifier in range(len(graph) - 1, -1, -1):
        if identifier in needed:
            needed.update(v.node for v in graph[identifier].inputs if v is not None)
    return [
        Diagnostic(
            "W103",
            f"the result of `{path}` is never used",
            layer.span,
            help="use it, or name it in an `output` statement",
        )
        for path, layer in graph.layers.items()
        if not any(v.node in needed or graph.consumers(v) for v in layer.outputs)
    ]

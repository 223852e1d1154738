"""What programs say with layers of its own, and models store: operands of operators."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..compiler.analysis.sources import sources
from ..compiler.ir.graph import CONSTANT, Graph
from ..compiler.layers.constants import MOST_NUMBERS
from ..compiler.layers.layerdef import LAYERS


def stored_operands(graph: Graph) -> dict[str, str]:
    """The layers that no input reaches and that operators alone read, each with the first of these.

    A program states an operand that its operator takes no argument for before it: as
    `op("Constant")`, or as a `PARAM` in another shape. In a model the operator holds it.
    """
    inputs, ends = sources(graph)
    readers: dict[str, list[str]] = {path: [] for path in graph.layers}
    for path, names in inputs.items():
        for name in names:
            readers[name].append(path)
    final = {name for names in ends.values() for name in names}
    static: set[str] = set()
    for path, layer in graph.layers.items():
        if layer.kind != "INPUT" and static.issuperset(inputs[path]):
            static.add(path)
    found: dict[str, str] = {}
    for path in reversed(graph.layers):
        last = [*_readers(readers[path], found)]
        operators = all(graph.layers[name].kind not in LAYERS for name in last)
        if path in static and path not in final and last and operators and not static & {*last}:
            found[path] = last[0]
    return found


def held_numbers(graph: Graph) -> Mapping[str, Sequence[Any]]:
    """The constants among the operands of each layer that is an operator."""
    found: dict[str, list[Any]] = {}
    operators = {path for path, layer in graph.layers.items() if layer.kind not in LAYERS}
    for _, node in graph.nodes():
        for x in node.inputs if node.scope in operators and node.op_type != "Identity" else ():
            maker = None if x is None else graph.producer(x)
            if maker is not None and maker.op_type == CONSTANT and maker.scope == node.scope:
                tensor = maker.attributes["value"]
                if tensor.size <= MOST_NUMBERS:
                    found.setdefault(node.scope, []).append(tensor.nested())
    return found


def _readers(names: list[str], found: Mapping[str, str]) -> Iterator[str]:
    """What reads a layer, through what is an operand itself."""
    for name in names:
        yield found.get(name, name)

"""Graph of operators -> which of them are layers together."""

from collections.abc import Container

from ..ir.graph import LEAVES, Graph
from . import recognition as _rules  # noqa: F401  (fills the table of rules)
from .recognition.trail import RULES, Label, Match, NoMatch, Trail, is_view

# What rules may raise on shapes and attributes that no operator of its kind has.
UNFORESEEN = (
    *(ArithmeticError, LookupError, TypeError, ValueError),
    *(MemoryError, RecursionError),  # of chains as long as no network's
)


class Recognized(dict[int, Match]):
    """Layers by their last operator; `inside` are the other operators of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: dict[int, int] = {}


def recognize(graph: Graph, refused: Container[tuple[int, str]] = ()) -> Recognized:
    """The layers that operators are, from the last operator back.

    Where several rules hold, the one that takes most operators does, then one with weights.

    Args:
        graph: The operators.
        refused: The layers that they turned out not to be, each with its last operator.
    """
    found = Recognized()
    ends = {value.node for value in graph.outputs.values()}
    for identifier in reversed(range(len(graph))):
        node = graph[identifier]
        if identifier in found.inside or node.op_type in LEAVES or node.subgraphs:
            continue
        if is_view(graph, identifier):
            continue
        matches = []
        for rule in RULES.get(node.op_type, ()):
            trail = Trail(graph, identifier)
            try:
                match = rule(trail)
            except (NoMatch, *UNFORESEEN):
                continue
            inside = trail.passed - {identifier}
            if (identifier, match.kind) in refused:
                continue
            last = {identifier, *(value.node for value in match.ends.values())}
            if not ((inside - last) & ends) and _is_closed(graph, inside, last, found):
                matches.append((len(inside), bool(match.weights), match, inside))
        if matches:
            *_, match, inside = max(matches, key=lambda each: each[:2])
            found[identifier] = match
            for end in match.ends.values():
                found.pop(end.node, None)
            found.inside |= dict.fromkeys(inside, identifier)
    return found


def _is_closed(graph: Graph, inside: set[int], last: set[int], found: Recognized) -> bool:
    """Whether nothing else reads what is inside of a layer, or is it already."""
    if inside & found.inside.keys():
        return False
    allowed = inside | last
    for identifier in inside - last:
        for reader in graph.readers(identifier):
            if reader not in allowed:
                return False
    return True


def needed(graph: Graph, found: Recognized) -> set[int]:
    """What layers and outputs depend on; that is less than what their operators do."""
    reached: set[int] = set()
    pending = [value.node for value in graph.outputs.values()]
    while pending:
        identifier = pending.pop()
        if identifier not in reached:
            reached.add(identifier)
            match = found.get(identifier)
            read = (*match.operands, *match.labels.values()) if match else graph[identifier].inputs
            tensors = (each.value if isinstance(each, Label) else each for each in read)
            pending += [value.node for value in tensors if value is not None]
    return reached

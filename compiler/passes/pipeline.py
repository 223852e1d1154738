"""Passes, one after the other, each with what it needs and what it leaves, and a check after it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from ..ir.graph import Graph
from ..ir.verify import InvariantError, verify
from .cancel_reshapes import cancel_reshapes
from .cancel_transposes import cancel_transposes
from .decompose import decompose
from .eliminate_common_subexpressions import eliminate_common_subexpressions
from .eliminate_dead_nodes import eliminate_dead_nodes
from .fold_constants import fold_constants
from .remove_identities import remove_identities
from .rewrite import within
from .set_mode import set_mode


class Form(Enum):
    """What is true of a graph at some point of a pipeline."""

    MODE = "it is in training or in inference mode"
    STANDARD = "it holds operators of ONNX only, which engines have"


@dataclass(frozen=True, slots=True)
class Pass:
    """A graph -> graph transformation.

    Attributes:
        name: Its name, a verb.
        run: Builds another graph and leaves the one that it is given, or gives that back where
            there is nothing to change.
        needs: What must be true of a graph before.
        leaves: What is true after it, besides what was true before.
        enters: Whether it sees to subgraphs itself.
    """

    name: str
    run: Callable[[Graph], Graph]
    needs: frozenset[Form] = frozenset()
    leaves: frozenset[Form] = frozenset()
    enters: bool = False


def run_passes(
    graph: Graph,
    passes: Iterable[Pass],
    *,
    forms: Iterable[Form] = (),
    check: Callable[..., None] = verify,
) -> Graph:
    """What passes make of a graph and its subgraphs, checked after each that changes them.

    Args:
        graph: Where to start; it stays as it is.
        passes: What to run, in order.
        forms: What is true of the graph.
        check: Called with the graph after each pass that changed it, and `after`, the pass's name.

    Raises:
        InvariantError: A pass lacks what it needs, or broke an invariant; the message names it.
    """
    forms = set(forms)
    for each in passes:
        for missing in each.needs - forms:
            raise InvariantError(f"before {each.name}: not true of the graph: {missing.value}")
        found = each.run(graph) if each.enters else within(each.run, graph)
        if found is not graph:
            check(found, after=each.name)
        graph, forms = found, forms | each.leaves
    return graph


_MODE, _STANDARD = frozenset({Form.MODE}), frozenset({Form.STANDARD})

SIMPLIFY = (
    Pass("cancel_transposes", cancel_transposes, needs=_MODE),
    Pass("eliminate_dead_nodes", eliminate_dead_nodes, needs=_MODE),
)
# Models for others to read are simplified; what engines run keeps no more than the results.
OPTIMIZE = (
    Pass("eliminate_common_subexpressions", eliminate_common_subexpressions, needs=_MODE),
    Pass("fold_constants", fold_constants, needs=_MODE),
    Pass("remove_identities", remove_identities, needs=_MODE),
    Pass("cancel_reshapes", cancel_reshapes, needs=_MODE),
    *SIMPLIFY,
)
DECOMPOSE = Pass("decompose", decompose, needs=_MODE, leaves=_STANDARD)


def in_mode(*, training: bool, seed: int = 0, shards: bool = False, sync_bn: bool = False) -> Pass:
    """The pass that puts a mode-neutral graph in a mode."""
    run = partial(set_mode, training=training, seed=seed, shards=shards, sync_bn=sync_bn)
    return Pass("set_mode", run, leaves=_MODE, enters=True)


def settle(graph: Graph) -> Graph:
    """Put a network in inference mode and optimize it, as every engine does before it runs.

    What is to be read must be an output before: nothing else is sure to stay.
    """
    return run_passes(graph, (in_mode(training=False), *OPTIMIZE))


def optimize(graph: Graph) -> Graph:
    """Optimize a graph that is in a mode, such as a step of training, as `settle` does."""
    return run_passes(graph, OPTIMIZE, forms=_MODE)

"""Where a loss that is no longer finite comes from, and what to do about it."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...compiler.ir.graph import Graph, Node, Value
from ...compiler.passes.pipeline import optimize
from ...compiler.passes.training_mode import NEXT
from ...compiler.training.objective import LOSS
from ...grammar.diagnostics import NetError, error, listing
from ..engines.executor import run
from ..engines.plan import plan
from ..kerneldef import Array

# Of an operator by which the first such number came, what usually helps.
ADVICE = {
    "Div": "a division by 0, or by almost 0: add a small number to the denominator",
    "Log": "a logarithm of 0: let the loss take logits, which is the stable form",
    "Sqrt": "the root of a negative number: add a small number under it",
}
USUAL_ADVICE = "lower the learning rate, or normalize the inputs; `netc sanity` checks for more"
SHOWN_NAMES = 5


def diverged(graph: Graph, feeds: Mapping[str, Array], *, step: int, epoch: int) -> NetError:
    """The error for a step whose loss is not finite, or for weights that are not.

    Args:
        graph: The step of training.
        feeds: All that it was fed with, state included; or the weights alone.
        step: How many steps were taken before.
        epoch: How many epochs were ended before.

    Returns:
        E542 with the layer at which the first number that is not finite appeared.
    """
    broken = [name for name, array in feeds.items() if not _finite(array)]
    broken_weights = [name for name in broken if name + NEXT in graph.outputs]
    if broken_weights:
        return _broken_weights(graph, broken_weights, step)
    where = f"in step {step + 1} of the run, in epoch {epoch + 1}"
    node = first_not_finite(graph, feeds)
    if node is None:
        notes = [f"the data are not finite: {listing(broken, SHOWN_NAMES)}"] if broken else []
        return error("E542", f"the loss is not finite {where}", notes=notes, help=USUAL_ADVICE)
    layer = f"`{node.op_type}` of `{node.scope}`" if node.scope else f"`{node.op_type}`"
    return error(
        "E542",
        f"the loss is not finite {where}",
        node.span,
        notes=[f"the first number that is not finite appeared in {layer}"],
        help=ADVICE.get(node.op_type, USUAL_ADVICE),
    )


def _broken_weights(graph: Graph, names: Sequence[str], step: int) -> NetError:
    """The error for weights that an update has made infinite or NaN."""
    readers = [graph[reader] for reader in graph.consumers(graph.inputs[names[0]])]
    span = next((node.span for node in readers if node.span is not None), None)
    return error(
        "E542",
        f"the weights are not finite after step {step} of the run",
        span,
        notes=[f"infinite or NaN after the step: {listing(names, SHOWN_NAMES)}"],
        help=USUAL_ADVICE,
    )


def first_not_finite(graph: Graph, feeds: Mapping[str, Array]) -> Node | None:
    """The operator from which the loss got a number that is not finite, on NumPy.

    Infinities that the loss does not depend on, such as those of a mask before a softmax, and
    targets that are not known, which are NaN, do not count: it is looked for from the loss back
    along results that are not finite. None where the loss is finite.
    """
    planned = plan(optimize(graph), [LOSS])
    finite: list[tuple[bool, ...]] = []

    def watch(node: Node, results: tuple[Array, ...]) -> None:
        finite.append(tuple(map(_finite, results)))

    run(planned, {name: feeds[name] for name in planned.inputs}, {}, watch=watch)
    known = dict(zip(planned.order, finite, strict=True))
    found: set[int] = set()
    waiting: list[Value | None] = [planned.graph.outputs[LOSS]]
    while waiting:
        value = waiting.pop()
        if value is None or value.node in found or value.node not in known:
            continue
        if not known[value.node][value.output]:
            found.add(value.node)
            waiting += planned.graph[value.node].inputs
    return planned.graph[min(found, key=planned.order.index)] if found else None


def _finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())

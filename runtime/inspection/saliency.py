"""A network, samples and a score -> how much each number of an input moves the score."""

from collections.abc import Mapping, Sequence

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph
from ...compiler.passes.append_backward import GRADIENT, append_backward
from ...compiler.passes.rewrite import rewrite
from ...compiler.passes.set_mode import set_mode
from ..engines.executor import run
from ..engines.plan import plan
from ..kerneldef import Array

SCORE = "score"


def saliency(
    graph: Graph,
    state: Mapping[str, Array],
    feeds: Mapping[str, Array],
    output: str,
    index: int,
    *,
    axis: int = 1,
    wrt: Sequence[str],
) -> dict[str, Array]:
    """The gradient of a class's score by inputs (Simonyan, Vedaldi and Zisserman 2013).

    Args:
        graph: The network, mode-neutral.
        state: Its weights.
        feeds: Samples by the input's name, (N, ...).
        output: The output, with a score for each class; probabilities count as before SOFTMAX.
        index: The class.
        axis: The output's axis of classes; scores are summed over all others but the first.
        wrt: The names of inputs.

    Returns:
        By the input's name the gradients, (N, ...): a sample's own score by its own numbers.

    Raises:
        NetError: E131, no gradient reaches an input; or inputs and weights do not fit.
    """
    watched = rewrite(set_mode(graph, training=False), {})
    value = watched.outputs[output]
    last = watched.producer(value)
    if last.op_type in ("Softmax", "LogSoftmax"):
        (value,) = last.inputs  # type: ignore[assignment]  # neither may be left out
    build = Builder(watched, scope=SCORE)
    watched.outputs[SCORE] = build.Gather(value, build.index_constant(index), axis=axis)
    found = run(plan(append_backward(watched, of=SCORE, wrt=wrt)), feeds, state)
    return {name: found[f"{name}{GRADIENT}"] for name in wrt}

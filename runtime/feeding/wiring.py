"""A data set and a network -> which of the data's arrays goes where."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import TensorType
from ...compiler.training.data_terms import AUGMENT
from ...compiler.training.objective import Objective
from ...compiler.training.terms import Term
from ...grammar.diagnostics import did_you_mean, error, listing
from ..data.dataset import IN_PICTURES, Batch, Dataset
from ..data.labels import check_labels
from .targets import TargetFeed, input_target, mixed_target, target_of

View = Callable[[Batch], Batch]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which of the data's arrays goes where.

    Attributes:
        inputs: The network's inputs, by the data's name.
        targets: The targets, by the output whose loss takes them.
        types: What the inputs take, by the data's name.
    """

    inputs: Mapping[str, str]
    targets: Mapping[str, TargetFeed]
    types: Mapping[str, TensorType]


def as_it_is(batch: Batch) -> Batch:
    """The batch."""
    return batch


def wire(graph: Graph, objective: Objective, data: Dataset, *, view: View = as_it_is) -> Wiring:
    """Connect the data's inputs and targets with a network's inputs and losses.

    A single one goes to the only place there is; several are matched by name.

    Args:
        graph: The network.
        objective: Its losses.
        data: The data set.
        view: What happens to a batch before, such as `Augmenter.still`, which crops.

    Raises:
        NetError: E543, there is no array for an input or a loss; E133 or E529, a target does not
            fit its loss; E523, a label is none of the network's classes.
    """
    first = view(data.take(np.zeros(1, np.int64)))
    names, losses = objective.target_names(), objective.losses
    sources = _matched(data, "target", list(first.targets), list(names))
    of = {output: source for source, output in sources.items()}
    targets = {
        output: target_of(graph, losses[output], data, of[output], first, (output, name))
        for output, name in names.items()
    }
    labels = next((n for n in first.targets if data.about.kinds.get(n) == "label"), None)
    for target in targets.values():
        if target.source == labels and target.below:
            check_labels(data, target.below, ignored=target.ignored, ignoring=target.ignoring)
    for output, name in objective.inputs_as_targets().items():
        targets[output] = input_target(graph, losses[output], output, name)
    inputs = wire_inputs(graph, data)
    return Wiring(inputs.inputs, targets, inputs.types)


def mixing(
    graph: Graph, objective: Objective, data: Dataset, wiring: Wiring, terms: Iterable[Term]
) -> Wiring | None:
    """Where arrays go whose samples augmentations mix: classes become shares of classes.

    Args:
        graph: The network.
        objective: Its losses.
        data: The data set.
        wiring: Where unmixed arrays go.
        terms: The augmentations.

    Returns:
        None where none of them mixes.

    Raises:
        NetError: E133, a loss takes no shares of classes.
    """
    rows = [AUGMENT[term.name] for term in terms if AUGMENT[term.name].mixes]
    if not rows:
        return None
    targets = dict(wiring.targets)
    for output, target in wiring.targets.items():
        kind = data.about.kinds.get(target.source or "")
        if target.classes and not (kind in IN_PICTURES and all(row.pastes for row in rows)):
            targets[output] = mixed_target(graph, objective.losses[output], output, target)
    return Wiring(wiring.inputs, targets, wiring.types)


def wire_inputs(graph: Graph, data: Dataset) -> Wiring:
    """As `wire`, of inputs alone, for data whose targets are not known or not needed."""
    first = data.take(np.zeros(1, np.int64))
    inputs = _matched(data, "input", list(first.inputs), list(graph.inputs))
    return Wiring(inputs, {}, {source: graph.inputs[name].type for source, name in inputs.items()})


def _naming(kind: str, given: list[str], wanted: list[str]) -> str:
    """What to do where data lack an input or a target."""
    if kind == "target" and not given:
        return "give targets, too: of a table, the column that the run calls its target"
    return f"name them as the network does: {', '.join(wanted)}"


def _matched(data: Dataset, kind: str, given: list[str], wanted: list[str]) -> dict[str, str]:
    """Names in the data to names in the network."""
    if len(wanted) == 1 and len(given) == 1:
        return {given[0]: wanted[0]}
    missing = [name for name in wanted if name not in given]
    if missing:
        has = listing(given)
        near = did_you_mean(missing[0], given)
        whose = "the input" if kind == "input" else "the output"
        raise error(
            "E543",
            f"{data.about.name} has no {kind} for {whose} `{missing[0]}`",
            notes=[f"its {kind}s are {has}" if given else f"it has no {kind}s at all"],
            help=near or _naming(kind, given, wanted),
        )
    return {name: name for name in wanted}

"""A data set and a network -> batches that a step of training can be fed with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import DType, TensorType
from ...compiler.training.lossdef import Values
from ...compiler.training.losses import LOSSES
from ...compiler.training.objective import Objective
from ...compiler.training.output_fit import fit, target_type, target_types
from ...compiler.training.terms import Term
from ...grammar.diagnostics import NetError, did_you_mean, error
from ..data.adapting import adapter
from ..data.augmentation import Augmenter
from ..data.dataset import Batch, Dataset, as_numbers
from ..data.from_arrays import kind_of_target
from ..data.labels import check_labels, check_range
from ..data.preprocessing import Fitted
from ..data.splits import Last, batch_indices, shuffled
from ..kerneldef import Array

Feeds = dict[str, Array]
View = Callable[[Batch], Batch]
_INDICES = ("label", "mask")  # kinds of targets that are indices of classes


@dataclass(frozen=True, slots=True)
class Target:
    """How a target of the data becomes a target of the training step.

    Attributes:
        source: Its name in the data.
        name: Its name among the step's inputs.
        type: Its type there.
        classes: How many classes its indices distinguish; 0 where it holds real numbers.
        ignored: A class that counts for nothing.
        ignoring: The loss, if it can leave out a class.
        indices: Whether the data holds indices of classes.
        below: What those indices are below; 0 where they may be any number.
        names: The names of the classes, or nothing.
    """

    source: str
    name: str
    type: TensorType
    classes: int = 0
    ignored: int | None = None
    ignoring: str = ""
    indices: bool = False
    below: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which of the data's arrays goes where.

    Attributes:
        inputs: The network's inputs, by the data's name.
        targets: The targets, by the output whose loss takes them.
        types: What the inputs take, by the data's name.
    """

    inputs: Mapping[str, str]
    targets: Mapping[str, Target]
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
    sources = _matched(data, "target", list(first.targets), list(objective.losses))
    of = {output: source for source, output in sources.items()}
    targets = {
        output: _target(graph, objective.losses[output], data, of[output], first, (output, name))
        for output, name in objective.target_names().items()
    }
    labels = next((n for n in first.targets if data.about.kinds.get(n) == "label"), None)
    for target in targets.values():
        if target.source == labels and target.below:
            check_labels(data, target.below, ignored=target.ignored, ignoring=target.ignoring)
    inputs = wire_inputs(graph, data)
    return Wiring(inputs.inputs, targets, inputs.types)


def wire_inputs(graph: Graph, data: Dataset) -> Wiring:
    """As `wire`, of inputs alone, for data whose targets are not known or not needed."""
    first = data.take(np.zeros(1, np.int64))
    inputs = _matched(data, "input", list(first.inputs), list(graph.inputs))
    return Wiring(inputs, {}, {source: graph.inputs[name].type for source, name in inputs.items()})


def _matched(data: Dataset, kind: str, given: list[str], wanted: list[str]) -> dict[str, str]:
    """Names in the data to names in the network."""
    if len(wanted) == 1 and len(given) == 1:
        return {given[0]: wanted[0]}
    missing = [name for name in wanted if name not in given]
    if missing:
        has = ", ".join(f"`{name}`" for name in given)
        near = did_you_mean(missing[0], given)
        whose = "the input" if kind == "input" else "the output"
        raise error(
            "E543",
            f"{data.about.name} has no {kind} for {whose} `{missing[0]}`",
            notes=[f"its {kind}s are {has}" if given else f"it has no {kind}s at all"],
            help=near or f"name them as the network does: {', '.join(wanted)}",
        )
    return {name: name for name in wanted}


def _target(
    graph: Graph, term: Term, data: Dataset, source: str, first: Batch, names: tuple[str, str]
) -> Target:
    """How a target is fed to the loss of an output; `names` are the output's and the target's."""
    output, name = names
    about = data.about
    indices = about.kinds.get(source) in _INDICES
    where = (about.name, f"target `{source}`")
    type = _fitting(graph, term, output, first.targets[source], where, indices=indices)
    counted = classes_of(graph, term, output, type)
    class_names = about.class_names.get(source, ())
    if not counted and _single(type, first.targets[source]):
        _check_two(output, where, class_names)
    return Target(
        source=source,
        name=name,
        type=type,
        classes=counted,
        ignored=term.arguments.get("ignore_index"),
        ignoring=_ignoring(term),
        indices=indices,
        below=counted or _below(term, type, first.targets[source]),
        names=class_names,
    )


def _single(type: TensorType, target: Array) -> bool:
    """Whether a target is fed as it is, not one-hot."""
    fed = prod(extent for extent in type.shape[1:] if isinstance(extent, int))
    return bool(target[0].size == fed)


def _check_two(output: str, where: tuple[str, str], names: Sequence[str]) -> None:
    """Refuse more than two words as values of one number: their order says nothing.

    Raises:
        NetError: E133.
    """
    if len(names) > 2 and tuple(names) != tuple(map(str, range(len(names)))):
        spelled = ", ".join(f"`{name}`" for name in names[:3])
        raise error(
            "E133",
            f"the output `{output}` is one number, and the {where[1]} of {where[0]} names"
            f" {len(names)} classes",
            notes=[f"as values, {spelled} would be 0, 1, 2, in the order of their names"],
            help=f"end the network in `FC({len(names)})` and choose `loss = cross_entropy`;"
            " if they are numbers, write them with digits and a point alone",
        )


def _ignoring(term: Term) -> str:
    return term.name if "ignore_index" in term.arguments else ""


def classes_of(graph: Graph, term: Term, output: str, type: TensorType) -> int:
    """How many classes a target of indices distinguishes; 0 where it holds real numbers."""
    value = graph.outputs[output]
    axis = fit(graph, value, term, name=output).axis
    classes = LOSSES[term.name].classes(value.type, type, axis=axis)
    return classes if isinstance(classes, int) else 0


def given_target(graph: Graph, term: Term, output: str, given: Any) -> tuple[Array, TensorType]:
    """A target from Python, and the type of the loss's input that takes it.

    It is read as a data set's targets are; only double precision is kept.

    Raises:
        NetError: E529, it is not an array of numbers, or of another shape; E133, the loss takes
            none of its rank; E523, an index is none of the network's classes.
    """
    where, what = "the batch", f"target of `{output}`"
    array = as_numbers(given, f"the {what}")
    if array.ndim == 0:
        raise error("E529", f"the {what} is a single number", help="give one for each sample")
    indices = kind_of_target(array, {array.shape[1:]}) in _INDICES
    type = _fitting(graph, term, output, array, (where, what), indices=indices)
    below = classes_of(graph, term, output, type) or _below(term, type, array)
    if below:
        ignored = term.arguments.get("ignore_index")
        numbers = np.arange(len(array))
        check_range(where, array, numbers, below, ignored=ignored, ignoring=_ignoring(term))
    fed = type if array.dtype != np.float64 else replace(type, dtype=DType.FLOAT64)
    return adapter(where, what, array, fed, classes=indices)(array), type


def _fitting(
    graph: Graph, term: Term, output: str, some: Array, names: tuple[str, str], *, indices: bool
) -> TensorType:
    """What a target is fed as: the loss's first choice that some samples can be brought to.

    Args:
        graph: The network.
        term: The loss.
        output: The output that it takes.
        some: Targets of some samples.
        names: What messages call the data and this target.
        indices: Whether whole numbers are class indices.

    Raises:
        NetError: E133 or E529, there is none.
    """
    value, (where, what) = graph.outputs[output], names
    for type in target_types(graph, value, term, name=output):
        with suppress(NetError):
            adapter(where, what, some, type, classes=indices)
            return type
    real = some.dtype.kind == "f"
    type = target_type(
        graph, value, term, rank=some.ndim, real=real, name=output, what=f"{where}: the {what}"
    )
    adapter(where, what, some, type, classes=indices)
    return type


def _below(term: Term, type: TensorType, first: Array) -> int:
    """How many classes indices distinguish that are fed as real numbers; 0 where they are numbers.

    Where the loss takes more numbers than there are indices, these become one-hot.
    """
    if first.dtype.kind == "f":
        return 0
    extents = [extent for extent in type.shape[1:] if isinstance(extent, int)]
    if len(extents) == type.rank - 1 and first[0].size < prod(extents):
        return extents[0]
    return 2 if LOSSES[term.name].targets.values is Values.PROBABILITY else 0


@dataclass(frozen=True, slots=True)
class Samples:
    """Some samples of a data set as a network sees them.

    Attributes:
        data: The data set.
        indices: The numbers of the samples.
        wiring: Where their arrays go.
        fitted: Preprocessing, fitted to the training part.
        augmenter: What is done by chance, or, in `still` batches, by its centre.
        batch: Samples of a batch; None for all.
        last: What becomes of a short last batch.
        seed: Of the order in which they come.
    """

    data: Dataset
    indices: Array
    wiring: Wiring
    fitted: Fitted
    augmenter: Augmenter
    batch: int | None = 32
    last: Last = "keep"
    seed: int = 0

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return len(batch_indices(self.indices, self.batch, last=self.last))

    @property
    def sizes(self) -> list[int]:
        """How many samples the batches of an epoch have: the usual number, and a short last one."""
        found = map(len, batch_indices(self.indices, self.batch, last=self.last))
        return list(dict.fromkeys(found))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Feeds]:
        """The batches of an epoch from batch `start` on, shuffled and augmented.

        Raises:
            NetError: The data is damaged, or a label is out of range (E523).
        """
        order = shuffled(self.indices, seed=self.seed, epoch=epoch)
        for indices in batch_indices(order, self.batch, last=self.last)[start:]:
            batch = self.augmenter.augment(self.data.take(indices), indices, epoch=epoch)
            yield self._feeds(batch, indices)

    def still(self, size: int) -> Iterator[Feeds]:
        """All samples in their own order, without anything random, for measuring.

        Raises:
            NetError: As `batches`.
        """
        for indices in batch_indices(self.indices, size) if len(self) else ():
            yield self._feeds(self.augmenter.still(self.data.take(indices)), indices)

    def _feeds(self, batch: Batch, indices: Array) -> Feeds:
        where, feeds = self.data.about.name, {}
        inputs = self.fitted.apply(batch.inputs)
        for source, name in self.wiring.inputs.items():
            array, what = inputs[source], f"input `{source}`"
            feeds[name] = adapter(where, what, array, self.wiring.types[source])(array)
        for target in self.wiring.targets.values():
            array, what = batch.targets[target.source], f"target `{target.source}`"
            if target.below:
                ignored, ignoring = target.ignored, target.ignoring
                check_range(where, array, indices, target.below, ignored=ignored, ignoring=ignoring)
            adapt = adapter(where, what, array, target.type, classes=target.indices)
            feeds[target.name] = adapt(array)
        return feeds

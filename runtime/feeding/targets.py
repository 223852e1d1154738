"""Targets of data, and what losses take -> how each target is fed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import DType, TensorType
from ...compiler.training.lossdef import Values
from ...compiler.training.losses import LOSSES
from ...compiler.training.output_fit import compared_input, fit, target_type, target_types
from ...compiler.training.terms import Term
from ...grammar.diagnostics import NetError, error, listing
from ..data.adapting import adapter
from ..data.dataset import Batch, Dataset, as_numbers
from ..data.from_arrays import kind_of_target
from ..data.labels import check_range
from ..kerneldef import Array

_INDICES = ("label", "mask")  # kinds of targets that are indices of classes


@dataclass(frozen=True, slots=True)
class TargetFeed:
    """How a target of the data becomes a target of the training step.

    Attributes:
        source: Its name in the data; None where it is an input of the network.
        name: Its name among the step's inputs.
        type: Its type there.
        classes: How many classes its indices distinguish; 0 where it holds real numbers.
        ignored: A class that counts for nothing.
        ignoring: The loss, if it can leave out a class.
        indices: Whether the data holds indices of classes.
        below: What those indices are below; 0 where they may be any number.
        names: The names of the classes, or nothing.
    """

    source: str | None
    name: str
    type: TensorType
    classes: int = 0
    ignored: int | None = None
    ignoring: str = ""
    indices: bool = False
    below: int = 0
    names: tuple[str, ...] = ()


def target_of(
    graph: Graph, term: Term, data: Dataset, source: str, first: Batch, names: tuple[str, str]
) -> TargetFeed:
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
    return TargetFeed(
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


def mixed_target(graph: Graph, term: Term, output: str, target: TargetFeed) -> TargetFeed:
    """How classes are fed as shares of classes, for samples that are mixed of several.

    Raises:
        NetError: E133, the loss takes indices of classes alone.
    """
    value = graph.outputs[output]
    accepted = target_types(graph, value, term, name=output)
    shares = [type for type in accepted if type.dtype.is_float and type.rank == value.type.rank]
    if not shares:
        raise error(
            "E133",
            f"mixed samples have shares of the classes of `{output}`, which `{term.name}` does not"
            " take",
            term.span,
            help="leave `mixup` and `cutmix` out, or choose a loss such as `cross_entropy`",
        )
    return replace(target, type=shares[0], classes=0)


def input_target(graph: Graph, term: Term, output: str, name: str) -> TargetFeed:
    """How an input is the target of an output, which names it."""
    type = compared_input(graph, output, term).type
    return TargetFeed(
        source=None,
        name=name,
        type=type,
        classes=classes_of(graph, term, output, type),
        ignored=term.arguments.get("ignore_index"),
        ignoring=_ignoring(term),
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
        spelled = listing(names[:3])
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

"""A trained network and new samples -> its outputs, and what they say, in words and numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.training.objective import Objective
from ...compiler.training.terms import Term
from ..data.augmentation import AUGMENTATIONS, Augmenter
from ..data.dataset import Dataset
from ..data.preprocessing import Fitted
from ..data.target_scaling import restored
from ..engines.engine import engine_named
from ..feeding.samples import Samples
from ..feeding.wiring import Wiring
from ..kerneldef import Array
from ..metrics.outputs import OutputForm, positive_scores
from ..run_folder.folder import OutputFacts
from ..run_folder.json_files import for_json
from .evaluator import MEASURED_AT_ONCE, form_of

YES_OR_NO = ("no", "yes")
SHOWN = 5  # names or numbers of an answer in a line


@dataclass(frozen=True, slots=True)
class Answer:
    """What one output says of one sample.

    Attributes:
        ranked: Names and their scores, the likeliest first: a class and its probability, or the
            share of positions that it has where each position has a class.
        values: The output's numbers where it says no class.
    """

    ranked: tuple[tuple[str, float], ...] = ()
    values: tuple[float, ...] = ()

    def __repr__(self) -> str:
        """Its first names or numbers: a map has thousands."""
        shown = replace(self, ranked=self.ranked[:SHOWN], values=self.values[:SHOWN])
        more = "  ..." * (len(self.ranked) + len(self.values) > SHOWN)
        return f"<Answer {shown}{more}>"

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON; numbers that are not finite are texts."""
        if not self.ranked:
            return {"values": [for_json(value) for value in self.values]}
        return {"ranked": [{"class": name, "score": for_json(s)} for name, s in self.ranked]}

    def __str__(self) -> str:
        if self.ranked:
            return "  ".join(f"{name} {score:.4f}" for name, score in self.ranked)
        return " ".join(f"{value:.6g}" for value in self.values)


def samples_of(data: Dataset, wiring: Wiring, fitted: Fitted, augment: Sequence[Term]) -> Samples:
    """All samples of a data set, as a network takes them that was trained with augmentation."""
    still = tuple(term for term in augment if AUGMENTATIONS[term.name].still is not None)
    every = np.arange(len(data))
    return Samples(data, every, wiring, fitted, Augmenter(still, data, seed=0))


def as_batch(array: Array, shape: Sequence[int | str]) -> Array:
    """An array in the shape that samples have, (N, ...); a single sample may come alone.

    Axes of extent 1 make no difference. What does not fit is left to those who say so.
    """
    if not all(isinstance(extent, int) for extent in shape):
        return array
    if _squeezed(array.shape) == _squeezed(shape) and array.ndim <= len(shape):
        return array.reshape(1, *shape)
    alike = array.ndim and _squeezed(array.shape[1:]) == _squeezed(shape)
    return array.reshape(len(array), *shape) if alike else array


def _squeezed(shape: Sequence[int | str]) -> list[int | str]:
    return [extent for extent in shape if extent != 1]


def predict(
    graph: Graph,
    weights: Mapping[str, Array],
    samples: Samples,
    *,
    engine: str = "numpy",
    device: str = "cpu",
    dtype: str | None = None,
) -> dict[str, Array]:
    """All outputs of a network in inference mode, by name, (N, ...).

    Args:
        graph: The network.
        weights: Its weights by name.
        samples: The samples.
        engine: `numpy` or `onnxruntime`.
        device: `cpu` or, on onnxruntime, `cuda`.
        dtype: The float type to compute in, where it is not the graph's; NumPy only.

    Raises:
        NetError: Samples and network do not fit, or the engine is not available (E502).
    """
    state = {name: weights[name] for name in graph.parameters}
    run = engine_named(engine).open(graph, device=device, dtype=dtype, weights=state)
    found: dict[str, list[Array]] = {name: [] for name in graph.outputs}
    for feeds in samples.still(MEASURED_AT_ONCE):
        for name, array in restored(run(feeds, state), samples.fitted.targets).items():
            found[name].append(array)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}


def forms_of(
    graph: Graph, objective: Objective, facts: Mapping[str, OutputFacts]
) -> dict[str, OutputForm]:
    """How outputs that have a loss are read, by what is known of the run."""
    return {
        output: form_of(
            graph,
            objective,
            output,
            indexed=facts.get(output, OutputFacts()).indexed,
            names=facts.get(output, OutputFacts()).names,
        )
        for output in objective.losses
    }


def answers(output: Array, form: OutputForm | None, *, top: int = 1) -> list[Answer]:
    """What an output says of each sample.

    Args:
        output: Its numbers, (N, ...).
        form: How it is read; None for numbers.
        top: How many classes to name.
    """
    if form is None or form.task == "numbers" or form.axis is None or output.ndim < 2:
        return [Answer(values=tuple(map(float, row.reshape(-1)))) for row in output]
    scores = class_scores(output, form)
    names = class_names_of(form, scores.shape[-1])
    if scores.ndim > 2:
        scores = _shares(scores, decisions=form.task == "decisions")
    return [_ranked(row, names, top) for row in scores]


def class_scores(output: Array, form: OutputForm) -> Array:
    """The scores of classes, (N, ..., classes), in float64; a single decision has two, no and yes.

    They are probabilities, or margins, of which no has the negative one; `form.axis` is not None.
    """
    rows = np.moveaxis(output, form.axis or 0, -1)
    scores = positive_scores(form, rows.reshape(-1, rows.shape[-1])).reshape(rows.shape)
    if form.task == "decisions" and scores.shape[-1] == 1:
        no = -scores if form.scores == "margins" else 1 - scores
        return np.concatenate([no, scores], axis=-1)
    return scores


def class_names_of(form: OutputForm, count: int) -> tuple[str, ...]:
    """What a number of classes are called: their names, yes and no, or their numbers."""
    if len(form.names) == count:
        return form.names
    yes_or_no = form.task == "decisions" and count == len(YES_OR_NO)
    return YES_OR_NO if yes_or_no else tuple(map(str, range(count)))


def _shares(scores: Array, *, decisions: bool) -> Array:
    """The share of positions that each class has, (N, classes), from scores (N, ..., classes)."""
    flat = scores.reshape(len(scores), -1, scores.shape[-1])
    if decisions and flat.shape[-1] != len(YES_OR_NO):
        said: Array = (flat >= 0.5).mean(axis=1)
        return said
    chosen = flat.argmax(axis=-1)
    return np.stack([(chosen == place).mean(axis=1) for place in range(flat.shape[-1])], axis=1)


def _ranked(scores: Array, names: Sequence[str], top: int) -> Answer:
    """The names with the largest scores; of equal ones, those that come first."""
    order = np.argsort(-scores, kind="stable")[:top]
    return Answer(tuple((names[place], float(scores[place])) for place in order))

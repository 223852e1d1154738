"""A training part -> what is subtracted, divided, rotated; applied alike to every other part."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np

from ...compiler.training.data_terms import PREPROCESS, Per
from ...compiler.training.terms import Term
from ...grammar.diagnostics import error
from ..kerneldef import Array
from .choices import with_defaults
from .dataset import Batch, Dataset
from .faults import unfit

FittedArrays = dict[str, Array]
Batches = Callable[[], Iterator[Array]]  # the training part of an input, again each time

TARGETS = "targets"
_BYTES_AT_ONCE = 2**25
_LEAST = float(np.finfo(np.float32).tiny)  # what float32 can divide by
_MOST_FEATURES = 2**13  # whose covariance, 512 MiB, is decomposed in minutes


@dataclass(frozen=True, slots=True)
class PreprocessorDef:
    """A row of the table of preprocessing.

    Attributes:
        name: Its name in the language.
        fit: `fit(parts, **arguments)`: a pass or several over the training part of one input, to
            the arrays that `apply` needs.
        apply: A batch of the input and those arrays to the batch as the network sees it.
    """

    name: str
    fit: Callable[..., FittedArrays]
    apply: Callable[[Array, FittedArrays], Array]


PREPROCESSORS: dict[str, PreprocessorDef] = {}
MISSING = "missing"  # the step before all others, which data ask for: `About.fills`


def preprocessor(
    name: str, apply: Callable[[Array, FittedArrays], Array]
) -> Callable[[Callable[..., FittedArrays]], Callable[..., FittedArrays]]:
    """Enter the decorated function, which fits, into the table of preprocessing."""

    def register(function: Callable[..., FittedArrays]) -> Callable[..., FittedArrays]:
        fit = with_defaults(PREPROCESS, name, function)
        PREPROCESSORS[name] = PreprocessorDef(name, fit, apply)
        return function

    return register


@dataclass(frozen=True, slots=True)
class FittedStep:
    """One preprocessing, fitted: what it is, and its arrays by the input's name."""

    name: str
    arrays: Mapping[str, FittedArrays]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Preprocessing in its order, fitted to the training part.

    Attributes:
        steps: What is done, first things first.
        targets: What was fitted to targets, by the output's name; see `target_scaling`.
    """

    steps: tuple[FittedStep, ...] = ()
    targets: Mapping[str, FittedArrays] = field(default_factory=dict)

    def apply(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs by name, as the network sees them.

        Raises:
            NetError: E530, samples are of another shape than those that it was fitted to.
        """
        done = dict(inputs)
        for step in self.steps:
            for name, state in step.arrays.items():
                _check_shape(step.name, name, done[name], state)
                done[name] = application(step.name)(done[name], state)
        return done

    def state(self) -> FittedArrays:
        """What a checkpoint stores: arrays by `position.preprocessing.input.array`.

        Those of targets are called `targets.output.array`.
        """
        inputs = {
            f"{position}.{step.name}.{name}.{key}": array
            for position, step in enumerate(self.steps)
            for name, state in step.arrays.items()
            for key, array in state.items()
        }
        targets = {
            f"{TARGETS}.{name}.{key}": array
            for name, state in self.targets.items()
            for key, array in state.items()
        }
        return {**inputs, **targets}

    @classmethod
    def from_state(cls, state: Mapping[str, Array]) -> "Fitted":
        """What `state` gave.

        Raises:
            NetError: E501, arrays of something else.
        """
        steps: dict[int, tuple[str, dict[str, FittedArrays]]] = {}
        targets: dict[str, FittedArrays] = {}
        for full in state:
            position, _, rest = full.partition(".")
            if position == TARGETS:
                name, _, key = rest.rpartition(".")
                targets.setdefault(name, {})[key] = np.asarray(state[full])
                continue
            kind, _, rest = rest.partition(".")
            name, _, key = rest.rpartition(".")
            known = kind == MISSING or kind in PREPROCESSORS
            if not position.isdecimal() or not known or not name:
                raise error("E501", f"the checkpoint has no preprocessing `{full}`")
            _, arrays = steps.setdefault(int(position), (kind, {}))
            arrays.setdefault(name, {})[key] = np.asarray(state[full])
        return cls(tuple(FittedStep(*steps[position]) for position in sorted(steps)), targets)


def fit(
    choices: Iterable[Term],
    data: Dataset,
    indices: Array,
    *,
    of: Container[str] | None = None,
    view: Callable[[Batch], Batch] = lambda batch: batch,
) -> Fitted:
    """Fit preprocessing to the training part, and to nothing else.

    Each step is fitted to what the steps before make of the training part; each input of real
    numbers is fitted on its own. The training part is read in pieces.

    Args:
        choices: Names in `PREPROCESSORS` with their arguments.
        data: The data set.
        indices: The numbers of the training part's samples.
        of: The inputs that the network takes as real numbers; all where it is None.
        view: What happens to a batch before, such as `Augmenter.still`, which crops.

    Raises:
        NetError: E530, the input suits the preprocessing not; or what `Dataset.take` raises.
    """
    fitted = Fitted(_gaps_filled(data, indices, view))
    first = view(data.take(indices[:1])).inputs
    real = [name for name, array in first.items() if array.dtype.kind == "f"]
    names = [name for name in real if of is None or name in of]
    for choice in choices:
        if real and not names:
            raise unfit(
                f"`{choice.name}` makes real numbers, and the network takes whole ones",
                "leave it out, and scale within the network: `NORMALIZE(mean=127.5, std=127.5)`",
            )
        if not names:
            raise unfit(f"`{choice.name}` needs real numbers, and {data.about.name} has integers")
        arrays = {}
        for name in names:
            parts = _reader(data, indices, view, fitted, name)
            arrays[name] = PREPROCESSORS[choice.name].fit(parts, **choice.arguments)
        fitted = Fitted((*fitted.steps, FittedStep(choice.name, arrays)))
    return fitted


def _gaps_filled(
    data: Dataset, indices: Array, view: Callable[[Batch], Batch]
) -> tuple[FittedStep, ...]:
    """What replaces missing numbers of tables, as a step, where anything does."""
    arrays: dict[str, FittedArrays] = {}
    for name, how in data.about.fills.items():
        x = np.concatenate(list(_reader(data, indices, view, Fitted(), name)()))
        if isinstance(how, str):
            known = ~np.isnan(x).all(axis=0)  # a column of nothing stays 0
            value = np.zeros(x.shape[1])
            value[known] = _AVERAGES[how](x[:, known].astype(np.float64), axis=0)
        else:
            value = np.full(x.shape[1], how)
        arrays[name] = {"fill": value.astype(np.float32)}
    return (FittedStep(MISSING, arrays),) if arrays else ()


_AVERAGES: Mapping[str, Callable[..., Array]] = {"mean": np.nanmean, "median": np.nanmedian}


def application(name: str) -> Callable[[Array, FittedArrays], Array]:
    """What a fitted step does to a batch of an input."""
    return fill if name == MISSING else PREPROCESSORS[name].apply


def fill(x: Array, state: FittedArrays) -> Array:
    """x, and a column's number where it is missing."""
    return np.where(np.isnan(x), state["fill"], x)


def _check_shape(what: str, name: str, x: Array, state: FittedArrays) -> None:
    """Refuse samples from which the fitted mean cannot be subtracted."""
    shift, held = next(state[key] for key in ("shift", "fill") if key in state).shape, x.shape[1:]
    if "matrix" in state:
        fits = prod(held) == prod(shift)
    else:
        same = zip(reversed(held), reversed(shift), strict=False)
        fits = len(shift) <= len(held) and all(each in (1, extent) for extent, each in same)
    if not fits:
        extents = ", ".join(["N", *map(str, held)])
        raise unfit(
            f"`{what}` was fitted to samples of another shape than those of `{name}`, ({extents})",
            "give samples as they were in training"
            + "; for a table, `inputs=` names the columns" * (len(held) == 1),
        )


def _reader(
    data: Dataset,
    indices: Array,
    view: Callable[[Batch], Batch],
    fitted: Fitted,
    name: str,
) -> Batches:
    ordered = np.sort(indices)
    one = sum(array.nbytes for array in data.take(ordered[:1]).inputs.values())
    size = max(_BYTES_AT_ONCE // max(one, 1), 1)
    bounds = [*range(0, len(ordered), size), len(ordered)]

    def parts() -> Iterator[Array]:
        for start, end in pairwise(bounds):
            yield fitted.apply(view(data.take(ordered[start:end])).inputs)[name]

    return parts


def shift_and_scale(x: Array, state: FittedArrays) -> Array:
    """(x - shift) factor, either of which may be missing."""
    done = x - state["shift"] if "shift" in state else x
    return done * state["factor"] if "factor" in state else done


def rotate(x: Array, state: FittedArrays) -> Array:
    """(x - shift) matrix on flattened samples; of the same size, they get their shape back."""
    flat = x.reshape(len(x), -1) - state["shift"]
    turned: Array = flat @ state["matrix"]
    return turned.reshape(x.shape) if turned.shape[1] == flat.shape[1] else turned


@preprocessor("mean_subtract", shift_and_scale)
def mean_subtract(parts: Batches, *, per: Per) -> FittedArrays:
    """x - mean, the mean of the training part per element, or per channel."""
    mean, _ = moments(parts, per)
    return {"shift": mean.astype(np.float32)}


@preprocessor("standardize", shift_and_scale)
def standardize(parts: Batches, *, per: Per) -> FittedArrays:
    """(x - mean) / std; what does not vary in the training part is only shifted."""
    mean, variance = moments(parts, per)
    std = np.sqrt(variance)
    # Below float32's resolution of the mean, a deviation is rounding and no variation.
    varies = std > np.maximum(np.finfo(np.float32).eps * np.abs(mean), _LEAST)
    factor = np.where(varies, 1 / np.where(varies, std, 1.0), 1.0)
    return {"shift": mean.astype(np.float32), "factor": factor.astype(np.float32)}


@preprocessor("scale", shift_and_scale)
def scale(parts: Batches, *, low: float, high: float) -> FittedArrays:
    """A linear map of all elements alike: the smallest becomes `low`, the largest `high`.

    Raises:
        NetError: E530, `low` and `high` are the same number.
    """
    if low == high:
        raise unfit(
            f"`scale` maps the smallest and the largest value to the same number, {low:g}",
            "choose two, such as `scale(low=-1, high=1)`",
        )
    seen = (part[~np.isnan(part)] for part in parts())
    bounds = [(float(part.min()), float(part.max())) for part in seen if part.size]
    least, most = min(b[0] for b in bounds), max(b[1] for b in bounds)
    factor = (high - low) / (most - least) if most - least > _LEAST else 1.0
    shift = least - low / factor
    return {"shift": np.array([shift], np.float32), "factor": np.array([factor], np.float32)}


@preprocessor("whiten", rotate)
def whiten(
    parts: Batches,
    *,
    method: Literal["pca", "zca"],
    eps: float,
    components: int | None,
) -> FittedArrays:
    """(x - mean) U (S + eps)^(-1/2), and for ZCA times U transposed.

    U and S are eigenvectors and eigenvalues, the largest first, of the covariance of the training
    part's elements (Krizhevsky 2009, appendix A; CS231n, "Data preprocessing").

    Raises:
        NetError: E530, too many features, or more components than features.
    """
    mean, values, vectors = _principal_axes(parts, "whiten")
    if components is not None and method != "pca":
        advice = "leave `components` out to keep all"
        raise unfit(f"`components={components}` goes with `pca` only", advice)
    _check_components(components, len(mean))
    matrix = vectors / np.sqrt(np.maximum(values, 0) + eps)
    matrix = matrix @ vectors.T if method == "zca" else matrix[:, :components]
    return {"shift": mean.astype(np.float32), "matrix": matrix.astype(np.float32)}


@preprocessor("pca", rotate)
def pca(parts: Batches, *, components: int | None) -> FittedArrays:
    """(x - mean) U, the coordinates along the principal axes, those of largest variance first.

    U are the eigenvectors of the covariance of the training part's elements (Pearson 1901), of
    which `components` may keep the first; what is kept has the variances of the data.

    Raises:
        NetError: E530, too many features, or more components than features.
    """
    mean, _, vectors = _principal_axes(parts, "pca")
    _check_components(components, len(mean))
    matrix = vectors[:, :components]
    return {"shift": mean.astype(np.float32), "matrix": matrix.astype(np.float32)}


def _check_components(components: int | None, features: int) -> None:
    if components is not None and components > features:
        advice = "leave `components` out to keep all"
        raise unfit(f"`components={components}` is more than {features} features", advice)


def _principal_axes(parts: Batches, what: str) -> tuple[Array, Array, Array]:
    """Mean (F,), and the covariance's eigenvalues (F,), largest first, and eigenvectors (F, F)."""
    mean, covariance = _covariance(parts, what)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return mean, values, vectors * np.where(largest < 0, -1.0, 1.0)  # known up to the sign


def moments(parts: Batches, per: Per) -> tuple[Array, Array]:
    """Mean and (biased) variance in float64, in one pass (Chan, Golub and LeVeque 1983).

    Per element they have the shape of a sample; per channel (C, 1, ..., 1), and of vectors (F,).
    NaN, which targets hold where they are not known, is left out.
    """
    count, mean, squares = np.zeros(()), np.zeros(()), np.zeros(())
    for part in parts():
        wide = part.astype(np.float64)
        axes = (0, *range(2, wide.ndim)) if per == "channel" else (0,)
        known = ~np.isnan(wide)
        added = known.sum(axis=axes, keepdims=True)[0]
        own = np.where(known, wide, 0).sum(axis=axes, keepdims=True)[0] / np.maximum(added, 1)
        difference = own - mean
        deviations = np.where(known, wide - own, 0) ** 2
        total = np.maximum(count + added, 1)
        squares = squares + deviations.sum(axis=axes, keepdims=True)[0]
        squares = squares + difference**2 * (count * added / total)
        mean = mean + difference * (added / total)
        count = count + added
    return mean, squares / np.maximum(count, 1)


def _covariance(parts: Batches, what: str) -> tuple[Array, Array]:
    """Mean (F,) and covariance (F, F) of flattened samples, divided by their number."""
    mean = moments(parts, "element")[0].reshape(-1)
    if len(mean) > _MOST_FEATURES:
        raise unfit(
            f"`{what}` needs the covariance of {len(mean):_} numbers per sample",
            f"it takes up to {_MOST_FEATURES:_}: use smaller images, or `standardize`",
        )
    covariance, count = np.zeros((len(mean), len(mean))), 0
    for part in parts():
        centred = part.reshape(len(part), -1) - mean
        covariance += centred.T @ centred
        count += len(part)
    return mean, covariance / count

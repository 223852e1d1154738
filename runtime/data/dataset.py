"""Data sets: samples by number, read when they are asked for, and checked as they are read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ...grammar.diagnostics import error
from ..arrays.from_python import are_words, fault_of, to_array
from ..kerneldef import Array
from .columns import ColumnsByInput
from .faults import empty, mismatched
from .fingerprints import digest, of_arrays, some

INPUT_NAME = "input"
TARGET_NAME = "target"
WHITE = 255.0  # the largest byte, which is 1 in the pictures of all data sets

# What a target means, which augmentation has to know:
# label: class index, (N,); values: numbers that mean nothing in the picture;
# box: (N, 4), x0 y0 x1 y1 as fractions of width and height, from the picture's edges;
# mask: class index per pixel, (N, H, W); image: a picture of the input's size, (N, C, H, W);
# points: (N, 2 K), x y of K points in pixels, the first pixel's centre is (0, 0);
# unit_points: the same from -1 (first pixel's centre) to 1 (last pixel's centre).
TargetKind = Literal["label", "values", "box", "mask", "image", "points", "unit_points"]
IN_PICTURES: tuple[TargetKind, ...] = ("mask", "image")  # targets that are pictures themselves
MirrorPairs = tuple[tuple[int, int], ...]
Change = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Mixture:
    """What a batch's samples were mixed of: each of itself and of the one before it.

    Attributes:
        share: How much of a sample is itself, (n,).
        pasted: Whether the rest is a region of the picture, and of targets that are pictures.
    """

    share: Array
    pasted: bool = False

    def mixed(self, x: Array) -> Array:
        """An array of the batch, mixed."""
        share = self.share.reshape(-1, *(1,) * (x.ndim - 1)).astype(x.dtype)
        found: Array = share * x + (1 - share) * np.roll(x, 1, axis=0)
        return found


@dataclass(frozen=True, slots=True)
class Batch:
    """Some samples: arrays by name, the sample on axis 0. Images are (N, C, H, W) float32.

    Attributes:
        inputs, targets: By name.
        mixtures: How targets are still to be mixed, one mixture after the other.
    """

    inputs: dict[str, Array]
    targets: dict[str, Array]
    mixtures: "tuple[Mixture, ...]" = ()

    def __repr__(self) -> str:
        arrays = {**self.inputs, **self.targets}.items()
        found = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in arrays)
        return f"<Batch of {len(self)}: {found}>"

    def __len__(self) -> int:
        return len(next(iter((self.inputs | self.targets).values())))


@dataclass(frozen=True, slots=True)
class About:
    """What a data set says of itself besides its samples.

    Attributes:
        name: What messages call it.
        kinds: What each target means.
        class_names: The names of the classes of targets that have some.
        held_out: How many samples, the last ones, are a separate test part.
        validation: How many samples, those before them, are a separate validation part.
        always: Whether these parts are used whatever shares a split gives them.
        groups: A number for each sample, (N,); those of one number are in one part of a split.
        ranks: Where each sample is in time, (N,); a split takes the latest for its last parts.
        pairs: The points of a target that change places in a mirror, such as the two eyes.
        columns: The names of the columns of inputs that have some.
        encodings: What becomes of the columns of a table, by the input that they make.
        target_columns: The names of the table's columns that make the target.
        fills: What replaces missing numbers of inputs: `mean`, `median` or a number; they are NaN.
        key: The name of the column that says what samples are called, or nothing.
        keys: What samples are called, one for each; or nothing.
        notes: What was made of the data, in lines for the user.
        units: Inputs that networks may take as whole numbers, and what 1.0 of them then is: 255 in
            pictures, 1 where bytes or truth values are as they were.
    """

    name: str
    kinds: Mapping[str, TargetKind] = field(default_factory=dict)
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_out: int = 0
    validation: int = 0
    always: bool = False
    groups: Array | None = field(default=None, compare=False, repr=False)
    ranks: Array | None = field(default=None, compare=False, repr=False)
    pairs: Mapping[str, MirrorPairs] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    encodings: ColumnsByInput = field(default_factory=dict)
    target_columns: tuple[str, ...] = ()
    fills: Mapping[str, str | float] = field(default_factory=dict)
    key: str = ""
    keys: tuple[str, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()


class Dataset(ABC):
    """Random access to samples; no more is in memory than is asked for, where the format allows."""

    about: About

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.about.name}: {len(self):,} samples>"

    @abstractmethod
    def __len__(self) -> int:
        """The number of samples."""

    @abstractmethod
    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, (n,) int64, in this order, unchecked."""

    def labels(self) -> Array | None:
        """The class of every sample, (N,), or None where there are none; it reads no pictures."""
        return None

    def is_complete(self, target: str, ignored: int | None = None) -> bool:
        """Whether a target is known to be given for all samples, without files to be read for it.

        Args:
            target: Its name.
            ignored: A class that counts for nothing.
        """
        first = next((name for name, kind in self.about.kinds.items() if kind == "label"), None)
        labels = self.labels() if target == first else None
        return labels is not None and not (labels == ignored).any()

    def fingerprint(self) -> str:
        """A digest of the values and the names of classes; where it is equal, the data are.

        Of data of unknown origin, only some samples are looked at; a subclass knows better.
        """
        batch = self.read(some(len(self)))
        found = {**batch.inputs, **batch.targets}
        values = [part for name in found for part in (name, found[name])]
        return digest([f"{len(self)} {dict(self.about.class_names)}", *values])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, or () where they have none."""
        return next(iter(self.about.class_names.values()), ())

    def take(self, indices: Sequence[int] | Array) -> Batch:
        """The samples of these numbers, in this order.

        Raises:
            NetError: A number is not finite (E524), or a file is damaged (E521).
        """
        numbers = np.asarray(indices, np.int64)
        batch = self.read(numbers)
        for name, array in batch.inputs.items():
            gaps = name in self.about.encodings  # which are replaced, or were refused
            check_finite(self.about.name, f"the input `{name}`", array, numbers, missing=gaps)
        for name, array in batch.targets.items():
            missing = self.about.kinds.get(name) != "label"
            check_finite(self.about.name, f"`{name}`", array, numbers, missing=missing)
        return batch


def check_finite(
    where: str, what: str, array: Array, samples: Array, *, missing: bool = False
) -> None:
    """Refuse numbers that are not finite; with `missing`, NaN is a target that is not known.

    Raises:
        NetError: E524, with the first such sample's number.
    """
    if array.dtype.kind != "f":
        return
    bad = np.isinf(array) if missing else ~np.isfinite(array)
    if not bad.any():
        return
    sample = np.argwhere(bad)[0][0]
    value = array[bad].flat[0]
    raise error(
        "E524",
        f"{where}: {what} of sample {int(samples[sample])} holds {value}",
        notes=["samples count from 0"],
        help="leave such samples out, or replace what is missing before training",
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples on axis 0 of one array or several in a row, which may be mapped files.

    Attributes:
        parts: Arrays of the same shape but for axis 0.
        dtype: What the samples become: float32 or int64.
        divisor: What they are divided by, such as the largest value of a pixel.
    """

    parts: tuple[Array, ...]
    dtype: str
    divisor: float = 1.0

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def in_memory(self) -> bool:
        """Whether looking at all samples reads no file."""
        return not any(isinstance(part, np.memmap) for part in self.parts)

    def take(self, indices: Array) -> Array:
        """The samples of these numbers as a new array, (n, ...)."""
        if len(self.parts) == 1:
            taken = np.asarray(self.parts[0][indices])
        else:
            taken = self._gathered(indices)
        with np.errstate(over="ignore"):  # what becomes infinite is refused later, where it is used
            taken = taken.astype(self.dtype)  # always a copy, also of what is not mapped
        if self.divisor != 1.0:
            taken /= np.asarray(self.divisor, self.dtype)
        return taken

    def _gathered(self, indices: Array) -> Array:
        first = self.parts[0]
        taken = np.empty((len(indices), *first.shape[1:]), first.dtype)
        start = 0
        for part in self.parts:
            here = (indices >= start) & (indices < start + len(part))
            taken[here] = part[indices[here] - start]
            start += len(part)
        return taken


class ArrayData(Dataset):
    """A data set of arrays, in memory or mapped from files.

    Raises:
        NetError: The numbers of samples differ (E522), there are none (E525), or one that is in
            memory is not finite (E524).
    """

    def __init__(
        self, inputs: Mapping[str, Rows], targets: Mapping[str, Rows], about: About
    ) -> None:
        self.inputs = dict(inputs)
        self.targets = dict(targets)
        self.about = about
        counts = [(f"`{name}`", len(rows)) for name, rows in (self.inputs | self.targets).items()]
        if len({count for _, count in counts}) > 1:
            raise mismatched(counts)
        if not counts or counts[0][1] == 0:
            raise empty(about.name)
        self._check()

    def __len__(self) -> int:
        return len(next(iter((self.inputs | self.targets).values())))

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers."""
        return Batch(
            {name: rows.take(indices) for name, rows in self.inputs.items()},
            {name: rows.take(indices) for name, rows in self.targets.items()},
        )

    def labels(self) -> Array | None:
        """The class of every sample, of the first target that is a label."""
        for name, rows in self.targets.items():
            if self.about.kinds.get(name) == "label":
                return rows.take(np.arange(len(rows))).reshape(-1)
        return None

    def is_complete(self, target: str, ignored: int | None = None) -> bool:
        """See `Dataset`."""
        rows = self.targets[target]
        lacks = (np.isnan(part) | (part == ignored) for part in rows.parts)
        return rows.in_memory and not any(each.any() for each in lacks)

    def fingerprint(self) -> str:
        """A digest of all values; of very large arrays, of evenly spaced samples."""
        named = (
            part
            for name, rows in (self.inputs | self.targets).items()
            for part in (name, *of_arrays(rows.parts, rows.dtype, rows.divisor))
        )
        return digest([str(dict(self.about.class_names)), *named])

    def _check(self) -> None:
        """Find what is not finite at once where that reads no file, so that no run starts."""
        for name, rows in (self.inputs | self.targets).items():
            if not rows.in_memory:
                continue
            masked = name in self.targets and self.about.kinds.get(name) != "label"
            masked = masked or name in self.about.encodings
            what = f"the input `{name}`" if name in self.inputs else f"`{name}`"
            start = 0
            for part in rows.parts:
                numbers = range(start, start + len(part))
                check_finite(self.about.name, what, part, np.asarray(numbers), missing=masked)
                start += len(part)


def as_array(given: Any, what: str) -> Array:
    """What Python gives as an array of numbers or of words.

    Raises:
        NetError: E529, it holds something else, or rows of different lengths.
    """
    try:
        array = to_array(given)
    except ValueError as failure:
        message = f"{what} is not an array of numbers"
        raise error("E529", message, notes=[str(failure)]) from None
    fault = None if are_words(array) else fault_of(array)
    if fault is not None:
        raise error("E529", f"{what} holds {fault[0]}", help=fault[1])
    return array


def as_numbers(given: Any, what: str) -> Array:
    """An array of numbers from Python's; `what` is what messages call it.

    Raises:
        NetError: E529, it holds anything else, or rows of different lengths.
    """
    array = as_array(given, what)
    fault = fault_of(array)
    if fault is not None:
        raise error("E529", f"{what} holds {fault[0]}", help=fault[1])
    return array


class Converted(Dataset):
    """A data set some arrays of which are changed as they are read.

    Args:
        data: The data set.
        about: What is then known of it.
        inputs: What becomes of inputs, by name.
        targets: What becomes of targets, by name.
        identity: Texts and arrays by which the changes differ from others.
    """

    def __init__(
        self,
        data: Dataset,
        about: About,
        *,
        inputs: Mapping[str, Change] = MappingProxyType({}),
        targets: Mapping[str, Change] = MappingProxyType({}),
        identity: Sequence[str | Array] = (),
    ) -> None:
        self.data, self.about, self.identity = data, about, identity
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Array) -> Batch:
        """The samples of these numbers, changed."""
        batch = self.data.read(indices)
        return Batch(_changed(batch.inputs, self.inputs), _changed(batch.targets, self.targets))

    def fingerprint(self) -> str:
        """That of the data, with what identifies the changes."""
        return digest([self.data.fingerprint(), *self.identity])

    def labels(self) -> Array | None:
        """The class of every sample, changed."""
        labels = self.data.labels()
        kinds = self.about.kinds
        change = next((c for name, c in self.targets.items() if kinds.get(name) == "label"), None)
        return labels if labels is None or change is None else change(labels)


def _changed(arrays: Mapping[str, Array], changes: Mapping[str, Change]) -> dict[str, Array]:
    return {name: changes[name](a) if name in changes else a for name, a in arrays.items()}

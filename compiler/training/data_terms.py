"""What `data`, `preprocess` and `augment` may say: names and arguments of what the runtime does.

The functions that do it are those of `runtime/data`, entered under the same names; they take
these arguments, whose defaults stand here alone.
"""

from dataclasses import KW_ONLY
from typing import Annotated, Any, Literal

from ...grammar.records import record
from ..expressions.arguments import (
    ExtentPerAxis,
    Flag,
    Kind,
    Mismatch,
    Natural,
    Nonnegative,
    Positive,
    PositiveReal,
    Probability,
    QuotedText,
    Real,
    Word,
    kind_of,
)
from .terms import TermDef, TermTable, keyword_arguments


@record
class PreprocessDef(TermDef):
    """A row of the table of preprocessing.

    Attributes:
        shifts: Whether it shifts and scales numbers, which is undone for targets.
    """

    _: KW_ONLY
    shifts: bool = False


@record
class AugmentDef(TermDef):
    """A row of the table of augmentations.

    Attributes:
        mixes: Whether it mixes samples, so that a target is several at once.
        pastes: Whether it does so with pictures region by region, and with masks likewise.
    """

    _: KW_ONLY
    mixes: bool = False
    pastes: bool = False


DATA = TermTable("data", "data set", TermDef)
PREPROCESS = TermTable("preprocess", "preprocessing", PreprocessDef)
AUGMENT = TermTable("augment", "augmentation", AugmentDef)


def _one_or_several(single: Kind, several: str) -> Kind:
    """A value, or a list of such, as a tuple."""

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return single.convert(value)
        if not value:
            raise Mismatch
        return tuple(single.convert(item) for item in value)

    return Kind(f"{single.expected}, or {several}", convert, single.words)


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    """A list of pairs of numbers of points, as tuples."""
    if not isinstance(value, list | tuple) or not value:
        raise Mismatch
    return tuple(_pair(item) for item in value)


def _pair(value: Any) -> tuple[int, int]:
    natural = kind_of(Natural).convert
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Mismatch
    return natural(value[0]), natural(value[1])


def _class_names(value: Any) -> tuple[str, ...]:
    """A list of words and whole numbers, as words."""
    if not isinstance(value, list | tuple) or not value:
        raise Mismatch
    if any(isinstance(name, bool) or not isinstance(name, str | int) for name in value):
        raise Mismatch
    return tuple(map(str, value))


def _plane(value: Any) -> tuple[int, int]:
    extents = kind_of(ExtentPerAxis).convert(value)
    if len(extents) != 2:
        raise Mismatch
    return extents[0], extents[1]


def _gray_or_color(value: Any) -> int:
    if isinstance(value, bool | Word) or value not in (1, 3):
        raise Mismatch
    return int(value)


def _filling(value: Any) -> str | float:
    """A word for what is done about missing values, or the number that replaces them."""
    if isinstance(value, Word):
        if value not in FILLINGS:
            raise Mismatch
        return str(value)
    return float(kind_of(Real).convert(value))


FILLINGS = ("mean", "median", "drop")
Filling = Annotated[
    Any, Kind("`mean`, `median`, `drop`, or the number that replaces them", _filling, FILLINGS)
]


def _share(value: Any) -> float:
    share = float(kind_of(PositiveReal).convert(value))
    return float(kind_of(Probability).convert(share))


ColumnNames = Annotated[Any, _one_or_several(kind_of(QuotedText), "a list of such texts")]
Classes = Annotated[Any, Kind("a list of classes such as `[1, 2, 3]`", _class_names)]
PointPairs = Annotated[Any, Kind("a list of pairs of points such as `[(0, 1), (2, 4)]`", _pairs)]
Plane = Annotated[tuple[int, int], Kind("height x width, such as `28x28`", _plane)]
Channels = Annotated[int, Kind("1 or 3", _gray_or_color)]
Shown = Literal["label", "box", "mask"]
ShapeTargets = Annotated[Any, _one_or_several(kind_of(Shown), "a list of these")]
Per = Literal["element", "channel"]
Share = Annotated[float, Kind("a number above 0 and at most 1", _share)]


@DATA.enter("digits")
def digits() -> None:
    """The UCI 8x8 handwritten digits, which ship with netc."""


@DATA.enter("idx", choice="path")
def idx(*, path: QuotedText, labels: QuotedText | None = None) -> None:
    """MNIST's format: a folder with its usual file names, or a file of images and one of labels."""


@DATA.enter("cifar10", choice="path")
def cifar10(*, path: QuotedText) -> None:
    """A folder with CIFAR-10's binary batches."""


@DATA.enter("npz", choice="path")
def npz(*, path: QuotedText, x: QuotedText = "x", y: QuotedText = "y") -> None:
    """Two arrays of a NumPy archive."""


def _tables(
    *,
    target: ColumnNames | None = None,
    inputs: ColumnNames | None = None,
    classes: Classes | None = None,
    points: Literal["pixels", "unit"] = "pixels",
    missing: Filling | None = None,
    indicator: Flag = False,
    onehot: ColumnNames | None = None,
    codes: ColumnNames | None = None,
    dates: ColumnNames | None = None,
    drop: ColumnNames | None = None,
    index: QuotedText | None = None,
    group: QuotedText | None = None,
    order: QuotedText | None = None,
    pictures: QuotedText | None = None,
    files: QuotedText = "",
    size: Plane | None = None,
    channels: Channels = 3,
) -> None:
    """What columns of tables are: `Reading` of the runtime."""


@DATA.enter("csv", choice="path", after=keyword_arguments(_tables))
def csv(
    *,
    path: QuotedText,
    labels: QuotedText | None = None,
    header: Flag | None = None,
    delimiter: QuotedText | None = None,
    decimal: QuotedText | None = None,
) -> None:
    """A table of text; the last column is the target where none is named."""


@DATA.enter("parquet", choice="path", after=keyword_arguments(_tables))
def parquet(*, path: QuotedText) -> None:
    """A Parquet file, which is read as a table of text is."""


@DATA.enter("json", choice="path", after=keyword_arguments(_tables))
def json(*, path: QuotedText) -> None:
    """Records as JSON, or an object on each line, which are read as a table of text is."""


@DATA.enter("images", choice="path", size="size")
def images(*, path: QuotedText, size: Plane | None = None, channels: Channels = 3) -> None:
    """A folder of images, a folder for each class."""


@DATA.enter("xor", numbers=("samples",))
def xor(*, samples: Positive = 4, noise: Nonnegative = 0.0, seed: Natural = 0) -> None:
    """Exclusive or: four points of two classes."""


@DATA.enter("spirals", numbers=("samples",))
def spirals(
    *,
    samples: Positive = 300,
    classes: Positive = 3,
    noise: Nonnegative = 0.2,
    seed: Natural = 0,
) -> None:
    """Points on the arms of a spiral, an arm for each class."""


@DATA.enter("shapes", numbers=("samples",), choice="target")
def shapes(
    *,
    samples: Positive = 2000,
    target: ShapeTargets = "label",
    objects: Positive = 2,
    noise: Nonnegative = 0.05,
    seed: Natural = 0,
) -> None:
    """Images of 64x64 with overlapping shapes of three classes."""


@PREPROCESS.enter("mean_subtract", choice="per", shifts=True)
def mean_subtract(*, per: Per = "element") -> None:
    """Subtracts the training part's mean."""


@PREPROCESS.enter("standardize", choice="per", shifts=True)
def standardize(*, per: Per = "element") -> None:
    """Subtracts the training part's mean and divides by its deviation."""


@PREPROCESS.enter("scale", shifts=True)
def scale(*, low: Real = 0.0, high: Real = 1.0) -> None:
    """Maps the training part's smallest and largest value to these numbers."""


@PREPROCESS.enter("whiten", choice="method")
def whiten(
    *,
    method: Literal["pca", "zca"] = "pca",
    eps: PositiveReal = 1e-5,
    components: Positive | None = None,
) -> None:
    """Makes the training part's features uncorrelated and of variance 1."""


@PREPROCESS.enter("pca", numbers=("components",))
def pca(*, components: Positive | None = None) -> None:
    """Turns the training part's features onto their principal axes, and keeps the first."""


@AUGMENT.enter("flip", choice="axis")
def flip(
    *,
    axis: Literal["horizontal", "vertical"] = "horizontal",
    rate: Probability = 0.5,
    pairs: PointPairs | None = None,
) -> None:
    """Mirrors some of the samples, and with them points, of which pairs change places."""


@AUGMENT.enter("rotate", numbers=("degrees",))
def rotate(*, degrees: PositiveReal) -> None:
    """Turns each sample by up to `degrees` either way."""


@AUGMENT.enter("translate", numbers=("pixels",))
def translate(*, pixels: Natural) -> None:
    """Moves each sample by up to `pixels` along each axis."""


@AUGMENT.enter("crop", size="size")
def crop(*, size: Plane, pad: Natural = 0) -> None:
    """Cuts a part of that size out: anywhere in training, at the centre otherwise.

    With `pad`, out of a picture with a border of that many pixels.
    """


@AUGMENT.enter("noise", numbers=("std",))
def noise(*, std: PositiveReal) -> None:
    """Adds normal noise of that deviation."""


@AUGMENT.enter("color", numbers=("amount",))
def color(*, amount: PositiveReal) -> None:
    """Changes brightness, contrast and colours by up to that amount."""


@AUGMENT.enter("cutout", numbers=("size",))
def cutout(*, size: Positive) -> None:
    """Blackens a square of `size` pixels, which may reach beyond the edge."""


@AUGMENT.enter("erase", numbers=("rate",))
def erase(*, rate: Probability = 0.5, least: Share = 0.02, most: Share = 0.33) -> None:
    """Blackens a rectangle of some of the samples, whose area is between two shares."""


@AUGMENT.enter("mixup", numbers=("alpha",), mixes=True)
def mixup(*, alpha: PositiveReal = 0.2, rate: Probability = 1.0) -> None:
    """Mixes each sample with another of its batch, and their targets alike."""


@AUGMENT.enter("cutmix", numbers=("alpha",), mixes=True, pastes=True)
def cutmix(*, alpha: PositiveReal = 1.0, rate: Probability = 1.0) -> None:
    """Pastes a rectangle of another picture of the batch, and mixes targets by its area."""

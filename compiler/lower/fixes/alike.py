"""Steps that bring the branches of a merge to one size and one element type."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from math import prod

from ...ir.dim import Dim
from ...ir.types import DType, Shape, TensorType, author_extents

CAST = 'op("Cast", to="{}")'
MOST_COMBINATIONS = 50  # of steps at the ends of branches, that are tried for one size

MOST_BRANCHES = 8
MOST_BINS = 10_000  # that a pool of bins which are not equal is offered for


@dataclass(frozen=True, slots=True)
class BranchEnding:
    """What a branch may end in: text, empty where it stays, and how much is to be said against."""

    text: str = ""
    cost: int = 0

    def then(self, other: "BranchEnding") -> "BranchEnding":
        """Both steps, one after the other."""
        text = " -> ".join(step.text for step in (self, other) if step.text)
        return BranchEnding(text, self.cost + other.cost)


STAY = BranchEnding()


class NamedNumber(int):
    """A number that a parameter of a block, or of a loop, holds, and that goes by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


def alike(
    types: Sequence[TensorType], names: Mapping[int, str], *, ignored: int | None = None
) -> Iterator[Sequence[BranchEnding]]:
    """Steps for each of some branches after which they may fit each other, the plainest first.

    Args:
        types: What the branches yield.
        names: What numbers of channels are called where the branches are merged.
        ignored: The author's axis along which they may differ.
    """
    if len(types) > MOST_BRANCHES:
        return
    sizes = [_named(author_extents(type), names) for type in types]
    casts = _casts(types)
    found: list[Sequence[BranchEnding]] = []
    for target in dict.fromkeys((*sizes, *_smallest(sizes))):
        choices = [list(_steps(size, _except(size, target, ignored))) for size in sizes]
        for chosen in islice(product(*choices), MOST_COMBINATIONS):
            steps = [cast.then(step) for cast, step in zip(casts, chosen, strict=True)]
            found.append([_with_stride(step, names) for step in steps])
    yield from sorted(found, key=lambda steps: sum(step.cost for step in steps))


def _named(size: Shape, names: Mapping[int, str]) -> Shape:
    """A size whose channels go by their name, where they have one."""
    if not size or not isinstance(size[-1], int) or size[-1] not in names:
        return size
    channels = NamedNumber(size[-1])
    channels.name = names[size[-1]]
    return (*size[:-1], channels)


def _with_stride(step: BranchEnding, names: Mapping[int, str]) -> BranchEnding:
    """A step whose stride goes by its name, where it has one."""
    text = _STRIDE.sub(lambda match: names.get(int(match[0]), match[0]), step.text)
    return replace(step, text=text)


_STRIDE = re.compile(r"(?<=stride=)\d+\b(?!x)")


def resized(own: TensorType, wanted: TensorType) -> Iterator[BranchEnding]:
    """Steps that may bring a tensor to another's size."""
    yield from _steps(author_extents(own), author_extents(wanted))


def projection(size: Sequence[Dim], channels: int) -> str:
    """The layer that gives a tensor of some size, channels last, other channels."""
    if len(size) <= 2:
        return f"LINEAR({channels})" if len(size) == 2 else f"FC({channels})"
    return f"CONV({'x'.join('1' * (len(size) - 1))}, {channels})"


def _casts(types: Sequence[TensorType]) -> Sequence[BranchEnding]:
    """What gives branches the element type of the first that holds real numbers."""
    real = next((type.dtype for type in types if type.dtype.is_float), DType.FLOAT32)
    cast = BranchEnding(CAST.format(real.value), 1)
    return [STAY if type.dtype is real else cast for type in types]


def _smallest(sizes: Sequence[Shape]) -> Iterator[Shape]:
    """The least extent along each axis but the last, with the first one's channels."""
    if len({len(size) for size in sizes}) > 1 or not sizes[0]:
        return
    columns = list(zip(*sizes, strict=True))[:-1]
    numbers = [[extent for extent in column if isinstance(extent, int)] for column in columns]
    if all(len(column) == len(sizes) for column in numbers):
        yield (*map(min, numbers), sizes[0][-1])


def _except(own: Shape, target: Shape, ignored: int | None) -> Shape:
    """The target, along an axis that is ignored the branch's own extent."""
    if ignored is None or not (-len(own) <= ignored < len(own) == len(target)):
        return target
    place = ignored % len(own)
    return (*target[:place], own[place], *target[place + 1 :])


def _steps(own: Shape, target: Shape) -> Iterator[BranchEnding]:
    """What may bring extents to others, or to some that repeat to them."""
    if not own or not target:
        yield STAY
    elif len(own) == len(target):
        yield from _within_rank(own, target)
    elif 1 in (len(own), len(target)):  # a vector aligns with the channels
        yield from _within_rank(own, (*own[:-1], target[-1]))
    else:
        yield from _across_ranks(own, target)


def _within_rank(own: Shape, target: Shape) -> Iterator[BranchEnding]:
    wanted = tuple(
        mine if 1 in (mine, other) else other for mine, other in zip(own, target, strict=True)
    )
    (*before, channels), (*after, meant) = own, wanted
    if channels == meant:
        yield from _moved(before, after)
    elif isinstance(channels, int) and isinstance(meant, int) and meant > 0:
        projected = BranchEnding(projection(own, meant), 1 if len(own) == 1 else 2)
        if (factors := _factors(before, after)) and factors != (1,) * len(factors):
            yield BranchEnding(_strided(factors, meant), 3)
        elif any(not isinstance(extent, int) for extent in (*before, *after)):
            yield BranchEnding(_strided((2,) * len(before), meant), 3)
        yield from (step.then(projected) for step in _moved(before, after))


def _across_ranks(own: Shape, target: Shape) -> Iterator[BranchEnding]:
    """Between sequences, images and volumes: the same positions, or their mean."""
    numbers = [extent for extent in (*own, *target[:-1]) if isinstance(extent, int)]
    if len(numbers) == len(own) + len(target) - 1 and prod(numbers[: len(own) - 1]) == prod(
        numbers[len(own) :]
    ):
        size = (*target[:-1], own[-1])
        reshape = BranchEnding(f"RESHAPE({_spelled(size)})", 1)
        yield from (reshape.then(step) for step in _within_rank(size, target))
    mean = BranchEnding("GAP", 3)
    yield from (mean.then(step) for step in _within_rank(own[-1:], target[-1:]))


def _moved(own: Sequence[Dim], wanted: Sequence[Dim]) -> Iterator[BranchEnding]:
    """What may bring positions to others."""
    if list(own) == list(wanted):
        yield STAY
        return
    if down := _factors(own, wanted):
        yield BranchEnding(_sized("POOL", "kernel", down), 1)
    if up := _factors(wanted, own):
        yield BranchEnding(_sized("UPSAMPLE", "factor", up), 2)
    pairs = [
        (mine, other)
        for mine, other in zip(own, wanted, strict=True)
        if isinstance(mine, int) and isinstance(other, int)
    ]
    if len(pairs) < len(own):
        yield from _moved_open(own, wanted)
    elif all(0 < other <= mine for mine, other in pairs):
        if all(2 * other > mine for mine, other in pairs):
            yield BranchEnding(_sized("CROP", "size", wanted), 2)
        if max(mine for mine, _ in pairs) <= MOST_BINS:
            yield BranchEnding(_sized("ADAPTIVEPOOL", "size", wanted), 3)


def _moved_open(own: Sequence[Dim], wanted: Sequence[Dim]) -> Iterator[BranchEnding]:
    """What may bring positions of open extents to others: by a constant, or by a half."""
    surplus = {mine - other for mine, other in zip(own, wanted, strict=True)}
    if len(surplus) == 1 and isinstance(cut := surplus.pop(), int) and cut > 0:
        yield BranchEnding(_cropped(cut // 2, cut - cut // 2, len(own)), 2)
    twice = (2,) * len(own)
    yield BranchEnding(_sized("POOL", "kernel", twice), 1)
    yield BranchEnding(_sized("POOL", "kernel", twice)[:-1] + ", ceil=yes)", 1)
    yield BranchEnding(_sized("UPSAMPLE", "factor", twice), 2)


def _cropped(before: int, after: int, rank: int) -> str:
    """A call that cuts as much at each end of all axes."""
    if before == after:
        return f"CROP(margin={before})"
    if rank == 1:
        return f"SLICE({before}, -{after}, axis=length)"
    return f"CROP(margin=({_spelled((before,) * rank)}, {_spelled((after,) * rank)}))"


def _factors(larger: Sequence[Dim], smaller: Sequence[Dim]) -> tuple[int, ...] | None:
    """How many times larger one is than the other along each axis, where that is whole."""
    factors: list[int] = []
    for a, b in zip(larger, smaller, strict=True):
        if a == b:
            factors.append(1)
        elif isinstance(a, int) and isinstance(b, int) and b > 0 and a % b == 0 and a > 0:
            factors.append(a // b)
        else:
            return None
    return tuple(factors)


def _spelled(extents: Sequence[Dim]) -> str:
    return "x".join(map(str, extents))


def _sized(layer: str, argument: str, size: Sequence[Dim]) -> str:
    """A call with a size: on a sequence it is a number."""
    return f"{layer}({f'{argument}={size[0]}' if len(size) == 1 else _spelled(size)})"


def _strided(factors: tuple[int, ...], channels: int) -> str:
    """A convolution that skips positions, as shortcuts of residual networks do."""
    stride = _spelled(factors) if len(set(factors)) > 1 else str(factors[0])
    if len(factors) == 1:
        return f"CONV(kernel=1, filters={channels}, stride={stride})"
    return f"CONV({'x'.join('1' * len(factors))}, {channels}, stride={stride})"


def spoken(steps: Sequence[BranchEnding]) -> str:
    """Which branches end in what, as help says it."""
    branches: dict[str, list[str]] = {}
    for number, step in enumerate(steps, start=1):
        if step.text:
            branches.setdefault(step.text, []).append(str(number))
    return "end " + " and ".join(f"{_listed(n)} in `{text}`" for text, n in branches.items())


def _listed(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return f"branch {numbers[0]}"
    return f"branches {', '.join(numbers[:-1])} and {numbers[-1]}"


def grouped(steps: Sequence[BranchEnding], tensors: Mapping[str, object]) -> str:
    """The branches with their steps, as a program writes them."""
    ends = zip(tensors, steps, strict=True)
    return f"( {' | '.join(' -> '.join(filter(None, (n, s.text))) for n, s in ends)} )"

"""Numbers that were attributes and became arguments, and axes that are counted otherwise."""

from collections.abc import Sequence

from ..attributes import described
from ..faults import fault
from ..rewriting import Draft, rule


def to_input(draft: Draft, attribute: str, position: int) -> bool:
    """Turn an attribute into an argument; whether it was there."""
    numbers = draft.take_ints(attribute)
    if numbers is None:
        return False
    draft.put(position, draft.ints(numbers, attribute))
    return True


def must_be_input(draft: Draft, attribute: str, position: int) -> None:
    """Turn an attribute into an argument; some exporters write one before its time.

    Raises:
        NetError: E576, there is neither.
    """
    if not to_input(draft, attribute, position) and not draft.has(position):
        raise fault(f"{described(draft.node)} lacks `{attribute}`")


@rule("Squeeze Unsqueeze ReduceSum", since=13)
@rule(
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
    "ReduceSumSquare",
    since=18,
)
def axes(draft: Draft) -> None:
    """`axes` becomes an argument."""
    to_input(draft, "axes", 1)


@rule("Split", since=13)
def split_sizes(draft: Draft) -> None:
    """`split` becomes an argument."""
    to_input(draft, "split", 1)


@rule("Split", since=18)
def split_number(draft: Draft) -> None:
    """Equal parts are counted by `num_outputs`."""
    if not draft.has(1):
        draft.set(num_outputs=len(draft.node.output))


@rule("Slice", since=10)
def slice_bounds(draft: Draft) -> None:
    """`starts`, `ends` and `axes` become arguments."""
    must_be_input(draft, "starts", 1)
    must_be_input(draft, "ends", 2)
    to_input(draft, "axes", 3)


@rule("TopK", since=10)
def top_k(draft: Draft) -> None:
    """`k` becomes an argument."""
    k = draft.int_of("k", -1)
    if k < 0:
        raise fault(f"{described(draft.node)} lacks `k`")
    draft.drop("k")
    draft.put(1, draft.ints([k], "k"))


@rule("Reshape", since=5)
def reshape(draft: Draft) -> None:
    """`shape` becomes an argument."""
    draft.drop("consumed_inputs")
    must_be_input(draft, "shape", 1)


@rule("Tile", since=6)
def tile(draft: Draft) -> None:
    """A number of tiles along one axis becomes one for each axis."""
    x, tiles, axis = (draft.input(position) for position in range(3))
    place, number = (draft.add("Reshape", name, draft.ints([1], "one")) for name in (axis, tiles))
    ones = draft.ones(draft.rank(x))
    draft.become("Tile", x, draft.add("ScatterElements", ones, place, number, hint="repeats"))


@rule("Concat", since=4)
def concat(draft: Draft) -> None:
    """The axis that is not named is 1."""
    draft.set(axis=draft.int_of("axis", 1))


@rule("Softmax LogSoftmax Hardmax", since=13)
def softmax(draft: Draft) -> None:
    """It was over all axes from `axis` on, taken as one, and is over `axis` alone."""
    x, axis = draft.input(0), draft.int_of("axis", 1)
    alone = -1 if axis == -1 else _only_axis(draft.types.shape(x), axis)
    if alone is not None:
        draft.set(axis=alone)
        return
    draft.node.input[0] = draft.add("Flatten", x, hint="flat", axis=axis)
    y = draft.output(0)
    draft.node.output[0] = draft.fresh("of_flat")
    draft.set(axis=1)
    draft.place()
    shape = draft.add("Shape", x, hint="shape")
    draft.add("Reshape", draft.node.output[0], shape, output=y)


def _only_axis(shape: Sequence[int | None] | None, first: int) -> int | None:
    """The axis from one on that has more than one element; None where several may have."""
    if not shape or not -len(shape) <= first < len(shape):
        return None
    first %= len(shape)
    wide = [axis for axis in range(first, len(shape)) if shape[axis] != 1]
    return None if len(wide) > 1 else (*wide, first)[0]


@rule("DFT", since=20)
def dft(draft: Draft) -> None:
    """`axis` becomes an argument, with another default."""
    axis = draft.int_of("axis", 1)
    draft.drop("axis")
    draft.put(2, draft.scalar(axis, "axis"))

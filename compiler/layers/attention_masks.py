"""What becomes of the scores (N, heads, L, S) of attention: masks, and biases per position."""

from collections.abc import Sequence
from itertools import product
from math import inf, prod
from typing import Annotated, Any

from ..expressions.arguments import Kind, Listed, Mismatch
from ..ir.graph import Value
from ..ir.initializers import Init
from ..ir.types import BroadcastError, DType, broadcast
from .layer_builder import LayerBuilder
from .spatial import describe
from .window_partition import WINDOW, Partition, windows_before

SHIFTED = "shifted"

# The score of a masked key: equal for all keys of a position that is left none, and no infinity,
# as a row of nothing else would become NaN.
MASKED = -1e38
# What is added to the score of a later key: a first key there always is.
LATER = -inf
# Swin's own number, for positions of a window that are not neighbours in the image.
APART = -100.0
# How many positions are distinguished by constants of the graph.
MAX_POSITIONS = 2**20
# Swin cuts this distribution off at 2, a hundred deviations away.
TABLE = Init("normal", (0.02,))


def _labels(value: Any) -> str | Listed:
    """A label, or several, as the author lists them."""
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) for name in names):
        raise Mismatch
    return Listed(map(str, names)) if len(names) > 1 else str(names[0])


Masks = Annotated[
    str | tuple[str, ...],
    Kind("a label, `shifted`, or a list of these", _labels, (SHIFTED,)),
]


def _table(value: Any) -> bool | str:
    """Whether a table of biases is learned, or the label of one."""
    if not isinstance(value, bool | str):
        raise Mismatch
    return value if isinstance(value, bool) else str(value)


Table = Annotated[bool | str, Kind("`yes`, `no`, or a label", _table)]


def under_masks(build: LayerBuilder, x: Value, scores: Value, masks: str | Sequence[str]) -> Value:
    """The scores of queries `x` under one mask, or under each of several.

    Raises:
        NetError: A mask is no tensor here, or does not fit.
    """
    for mask in (masks,) if isinstance(masks, str) else masks:
        scores = _kept_apart(build, x, scores) if mask == SHIFTED else _masked(build, scores, mask)
    return scores


def _masked(build: LayerBuilder, scores: Value, label: str) -> Value:
    """The scores with what a labelled tensor masks, if it holds integers, or adds.

    Real numbers from `MASKED` down to -inf mask, too.

    Raises:
        NetError: There is no such tensor, or it does not fit.
    """
    mask = build.find(label)
    if mask is None:
        raise build.fail("E101", f"has no value `{label}` to mask with", at="mask")
    axes = {2: (1, 2), 3: (1,)}.get(mask.type.rank)
    aligned = mask if axes is None else build.Unsqueeze(mask, build.index_constant(axes))
    if not _fits(aligned, scores):
        length, keys = scores.shape[2:]
        raise build.fail(
            "E202",
            f"cannot mask {length}x{keys} scores with {describe(mask)}",
            at="mask",
            help=f"a mask has {keys} numbers, one per key, or {length}x{keys}, for each sample",
        )
    lowest = build.constant(MASKED, scores.dtype)
    if not aligned.dtype.is_float:
        return build.Where(build.Cast(aligned, to=DType.BOOL), scores, lowest)
    if aligned.dtype is not scores.dtype:
        aligned = build.Cast(aligned, to=scores.dtype)
    return build.Where(build.LessOrEqual(aligned, lowest), lowest, build.Add(scores, aligned))


def _fits(mask: Value, scores: Value) -> bool:
    """Whether a mask broadcasts to the scores, sample by sample."""
    if mask.shape[:1] not in (scores.shape[:1], (1,)):
        return False
    try:
        return broadcast([scores.shape, mask.shape]) == scores.shape
    except BroadcastError:
        return False


def masked_future(build: LayerBuilder, scores: Value) -> Value:
    """A mask (L, S) of the keys after each position."""
    extents = scores.shape[2:]
    known = tuple(extent for extent in extents if isinstance(extent, int))
    shape = build.index_constant(known) if len(known) == 2 else build.Shape(scores, start=2)
    everything = build.Expand(build.constant(LATER, scores.dtype), shape)
    return build.Trilu(everything, build.index_constant(1), upper=1)


def _kept_apart(build: LayerBuilder, x: Value, scores: Value) -> Value:
    """The scores with Swin's mask between positions that only a shift has made neighbours."""
    partition = windows_before(build, x)
    if partition is None or scores.shape[2:] != (partition.positions,) * 2:
        message = f"takes `mask=shifted` only after a {WINDOW}, within whose sequences it attends"
        help = f"leave it out, or put a `{WINDOW}` before the layer"
        raise build.fail("E201", message, at="mask", help=help)
    if not any(partition.rolls):
        return scores
    _check_length(build, partition.positions * prod(partition.counts), "mask")
    regions = partition.regions()
    rows = tuple((tuple((region,) for region in window),) for window in regions)
    columns = tuple(((window,),) for window in regions)
    near, apart = (build.constant(number, scores.dtype) for number in (0.0, APART))
    alike = build.Equal(build.index_constant(rows), build.index_constant(columns))
    mask = build.Where(alike, near, apart)
    heads, *extents = build.concrete(scores, (1, 2, 3))
    by_window = build.index_constant((-1, len(regions), heads, *extents))
    together = build.Add(build.Reshape(scores, by_window), mask)
    return build.Reshape(together, build.index_constant((-1, heads, *extents)))


def position_bias(
    build: LayerBuilder, q: Value, k: Value, heads: int, relative: bool | str
) -> Value:
    """A bias (heads, L, S) per relative position of query and key, learned or from a label's table.

    The index of a relative position is a difference of two numbers, one per position: in a
    window, with (h, w) numbered (2 W - 1) h + w, as in Swin; in a sequence i - j + S - 1.
    """
    length, keys = build.concrete(q, (1,))[0], build.concrete(k, (1,))[0]
    _check_length(build, length + keys, "relative")
    partition = windows_before(build, q)
    if partition is not None and (length != keys or windows_before(build, k) != partition):
        partition = None
    count, rows, columns = relative_positions(partition, length, keys)
    table = _biases(build, (count, heads), relative)
    index = build.Sub(
        build.index_constant(tuple((number,) for number in rows)),
        build.index_constant((tuple(columns),)),
    )
    return build.Transpose(build.Gather(table, index, axis=0), perm=(2, 0, 1))


def _biases(build: LayerBuilder, shape: tuple[int, int], relative: bool | str) -> Value:
    """A row of biases for each relative position, one per head."""
    if not isinstance(relative, str):
        return build.weight(shape, name="relative_position_bias_table", init=TABLE)
    table = build.find(relative)
    if table is None:
        raise build.fail("E101", f"has no value `{relative}` to take biases from", at="relative")
    if table.shape != (1, *shape):
        size = "x".join(map(str, shape))
        message = f"takes a bias for each relative position and head, {size}, not {describe(table)}"
        help = f"make it a `CONST` or a `PARAM` of {size}, or of what these become"
        raise build.fail("E202", message, at="relative", help=help)
    rows = build.Squeeze(table, build.index_constant((0,)))
    return rows if rows.dtype.is_float else build.Cast(rows, to=DType.FLOAT32)


def relative_positions(
    partition: Partition | None, length: int, keys: int
) -> tuple[int, Sequence[int], Sequence[int]]:
    """How many relative positions there are, and two numbers whose difference is one's index.

    The first is one per query, the second one per key.
    """
    if partition is None or partition.positions != length:
        return length + keys - 1, range(keys - 1, length + keys - 1), range(keys)
    reach = [2 * extent - 1 for extent in partition.size]
    steps = [prod(reach[axis + 1 :]) for axis in range(len(reach))]
    columns = [
        sum(step * place for step, place in zip(steps, places, strict=True))
        for places in product(*map(range, partition.size))
    ]
    origin = (prod(reach) - 1) // 2
    return prod(reach), [origin + number for number in columns], columns


def _check_length(build: LayerBuilder, positions: int, at: str) -> None:
    """Refuse what needs a list of more positions than a program can hold."""
    if positions > MAX_POSITIONS:
        message = f"takes `{at}` with at most {MAX_POSITIONS:_} positions, not {positions:_}"
        raise build.fail("E404", message, at=at)

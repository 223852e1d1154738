"""Multi-head attention (Vaswani et al. 2017, "Attention Is All You Need", section 3.2)."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from ..expressions.arguments import Flag, Initializer, Positive, Rate, Real
from ..ir.graph import Value
from ..ir.initializers import AUTO, ZEROS, Init
from ..ir.types import DType
from .attention_masks import Masks, Table, masked_future, position_bias, under_masks
from .dense import projected
from .layer_builder import LayerBuilder
from .layerdef import layer
from .sequence import sequence

MOST_GROUPED = 2**16  # heads, for each of which the graph holds the one of its keys


@layer("ATTENTION", counts="heads")
def attention(
    build: LayerBuilder,
    *xs: Value,
    heads: Positive,
    kv_heads: Positive | None = None,
    width: Positive | None = None,
    scale: Real | None = None,
    project: Flag = True,
    causal: Flag = False,
    dropout: Rate = 0.0,
    mask: Masks | None = None,
    relative: Table = False,
    bias: Flag = True,
    init: Initializer = AUTO,
) -> Value:
    """softmax(Q KT / sqrt(D) + masks) V in each head, between two dense layers.

    It takes one sequence (N, L, E), or queries (N, L, E), keys (N, S, .) and values (N, S, .), of
    which those of a batch of 1, such as learned queries, are the same for all samples.
    The weights are those of `torch.nn.MultiheadAttention`: `in_proj_weight` (3 E, E), or, where
    queries, keys or values are not as wide as E, `q_proj_weight`, `k_proj_weight` and
    `v_proj_weight`; `in_proj_bias` (3 E), `out_proj.weight` (E, E), `out_proj.bias` (E).

    Args:
        build: The builder.
        *xs: The sequences.
        heads: How many heads the features of all queries are divided among, D each.
        kv_heads: How many heads keys and values have: as many heads of queries in a row share one
            (Ainslie et al. 2023, "GQA"). By default each has its own.
        width: The features heads D of all queries, by default E, the queries' own.
        scale: What the products Q KT are multiplied by, by default 1 / sqrt(D).
        project: Whether the dense layers are there. Without them the operands are queries, keys
            and values as they stand, so that steps before can rotate or normalize them.
        causal: Whether position i attends to the positions up to i only, regardless of the mask.
        dropout: The rate of dropout on the attention weights.
        mask: A label, of integers that are 0 where a key must not be attended to, (N, S) or
            (N, L, S), or of numbers that are added to the scores, (N, S), (N, L, S) or
            (N, heads or 1, L, S). The word `shifted` keeps apart what a `WINDOW` with a shift
            has put side by side. Of a list of masks, all hold. A position that is left no key
            attends evenly to all, or with `causal` to those up to its own.
        relative: Whether each head learns a bias per relative position,
            `relative_position_bias_table`, as in Swin: (2 H - 1)(2 W - 1) of them in windows of
            H x W, L + S - 1 in other sequences. A label's tensor, of as many rows and of a channel
            for each head, is that table instead.
        bias: Whether the dense layers have biases.
        init: The initial values of the dense layers' weights.
    """
    q, k, v = _operands(build, xs, heads)
    (given,) = build.concrete(q, (2,))
    sizes = _sizes(build, width or given, heads, kv_heads or heads)
    parts: Sequence[Value] = (q, k, v)
    if project:
        parts = _projections(build, (q, k, v), sizes, init, bias)
    else:
        _check_widths(build, (q, k, v), sizes)
    queries = _by_head(build, parts[0], heads)
    keys, values = (
        _repeated(build, _by_head(build, part, sizes.kv_heads), heads) for part in parts[1:]
    )
    scores = _products(build, queries, keys, 1 / sqrt(sizes.each) if scale is None else scale)
    if relative:
        scores = build.Add(scores, position_bias(build, q, k, heads, relative))
    if mask is not None:
        scores = under_masks(build, q, scores, mask)
    if causal:
        scores = build.Add(scores, masked_future(build, scores))
    weights = build.Softmax(scores, axis=3)
    if dropout:
        weights = build.Dropout(weights, build.constant(dropout, DType.FLOAT32))
    y = _joined(build, build.MatMul(weights, values))
    return _out_projection(build, y, given, init, bias) if project else y


def _products(build: LayerBuilder, queries: Value, keys: Value, scale: float) -> Value:
    """The scores (N, heads, L, S) of queries and keys."""
    scaled = build.Mul(queries, build.constant(scale, queries.dtype))
    return build.MatMul(scaled, build.Transpose(keys, perm=(0, 1, 3, 2)))


def _out_projection(build: LayerBuilder, y: Value, units: int, init: Init, bias: bool) -> Value:
    """The last dense layer."""
    (width,) = build.concrete(y, (2,))
    weight = build.weight((units, width), name="out_proj.weight", init=init)
    shift = build.weight((units,), name="out_proj.bias", init=ZEROS) if bias else None
    return projected(build, y, weight, shift)


class _Sizes(NamedTuple):
    """How many heads queries have, and keys with their values, and how wide queries are in all."""

    heads: int
    kv_heads: int
    width: int

    @property
    def each(self) -> int:
        """The features of a head."""
        return self.width // self.heads


def _sizes(build: LayerBuilder, width: int, heads: int, kv_heads: int) -> _Sizes:
    if width % heads:
        message = f"cannot divide {width} channels among {heads} heads"
        raise build.fail("E204", message, at="heads")
    if heads != kv_heads and heads > MOST_GROUPED:
        message = f"shares keys among at most {MOST_GROUPED:_} heads, not {heads:_}"
        raise build.fail("E404", message, at="heads")
    if heads % kv_heads:
        message = f"cannot share {kv_heads} heads of keys among {heads} heads of queries"
        most = max(n for n in range(1, min(kv_heads, heads) + 1) if heads % n == 0)
        raise build.fail("E204", message, at="kv_heads", help=f"write `kv_heads={most}`")
    return _Sizes(heads, kv_heads, width)


def _check_widths(build: LayerBuilder, operands: tuple[Value, Value, Value], sizes: _Sizes) -> None:
    """Operands that no dense layer maps are as wide as the heads take them.

    Raises:
        NetError: E202, they are not.
    """
    q, k, v = (build.concrete(x, (2,))[0] for x in operands)
    keys = sizes.kv_heads * sizes.each
    if q != sizes.width or k != keys or v % sizes.kv_heads:
        raise build.fail(
            "E202",
            f"cannot pair queries of {q} channels with keys of {k} and values of {v}",
            help=f"{sizes.heads} heads of queries and {sizes.kv_heads} of keys take"
            f" {sizes.width} channels and {keys}",
        )


def _operands(build: LayerBuilder, xs: Sequence[Value], heads: int) -> tuple[Value, Value, Value]:
    """Queries, keys and values, which may be one sequence.

    Raises:
        NetError: There are not one or three, or keys and values differ in length.
    """
    if len(xs) not in (1, 3):
        raise build.fail(
            "E113",
            f"takes one tensor or three, queries, keys and values, but {len(xs)} branches lead to"
            " it",
            help=f"keys and values may be one tensor: `( x | y | y ) -> ATTENTION({heads})`",
        )
    sequences = [sequence(build, x) for x in xs]
    q, k, v = sequences * 3 if len(xs) == 1 else sequences
    if k.shape[1] != v.shape[1]:
        sizes = f"{k.shape[1]} keys and {v.shape[1]} values"
        raise build.fail("E202", f"cannot pair {sizes}: each key has one value")
    if len({x.shape[0] for x in (q, k, v)} - {1}) > 1:
        batches = f"queries, keys and values of {q.shape[0]}, {k.shape[0]} and {v.shape[0]} samples"
        raise build.fail("E202", f"cannot pair {batches}: they have one batch, or a batch of 1")
    return q, k, v


def _projections(
    build: LayerBuilder,
    operands: tuple[Value, Value, Value],
    sizes: _Sizes,
    init: Init,
    bias: bool,
) -> Sequence[Value]:
    """Queries, keys and values after their dense layers."""
    q, k, v = operands
    keys = sizes.kv_heads * sizes.each
    widths = (sizes.width, keys, keys)
    given = tuple(build.concrete(x, (2,))[0] for x in operands)
    if {*given, *widths} != {sizes.width}:
        weights: Sequence[Value] = [
            build.weight((units, features), name=f"{name}_proj_weight", init=init)
            for name, units, features in zip("qkv", widths, given, strict=True)
        ]
    else:
        stacked = build.weight((3 * sizes.width, sizes.width), name="in_proj_weight", init=init)
        weights = () if q == k == v else _parts(build, stacked, widths, axis=0)
    shift = build.weight((sum(widths),), name="in_proj_bias", init=ZEROS) if bias else None
    if not weights:
        return _parts(build, projected(build, q, stacked, shift), widths, axis=2)
    shifts = _parts(build, shift, widths, axis=0) if shift else (None,) * 3
    return [projected(build, *part) for part in zip(operands, weights, shifts, strict=True)]


def _parts(build: LayerBuilder, x: Value, widths: Sequence[int], *, axis: int) -> Sequence[Value]:
    """Three parts, which have an attribute for their number where they are equal."""
    if len(set(widths)) == 1:
        return build.op("Split", (x,), {"axis": axis, "num_outputs": 3}, outputs=3)
    return build.op("Split", (x, build.index_constant(tuple(widths))), {"axis": axis}, outputs=3)


def _repeated(build: LayerBuilder, x: Value, heads: int) -> Value:
    """Each head as often as heads of queries share it."""
    (own,) = build.concrete(x, (1,))
    if own == heads:
        return x
    return build.Gather(
        x, build.index_constant(tuple(i * own // heads for i in range(heads))), axis=1
    )


def _by_head(build: LayerBuilder, x: Value, heads: int) -> Value:
    """(N, L, E) as (N, heads, L, E / heads)."""
    (width,) = build.concrete(x, (2,))
    x = build.Reshape(x, build.index_constant((0, 0, heads, width // heads)))
    return build.Transpose(x, perm=(0, 2, 1, 3))


def _joined(build: LayerBuilder, x: Value) -> Value:
    """(N, heads, L, D) as (N, L, heads D)."""
    heads, each = build.concrete(x, (1, 3))
    y = build.Transpose(x, perm=(0, 2, 1, 3))
    return build.Reshape(y, build.index_constant((0, 0, heads * each)))

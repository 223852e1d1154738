"""Multi-head attention (Vaswani et al. 2017, "Attention Is All You Need", section 3.2)."""

from collections.abc import Sequence
from math import sqrt

from ..expressions.arguments import Flag, Initializer, Positive, Rate
from ..ir.graph import Value
from ..ir.initializers import AUTO, ZEROS, Init
from ..ir.types import DType
from .attention_masks import SHIFTED, Mask, kept_apart, masked, masked_future, position_bias
from .dense import projected
from .layer_builder import LayerBuilder
from .layerdef import layer
from .sequence import sequence


@layer("ATTENTION", counts="heads")
def attention(
    build: LayerBuilder,
    *xs: Value,
    heads: Positive,
    causal: Flag = False,
    dropout: Rate = 0.0,
    mask: Mask | None = None,
    relative: Flag = False,
    bias: Flag = True,
    init: Initializer = AUTO,
) -> Value:
    """softmax(Q KT / sqrt(D) + masks) V in each head, between two dense layers.

    It takes one sequence (N, L, E), or queries (N, L, E), keys (N, S, .) and values (N, S, .).
    The weights are those of `torch.nn.MultiheadAttention`: `in_proj_weight` (3 E, E), or, where
    keys or values are not E wide, `q_proj_weight`, `k_proj_weight` and `v_proj_weight`;
    `in_proj_bias` (3 E), `out_proj.weight` (E, E), `out_proj.bias` (E).

    Args:
        build: The builder.
        *xs: The sequences.
        heads: How many heads the E features are divided among: D = E / heads.
        causal: Whether position i attends to the positions up to i only, regardless of the mask.
        dropout: The rate of dropout on the attention weights.
        mask: A label, of integers that are 0 where a key must not be attended to, (N, S) or
            (N, L, S), or of numbers that are added to the scores, (N, S), (N, L, S) or
            (N, heads or 1, L, S). The word `shifted` keeps apart what a `WINDOW` with a shift
            has put side by side. A position that is left no key attends evenly to all, or with
            `causal` to those up to its own.
        relative: Whether each head learns a bias per relative position,
            `relative_position_bias_table`, as in Swin: (2 H - 1)(2 W - 1) of them in windows of
            H x W, L + S - 1 in other sequences.
        bias: Whether the dense layers have biases.
        init: The initial values of the dense layers' weights.
    """
    q, k, v = _operands(build, xs)
    (width,) = build.concrete(q, (2,))
    if width % heads:
        message = f"cannot divide {width} channels among {heads} heads"
        raise build.fail("E204", message, at="heads")
    queries, keys, values = (
        _by_head(build, part, heads) for part in _projections(build, (q, k, v), init, bias)
    )
    scaled = build.Mul(queries, build.constant(1 / sqrt(width // heads), q.dtype))
    scores = build.MatMul(scaled, build.Transpose(keys, perm=(0, 1, 3, 2)))
    if relative:
        scores = build.Add(scores, position_bias(build, q, k, heads))
    if mask is not None:
        scores = kept_apart(build, q, scores) if mask == SHIFTED else masked(build, scores, mask)
    if causal:
        scores = build.Add(scores, masked_future(build, scores))
    weights = build.Softmax(scores, axis=3)
    if dropout:
        weights = build.Dropout(weights, build.constant(dropout, DType.FLOAT32))
    return _joined(build, build.MatMul(weights, values), width, init, bias)


def _operands(build: LayerBuilder, xs: Sequence[Value]) -> tuple[Value, Value, Value]:
    """Queries, keys and values, which may be one sequence.

    Raises:
        NetError: There are not one or three, or keys and values differ in length.
    """
    if len(xs) not in (1, 3):
        raise build.fail(
            "E113",
            f"takes one tensor or three, queries, keys and values, but {len(xs)} branches lead to"
            " it",
            help="keys and values may be one tensor: `( x | y | y ) -> ATTENTION(2)`",
        )
    sequences = [sequence(build, x) for x in xs]
    q, k, v = sequences * 3 if len(xs) == 1 else sequences
    if k.shape[1] != v.shape[1] or len({x.shape[0] for x in (q, k, v)}) > 1:
        sizes = f"{k.shape[1]} keys and {v.shape[1]} values"
        raise build.fail("E202", f"cannot pair {sizes}: each key has one value")
    return q, k, v


def _projections(
    build: LayerBuilder, operands: tuple[Value, Value, Value], init: Init, bias: bool
) -> Sequence[Value]:
    """Queries, keys and values after their dense layers, each E wide."""
    q, k, v = operands
    width, *others = (build.concrete(x, (2,))[0] for x in operands)
    if any(other != width for other in others):
        weights: Sequence[Value] = [
            build.weight((width, features), name=f"{name}_proj_weight", init=init)
            for name, features in zip("qkv", (width, *others), strict=True)
        ]
    else:
        stacked = build.weight((3 * width, width), name="in_proj_weight", init=init)
        weights = () if q == k == v else _thirds(build, stacked, axis=0)
    shift = build.weight((3 * width,), name="in_proj_bias", init=ZEROS) if bias else None
    if not weights:
        return _thirds(build, projected(build, q, stacked, shift), axis=2)
    shifts = _thirds(build, shift, axis=0) if shift else (None,) * 3
    return [projected(build, *part) for part in zip(operands, weights, shifts, strict=True)]


def _thirds(build: LayerBuilder, x: Value, *, axis: int) -> Sequence[Value]:
    return build.op("Split", (x,), {"axis": axis, "num_outputs": 3}, outputs=3)


def _by_head(build: LayerBuilder, x: Value, heads: int) -> Value:
    """(N, L, E) as (N, heads, L, E / heads)."""
    (width,) = build.concrete(x, (2,))
    x = build.Reshape(x, build.index_constant((0, 0, heads, width // heads)))
    return build.Transpose(x, perm=(0, 2, 1, 3))


def _joined(build: LayerBuilder, x: Value, width: int, init: Init, bias: bool) -> Value:
    """(N, heads, L, E / heads) as (N, L, E), after the last dense layer."""
    y = build.Transpose(x, perm=(0, 2, 1, 3))
    y = build.Reshape(y, build.index_constant((0, 0, width)))
    out = build.weight((width, width), name="out_proj.weight", init=init)
    shift = build.weight((width,), name="out_proj.bias", init=ZEROS) if bias else None
    return projected(build, y, out, shift)

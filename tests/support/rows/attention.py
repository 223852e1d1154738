"""Multi-head attention against PyTorch's own."""

from collections.abc import Callable
from typing import Any

from support.layers import LayerRow, Oracle

Bias = Callable[[Any, Any], Any]


def attended(
    heads: int, *, causal: bool = False, masked: bool = False, bias: Bias | None = None
) -> Oracle:
    """`multi_head_attention_forward` with the layer's weights.

    With `masked`, the last input is a mask: integers of keys, or a bias that `bias` yields.
    `bias` makes of the inputs and the weights what is added, (heads, L, S) or (N, L, S).
    """

    def oracle(x: Any, state: Any) -> Any:
        import torch

        given = list(x) if isinstance(x, list) else [x]
        added = None if bias is None else _per_sample(bias(given, state), heads, len(given[0]))
        mask = given.pop() if masked else None
        padding = None if mask is None or bias is not None else mask == 0
        q, k, v = (given[i].transpose(0, 1) for i in (0, min(1, len(given) - 1), -1))
        if causal:
            future = torch.ones(len(q), len(k)).triu(1).bool()
            hidden = torch.zeros(len(q), len(k), dtype=q.dtype).masked_fill(future, -torch.inf)
            added = hidden if added is None else added + hidden
        y, _ = torch.nn.functional.multi_head_attention_forward(
            *(q, k, v, q.shape[-1], heads),
            *(state.get("l.in_proj_weight"), state.get("l.in_proj_bias"), None, None, False, 0.0),
            *(state["l.out_proj.weight"], state.get("l.out_proj.bias")),
            training=False,
            key_padding_mask=padding,
            need_weights=False,
            attn_mask=added,
            use_separate_proj_weight="l.in_proj_weight" not in state,
            **{f"{name}_proj_weight": state.get(f"l.{name}_proj_weight") for name in "qkv"},
        )
        return y.transpose(0, 1)

    return oracle


def _per_sample(bias: Any, heads: int, batch: int) -> Any:
    """A bias (heads, L, S) or (N, L, S) as PyTorch takes it, (N heads, L, S)."""
    if len(bias) == heads:
        return bias.repeat(batch, 1, 1)
    return bias.repeat_interleave(heads, 0)


def by_distance(x: Any, state: Any) -> Any:
    """The table's row i - j + S - 1 for query i and key j, one position at a time."""
    import torch

    length, keys = (x[i].shape[-2] for i in (0, -1))
    table = state[TABLE]
    rows = [[table[i - j + keys - 1] for j in range(keys)] for i in range(length)]
    return torch.stack([torch.stack(row) for row in rows]).permute(2, 0, 1)


def hidden(x: Any, state: Any) -> Any:
    """Minus infinity where the integers (N, L, S) are 0."""
    import torch

    return torch.zeros(x[-1].shape, dtype=torch.float64).masked_fill(x[-1] == 0, -torch.inf)


def sloped(length: int) -> Any:
    """(i - j) / 4 for query i and key j."""
    import torch

    places = torch.arange(length, dtype=torch.float64)
    return (places[:, None] - places) / 4


TABLE = "l.relative_position_bias_table"
TOKENS = "m = INPUT(5, dtype=int64)\n"
SELF = "x = INPUT(6x8, sequence)\n"
CROSS = "q = INPUT(6x8, sequence)\nk = INPUT(5x8, sequence)\n"
WEIGHTS, BIASES = 4 * 8 * 8, 4 * 8
MACS = 6 * WEIGHTS + 2 * 6 * 6 * 8
CROSS_MACS = (6 + 5) * WEIGHTS // 2 + 2 * 6 * 5 * 8


def grouped(heads: int, kv_heads: int, *, project: bool = True, **options: Any) -> Oracle:
    """PyTorch's grouped `scaled_dot_product_attention` between the layer's dense layers."""

    def oracle(x: Any, state: Any) -> Any:
        import torch
        from torch.nn.functional import linear, scaled_dot_product_attention

        q, k, v = x if isinstance(x, list) else (x, x, x)
        if project:
            weights = [state[f"l.{name}_proj_weight"] for name in "qkv"]
            given = state.get("l.in_proj_bias")
            sizes = [len(weight) for weight in weights]
            shifts = (None,) * 3 if given is None else given.split(sizes)
            q, k, v = (linear(*part) for part in zip((q, k, v), weights, shifts, strict=True))
        split = [
            part.unflatten(2, (count, -1)).transpose(1, 2)
            for part, count in ((q, heads), (k, kv_heads), (v, kv_heads))
        ]
        y = scaled_dot_product_attention(*split, **{**options, "enable_gqa": True})
        y = torch.flatten(y.transpose(1, 2), 2)
        if not project:
            return y
        return linear(y, state["l.out_proj.weight"], state.get("l.out_proj.bias"))

    return oracle


def beside(learned: str, oracle: Oracle) -> Oracle:
    """The oracle with the tensor `p` for the letters of q, k and v in `learned`, else the input."""

    def with_learned(x: Any, state: Any) -> Any:
        whole = state["p"].expand(len(x), -1, -1)
        return oracle([whole if letter in learned else x for letter in "qkv"], state)

    return with_learned


LEARNED = "PARAM(4x8) as p\nINPUT(6x8, sequence) as x\n"

ROWS = [
    LayerRow(
        LEARNED + "( p | x | x ) -> ATTENTION(2) as l",
        "4x8",
        WEIGHTS + BIASES,
        (2 * 4 + 2 * 6) * 64 + 2 * 4 * 6 * 8,
        beside("q", attended(2)),
    ),
    LayerRow(
        LEARNED + "( x | p | p ) -> ATTENTION(2, relative=yes) as l",
        "6x8",
        WEIGHTS + BIASES + 9 * 2,
        (2 * 6 + 2 * 4) * 64 + 2 * 4 * 6 * 8,
        beside("kv", attended(2, bias=by_distance)),
    ),
    LayerRow(
        "PARAM(6x8) as p\nINPUT(6x8, sequence) as x\n"
        "( p | p | x ) -> ATTENTION(2, causal=yes) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        beside("qk", attended(2, causal=True)),
    ),
    LayerRow(
        "PARAM(4x8) as p\nINPUT(6x4, sequence) as x\n"
        "( p | x | x ) -> ATTENTION(4, kv_heads=2, project=no, scale=0.3) as l",
        "4x8",
        0,
        2 * 4 * 6 * 8,
        beside("q", grouped(4, 2, project=False, scale=0.3)),
    ),
    LayerRow(
        "CONST(causal(6)) as m\nINPUT(6x8, sequence) -> ATTENTION(2, mask=m) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, causal=True),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(4, kv_heads=2) as l",
        "6x8",
        8 * 8 * 2 + 4 * 8 * 2 + 8 + 4 + 4 + 8,
        6 * (8 * 8 * 2 + 4 * 8 * 2) + 2 * 6 * 6 * 8,
        grouped(4, 2),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(3, width=12, causal=yes, scale=1, bias=no) as l",
        "6x8",
        4 * 8 * 12,
        6 * 4 * 8 * 12 + 2 * 6 * 6 * 12,
        grouped(3, 3, is_causal=True, scale=1.0),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(4, kv_heads=1, width=16, bias=no) as l",
        "6x8",
        8 * 16 * 2 + 8 * 4 * 2,
        6 * (8 * 16 * 2 + 8 * 4 * 2) + 2 * 6 * 6 * 16,
        grouped(4, 1),
    ),
    LayerRow(
        "q = INPUT(6x8, sequence)\nk = INPUT(5x4, sequence)\nv = INPUT(5x6, sequence)\n"
        "( q | k | v ) -> ATTENTION(4, kv_heads=2, project=no, scale=0.3) as l",
        "6x12",
        0,
        6 * 5 * 8 + 6 * 5 * 12,
        grouped(4, 2, project=False, scale=0.3),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(2) as l", "6x8", WEIGHTS + BIASES, MACS, attended(2)
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(8, bias=no) as l", "6x8", WEIGHTS, MACS, attended(8)
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(heads=1, dropout=0.1) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(1),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(2, causal=yes) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, causal=True),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(2, relative=yes) as l",
        "6x8",
        WEIGHTS + BIASES + 11 * 2,
        MACS,
        attended(2, bias=by_distance),
    ),
    LayerRow(
        "INPUT(6x8, sequence) -> ATTENTION(2, relative=yes, causal=yes) as l",
        "6x8",
        WEIGHTS + BIASES + 11 * 2,
        MACS,
        attended(2, causal=True, bias=by_distance),
    ),
    LayerRow(
        CROSS + "( q | k | k ) -> ATTENTION(2) as l",
        "6x8",
        WEIGHTS + BIASES,
        CROSS_MACS,
        attended(2),
    ),
    LayerRow(
        CROSS + "( q | k | k ) -> ATTENTION(2, causal=yes, relative=yes, bias=no) as l",
        "6x8",
        WEIGHTS + 10 * 2,
        CROSS_MACS,
        attended(2, causal=True, bias=by_distance),
    ),
    LayerRow(
        "q = INPUT(6x8, sequence)\nk = INPUT(5x3, sequence)\nv = INPUT(5x7, sequence)\n"
        "( q | k | v ) -> ATTENTION(4) as l",
        "6x8",
        2 * 8 * 8 + 8 * 3 + 8 * 7 + BIASES,
        6 * 2 * 64 + 5 * 8 * (3 + 7) + 2 * 6 * 5 * 8,
        attended(4),
    ),
    LayerRow(
        CROSS + TOKENS + "( q | k | k ) -> ATTENTION(2, mask=m) as l",
        "6x8",
        WEIGHTS + BIASES,
        CROSS_MACS,
        attended(2, masked=True),
    ),
    LayerRow(
        SELF + "m = INPUT((6, 6), dtype=int64)\nx -> ATTENTION(2, mask=m) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, masked=True, bias=hidden),
    ),
    LayerRow(
        SELF + "m = INPUT(6x6, sequence)\nx -> ATTENTION(2, mask=m) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, masked=True, bias=lambda x, state: x[-1]),
    ),
    LayerRow(
        SELF + "m = INPUT(6x6)\nx -> ATTENTION(2, mask=m, causal=yes) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, causal=True, masked=True, bias=lambda x, state: x[-1][:, 0]),
    ),
    LayerRow(
        SELF + "PARAM(6x6) as b\nm = INPUT((6, 6), dtype=int64)\n"
        "x -> ATTENTION(2, mask=[b, m]) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, masked=True, bias=lambda x, state: hidden(x, state) + state["b"]),
    ),
    LayerRow(
        SELF + "PARAM(11x2) as t\nx -> ATTENTION(2, relative=t) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, bias=lambda x, state: by_distance(x, {TABLE: state["t"][0]})),
    ),
    LayerRow(
        SELF + "CONST([[(i - j) / 4 for j in range(6)] for i in range(6)]) as b\n"
        "m = INPUT(6x6)\nx -> ATTENTION(2, mask=[m, b], causal=yes) as l",
        "6x8",
        WEIGHTS + BIASES,
        MACS,
        attended(2, causal=True, masked=True, bias=lambda x, state: x[-1][:, 0] + sloped(6)),
    ),
]

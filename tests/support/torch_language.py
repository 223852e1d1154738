"""Published language models as PyTorch modules, at sizes that tests can run."""

import torch
from torch import nn
from torch.nn import functional

from .torch_zoo import Module, Rule, Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """The channels over the root of their mean square."""
    return weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def rotated(x: Tensor, base: float) -> Tensor:
    """Queries or keys (N, heads, L, D), halves of the channels turned by positions."""
    length, each = x.shape[2:]
    rates = base ** (-torch.arange(0, each, 2).to(x) / each)
    angles = torch.arange(length).to(x)[:, None] * rates
    cosine, sine = (torch.cat([f(angles)] * 2, 1) for f in (torch.cos, torch.sin))
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat([-second, first], -1) * sine


def norm(c: int, eps: float) -> Module:
    """A normalization with a weight."""
    module = Rule(lambda norm, x: rms_norm(x, norm.weight, eps))
    module.weight = nn.Parameter(torch.ones(c))
    return module


def causal_attention(
    c: int, heads: int, kv_heads: int, each: int, base: float, *, eps: float | None = None
) -> Module:
    """Attention to what came before, by turned queries and keys; with `eps` both are normalized."""

    def split(x: Tensor) -> Tensor:
        return x.unflatten(2, (-1, each)).transpose(1, 2)

    def forward(attention: Module, x: Tensor) -> Tensor:
        q, k, v = (split(getattr(attention, f"{name}_proj")(x)) for name in "qkv")
        if eps is not None:
            q, k = attention.q_norm(q), attention.k_norm(k)
        q, k = rotated(q, base), rotated(k, base)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return attention.o_proj(y.transpose(1, 2).flatten(2))

    widths = {"q": heads * each, "k": kv_heads * each, "v": kv_heads * each}
    dense = {f"{name}_proj": nn.Linear(c, n, bias=False) for name, n in widths.items()}
    norms = {} if eps is None else {f"{name}_norm": norm(each, eps) for name in "qk"}
    return Rule(forward, **dense, o_proj=nn.Linear(heads * each, c, bias=False), **norms)


def gemma3(vocabulary: int, layers: int) -> Module:
    """Gemma 3 (Gemma Team 2025) 640 wide, whose windows hold all tokens."""
    between = ("post_attention_layernorm", "pre_feedforward_layernorm")
    names = ("input_layernorm", *between, "post_feedforward_layernorm")

    def gated(mlp: Module, x: Tensor) -> Tensor:
        gate = functional.gelu(mlp.gate_proj(x), approximate="tanh")
        return mlp.down_proj(gate * mlp.up_proj(x))

    def forward(layer: Module, x: Tensor) -> Tensor:
        before, after, before_mlp, after_mlp = (getattr(layer, name) for name in names)
        x = x + after(layer.self_attn(before(x)))
        return x + after_mlp(layer.mlp(before_mlp(x)))

    def layer(i: int) -> Module:
        base = 1e6 if (i + 1) % 6 == 0 else 1e4
        dense = {name: nn.Linear(640, 2048, bias=False) for name in ("gate_proj", "up_proj")}
        mlp = Rule(gated, **dense, down_proj=nn.Linear(2048, 640, bias=False))
        attention = causal_attention(640, 4, 1, 256, base, eps=1e-6)
        norms = {name: norm(640, 1e-6) for name in names}
        return Rule(forward, self_attn=attention, mlp=mlp, **norms)

    def whole(net: Module, x: Tensor) -> Tensor:
        y = net.model.embed_tokens(x) * 640**0.5
        for each in net.model.layers:
            y = each(y)
        return net.model.norm(y) @ net.model.embed_tokens.weight.T

    model = Rule(
        whole,
        embed_tokens=nn.Embedding(vocabulary, 640),
        layers=nn.ModuleList(layer(i) for i in range(layers)),
        norm=norm(640, 1e-6),
    )
    return Rule(whole, model=model)


def mixtral(vocabulary: int, layers: int, c: int, hidden: int) -> Module:
    """Mixtral (Jiang et al. 2024) with 4 heads of 16 channels, and two of eight experts a token."""

    def expert() -> Module:
        dense = {name: nn.Linear(c, hidden, bias=False) for name in ("w1", "w3")}
        return Rule(
            lambda e, x: e.w2(functional.silu(e.w1(x)) * e.w3(x)),
            **dense,
            w2=nn.Linear(hidden, c, bias=False),
        )

    def mixed(moe: Module, x: Tensor) -> Tensor:
        best, places = moe.gate(x).softmax(-1).topk(2, -1)
        best = best / best.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        for n, i, j in torch.cartesian_prod(*map(torch.arange, (*x.shape[:2], 2))):
            y[n, i] += best[n, i, j] * moe.experts[places[n, i, j]](x[n, i])
        return y

    def forward(layer: Module, x: Tensor) -> Tensor:
        x = x + layer.self_attn(layer.input_layernorm(x))
        return x + layer.block_sparse_moe(layer.post_attention_layernorm(x))

    def layer() -> Module:
        names = ("input_layernorm", "post_attention_layernorm")
        moe = Rule(
            mixed,
            gate=nn.Linear(c, 8, bias=False),
            experts=nn.ModuleList(expert() for _ in range(8)),
        )
        attention = causal_attention(c, 4, 2, 16, 1e6)
        norms = {name: norm(c, 1e-5) for name in names}
        return Rule(forward, self_attn=attention, block_sparse_moe=moe, **norms)

    def whole(net: Module, x: Tensor) -> Tensor:
        y = net.model.embed_tokens(x)
        for each in net.model.layers:
            y = each(y)
        return net.lm_head(net.model.norm(y))

    model = Rule(
        whole,
        embed_tokens=nn.Embedding(vocabulary, c),
        layers=nn.ModuleList(layer() for _ in range(layers)),
        norm=norm(c, 1e-5),
    )
    return Rule(whole, model=model, lm_head=nn.Linear(c, vocabulary, bias=False))

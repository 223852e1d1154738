"""Published transformers as PyTorch modules, written from the papers and their authors' code."""

from math import log

import torch
from torch import nn
from torch.nn import functional

from .torch_convolutional import factors
from .torch_zoo import Module, Rule, Several, Tensor, named


def swin_v2_t() -> Module:
    """Swin V2-T (Liu et al. 2022) with torchvision's formulas, for images of 256x256."""
    features: list[Module] = [
        nn.Sequential(nn.Conv2d(3, 96, 4, 4), channels_last(), nn.LayerNorm(96))
    ]
    for i, (n, heads) in enumerate(((2, 3), (2, 6), (6, 12), (2, 24))):
        c = 96 * 2**i
        if i:
            features.append(swin_merge(c // 2))
        features.append(nn.Sequential(*(swin_block(c, heads, 4 * (j % 2)) for j in range(n))))
    return Rule(
        lambda net, x: net.head(net.norm(net.features(x)).mean((1, 2))),
        features=nn.Sequential(*features),
        norm=nn.LayerNorm(768),
        head=nn.Linear(768, 1000),
    )


def channels_last() -> Module:
    """(N, C, H, W) as (N, H, W, C)."""
    return Rule(lambda _, x: x.permute(0, 2, 3, 1))


def swin_merge(c: int) -> Module:
    """2x2 positions side by side on the channels, half of these, and normalization."""

    def forward(merge: Module, x: Tensor) -> Tensor:
        parts = [x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return merge.norm(merge.reduction(torch.cat(parts, -1)))

    reduction = nn.Linear(4 * c, 2 * c, bias=False)
    return Rule(forward, reduction=reduction, norm=nn.LayerNorm(2 * c))


def swin_block(c: int, heads: int, shift: int) -> Module:
    """Attention within windows of 8x8 and two dense layers, each normalized before it is added."""

    def forward(block: Module, x: Tensor) -> Tensor:
        x = x + block.norm1(windowed(block.attn, x, 8, shift if x.shape[1] > 8 else 0))
        return x + block.norm2(block.mlp(x))

    mlp = named(**{"0": nn.Linear(c, 4 * c), "1": nn.GELU(), "3": nn.Linear(4 * c, c)})
    attention = cosine_attention(c, heads, 8)
    return Rule(forward, norm1=nn.LayerNorm(c), attn=attention, norm2=nn.LayerNorm(c), mlp=mlp)


def windowed(attention: Module, x: Tensor, n: int, shift: int) -> Tensor:
    """What attention makes of the windows of an image (N, H, W, C), rolled by `shift`."""
    h, w, c = x.shape[1:]
    x = x.roll((-shift, -shift), (1, 2))
    regions = torch.zeros(h, w)
    bounds = [(0, -n), (-n, -shift), (-shift, None)] if shift else [(0, None)]
    for i, (top, bottom) in enumerate(bounds):
        for j, (left, right) in enumerate(bounds):
            regions[top:bottom, left:right] = 3 * i + j
    numbers = cut(regions[None, :, :, None], n)[:, :, 0]
    mask = (numbers[:, None, :] != numbers[:, :, None]) * -100.0
    y = attention(cut(x, n), mask)
    y = y.reshape(-1, h // n, w // n, n, n, c).transpose(2, 3).reshape(-1, h, w, c)
    return y.roll((shift, shift), (1, 2))


def cut(x: Tensor, n: int) -> Tensor:
    """An image (N, H, W, C) as windows (N windows, n n, C)."""
    h, w, c = x.shape[1:]
    x = x.reshape(-1, h // n, n, w // n, n, c).transpose(2, 3)
    return x.reshape(-1, n * n, c)


def cosine_attention(c: int, heads: int, n: int) -> Module:
    """Attention by cosines, with biases of distances on a scale of logarithms.

    torchvision sets the biases of keys to zero; here they are as they are given.
    """
    sides = torch.arange(1 - n, n) / (n - 1) * 8
    table = torch.stack(torch.meshgrid(sides, sides, indexing="ij"), -1)
    table = torch.sign(table) * torch.log2(table.abs() + 1) / 3
    places = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij"))
    places = places.flatten(1)
    rows, columns = places[:, :, None] - places[:, None, :] + n - 1

    def forward(attention: Module, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = attention.qkv(x).unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        scores = functional.normalize(q, dim=-1) @ functional.normalize(k, dim=-1).transpose(2, 3)
        scale = attention.logit_scale.clamp(max=log(100)).exp()
        biases = attention.cpb_mlp(table.to(x).reshape(-1, 2))
        biases = 16 * biases[rows * (2 * n - 1) + columns].sigmoid().permute(2, 0, 1)
        scores = scores * scale.reshape(heads, 1, 1) + biases
        scores = scores + mask.repeat(len(x) // len(mask), 1, 1)[:, None]
        return attention.proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, heads, bias=False))
    module = Several(forward, qkv=nn.Linear(c, 3 * c), proj=nn.Linear(c, c), cpb_mlp=mlp)
    module.logit_scale = nn.Parameter(torch.full((1, 1, 1, heads), log(10)))
    return module


def dinov2_vits14_reg(patches: int = 37, depth: int = 12) -> Module:
    """DINOv2 ViT-S/14 with four registers (Oquab et al. 2024, Darcet et al. 2024)."""

    def forward(net: Module, x: Tensor) -> Tensor:
        x = net.patch_embed.proj(x).flatten(2).mT
        x = torch.cat([net.cls_token.expand(len(x), -1, -1), x], 1) + net.pos_embed
        registers = net.register_tokens.expand(len(x), -1, -1)
        x = torch.cat([x[:, :1], registers, x[:, 1:]], 1)
        return net.norm(net.blocks(x))[:, 0]

    net = Rule(
        forward,
        patch_embed=named(proj=nn.Conv2d(3, 384, 14, 14)),
        blocks=nn.Sequential(*(scaled_layer(384, 6) for _ in range(depth))),
        norm=nn.LayerNorm(384, eps=1e-6),
    )
    for name, length in (("cls_token", 1), ("pos_embed", patches**2 + 1), ("register_tokens", 4)):
        setattr(net, name, nn.Parameter(torch.zeros(1, length, 384)))
    return net


def scaled_layer(c: int, heads: int) -> Module:
    """A layer of a vision transformer whose branches have a factor for each channel."""

    def forward(block: Module, x: Tensor) -> Tensor:
        x = x + block.ls1.weight * block.attn(block.norm1(x))
        return x + block.ls2.weight * block.mlp(block.norm2(x))

    norms = {f"norm{i}": nn.LayerNorm(c, eps=1e-6) for i in (1, 2)}
    scales = {f"ls{i}": factors(c) for i in (1, 2)}
    return Rule(forward, attn=self_attention(c, heads), mlp=mlp(c, nn.GELU()), **norms, **scales)


def mlp(c: int, act: Module) -> Module:
    """Two dense layers, four times as wide within."""
    return named(fc1=nn.Linear(c, 4 * c), act=act, fc2=nn.Linear(4 * c, c))


def self_attention(c: int, heads: int) -> Module:
    """Attention whose queries, keys and values come from one dense layer."""

    def forward(attention: Module, x: Tensor) -> Tensor:
        q, k, v = attention.qkv(x).unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v)
        return attention.proj(y.transpose(1, 2).flatten(2))

    return Rule(forward, qkv=nn.Linear(c, 3 * c), proj=nn.Linear(c, c))


def dit_s_2() -> Module:
    """DiT-S/2 (Peebles and Xie 2023) for latent images of 32x32x4."""
    places = torch.arange(16.0)[:, None] * 10000 ** (-torch.arange(96) / 96)
    side = torch.cat([places.sin(), places.cos()], 1)
    columns, rows = side.expand(16, 16, -1), side[:, None].expand(16, 16, -1)
    positions = torch.cat([columns, rows], 2).flatten(0, 1)

    def forward(net: Module, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        x = net.x_embedder.proj(x).flatten(2).mT + positions.to(x)
        angles = t * torch.exp(-log(10000) * torch.arange(128).to(x) / 128)
        time = net.t_embedder.mlp(torch.cat([angles.cos(), angles.sin()], 1))
        given = time + net.y_embedder.embedding_table(y[:, 0])
        for block in net.blocks:
            x = block(x, given)
        x = net.final_layer(x, given)
        x = x.reshape(-1, 16, 16, 2, 2, 8)
        return torch.einsum("nhwpqc->nchpwq", x).reshape(-1, 8, 32, 32)

    return Several(
        forward,
        x_embedder=named(proj=nn.Conv2d(4, 384, 2, 2)),
        t_embedder=named(mlp=nn.Sequential(nn.Linear(256, 384), nn.SiLU(), nn.Linear(384, 384))),
        y_embedder=named(embedding_table=nn.Embedding(1001, 384)),
        blocks=nn.ModuleList(modulated_layer(384, 6) for _ in range(12)),
        final_layer=Several(
            _last,
            adaLN_modulation=nn.Sequential(nn.SiLU(), nn.Linear(384, 768)),
            linear=nn.Linear(384, 32),
        ),
    )


def _plain_norm(x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6)


def _modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return _plain_norm(x) * (1 + scale[:, None]) + shift[:, None]


def _last(layer: Module, x: Tensor, given: Tensor) -> Tensor:
    return layer.linear(_modulated(x, *layer.adaLN_modulation(given).chunk(2, 1)))


def modulated_layer(c: int, heads: int) -> Module:
    """DiT's block: what it is given shifts, scales and gates (adaLN-Zero)."""

    def forward(block: Module, x: Tensor, given: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = block.adaLN_modulation(given).chunk(6, 1)
        x = x + gate1[:, None] * block.attn(_modulated(x, shift1, scale1))
        return x + gate2[:, None] * block.mlp(_modulated(x, shift2, scale2))

    return Several(
        forward,
        attn=self_attention(c, heads),
        mlp=mlp(c, nn.GELU("tanh")),
        adaLN_modulation=nn.Sequential(nn.SiLU(), nn.Linear(c, 6 * c)),
    )


def whisper_tiny(times: int = 1500, tokens: int = 448, vocabulary: int = 51865) -> Module:
    """Whisper tiny (Radford et al. 2023)."""
    rates = torch.exp(-log(10000) / 191 * torch.arange(192))
    angles = torch.arange(times)[:, None] * rates
    waves = torch.cat([angles.sin(), angles.cos()], 1)

    def heard(encoder: Module, x: Tensor) -> Tensor:
        x = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(x.mT)))).mT
        x = x + waves.to(x)
        for block in encoder.blocks:
            x = block(x, None)
        return encoder.ln_post(x)

    def written(decoder: Module, y: Tensor, x: Tensor) -> Tensor:
        y = decoder.token_embedding(y) + decoder.positional_embedding
        for block in decoder.blocks:
            y = block(y, x)
        return decoder.ln(y) @ decoder.token_embedding.weight.T

    encoder = Rule(
        heard,
        conv1=nn.Conv1d(80, 384, 3, 1, 1),
        conv2=nn.Conv1d(384, 384, 3, 2, 1),
        blocks=nn.ModuleList(whisper_layer(384, 6) for _ in range(4)),
        ln_post=nn.LayerNorm(384),
    )
    decoder = Several(
        written,
        token_embedding=nn.Embedding(vocabulary, 384),
        blocks=nn.ModuleList(whisper_layer(384, 6, is_decoder=True) for _ in range(4)),
        ln=nn.LayerNorm(384),
    )
    decoder.positional_embedding = nn.Parameter(torch.zeros(1, tokens, 384))
    return Several(
        lambda net, x, y: net.decoder(y, net.encoder(x)), encoder=encoder, decoder=decoder
    )


def whisper_layer(c: int, heads: int, *, is_decoder: bool = False) -> Module:
    """Attention, in decoders to what was heard, too, and two dense layers."""

    def attended(attention: Module, x: Tensor, y: Tensor) -> Tensor:
        parts = (attention.query(x), attention.key(y), attention.value(y))
        q, k, v = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in parts)
        causal = is_decoder and x is y
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return attention.out(y.transpose(1, 2).flatten(2))

    def attention() -> Module:
        dense = {name: nn.Linear(c, c, bias=name != "key") for name in ("query", "key", "value")}
        return Several(attended, **dense, out=nn.Linear(c, c))

    def forward(block: Module, x: Tensor, memory: Tensor) -> Tensor:
        y = block.attn_ln(x)
        x = x + block.attn(y, y)
        if is_decoder:
            x = x + block.cross_attn(block.cross_attn_ln(x), memory)
        return x + block.mlp(block.mlp_ln(x))

    across = {"cross_attn": attention(), "cross_attn_ln": nn.LayerNorm(c)} if is_decoder else {}
    return Several(
        forward,
        attn_ln=nn.LayerNorm(c),
        attn=attention(),
        mlp_ln=nn.LayerNorm(c),
        mlp=nn.Sequential(nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c)),
        **across,
    )

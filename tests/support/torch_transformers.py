"""Published transformers as PyTorch modules, written from the papers and their authors' code."""

from math import log

import torch
from torch import nn
from torch.nn import functional

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

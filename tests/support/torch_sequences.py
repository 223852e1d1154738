"""Networks on sequences as PyTorch modules, named as `torch_networks`' are."""

import torch
from torch import nn
from torch.nn import functional as f

from .torch_zoo import Module, Rule, Several, Tensor, named


def sequence() -> Module:
    """Convolutions along a sequence, (N, L, C) outside."""
    inner = named(
        **{"a": nn.Conv1d(5, 8, 3, padding=1), "r": nn.ReLU(), "pool": nn.MaxPool1d(2)},
        **{"b": nn.Conv1d(8, 6, 3, padding=2, dilation=2, groups=2), "t": nn.Tanh()},
        **{"up": nn.ConvTranspose1d(6, 4, 2, 2)},
    )
    return Rule(lambda m, x: m.fc(m.inner(x.mT).flatten(1)), inner=inner, fc=nn.Linear(40, 3))


def transformer() -> Module:
    """ViT's encoder layers on patches, with a class token."""

    def forward(net: Module, x: Tensor) -> Tensor:
        patches = net.conv_proj(x).flatten(2).mT
        x = torch.cat([net.class_token.expand(len(x), -1, -1), patches], 1)
        x = x + net.encoder.pos_embedding
        for layer in net.encoder.layers:
            x = layer(x)
        return net.heads.head(net.encoder.ln(x)[:, 0])

    layers = named(**{f"encoder_layer_{i}": _encoder_layer(8, 2, 12) for i in range(2)})
    encoder = named(layers=layers, ln=nn.LayerNorm(8, eps=1e-6))
    encoder.pos_embedding = nn.Parameter(torch.zeros(1, 5, 8))
    net = Rule(
        forward,
        **{"conv_proj": nn.Conv2d(3, 8, 4, 4), "encoder": encoder},
        heads=named(head=nn.Linear(8, 5)),
    )
    net.class_token = nn.Parameter(torch.zeros(1, 1, 8))
    return net


def _encoder_layer(width: int, heads: int, hidden: int) -> Module:
    def forward(layer: Module, x: Tensor) -> Tensor:
        x = x + attended(layer.self_attention, layer.ln_1(x))
        return x + layer.mlp(layer.ln_2(x))

    mlp = {"0": nn.Linear(width, hidden), "1": nn.GELU(), "3": nn.Linear(hidden, width)}
    return Rule(
        forward,
        **{"ln_1": nn.LayerNorm(width, eps=1e-6), "ln_2": nn.LayerNorm(width, eps=1e-6)},
        self_attention=nn.MultiheadAttention(width, heads, batch_first=True),
        mlp=named(**mlp),
    )


def attended(
    layer: Module,
    x: Tensor,
    *,
    keys: Tensor | None = None,
    causal: bool = False,
    hidden: Tensor | None = None,
) -> Tensor:
    """Attention to x itself or to keys, of which each sample does not see those `hidden`."""
    source = x if keys is None else keys
    future = torch.ones(x.shape[1], source.shape[1], dtype=torch.bool).triu(1) if causal else None
    y, _ = layer(
        *(x, source, source), attn_mask=future, key_padding_mask=hidden, need_weights=False
    )
    return y


def language_model() -> Module:
    """A causal transformer on tokens whose output layer is the embedding."""

    def forward(net: Module, tokens: Tensor) -> Tensor:
        x = net.wte(tokens) + net.wpe.weight
        for layer in net.h:
            x = x + attended(layer.attn, layer.ln_1(x), causal=True)
            x = x + layer.mlp(layer.ln_2(x))
        return f.linear(net.ln_f(x), net.wte.weight).mT

    def layer() -> Module:
        mlp = {"c_fc": nn.Linear(8, 16), "gelu": nn.GELU("tanh"), "c_proj": nn.Linear(16, 8)}
        return named(
            **{"ln_1": nn.LayerNorm(8), "attn": nn.MultiheadAttention(8, 2, batch_first=True)},
            **{"ln_2": nn.LayerNorm(8), "mlp": named(**mlp)},
        )

    return Rule(
        forward,
        **{"wte": nn.Embedding(11, 8), "wpe": nn.Embedding(6, 8)},
        **{"h": nn.Sequential(layer(), layer()), "ln_f": nn.LayerNorm(8)},
    )


def masked_attention() -> Module:
    """Queries attend to keys that a mask hides in part, each sample's own."""

    def forward(net: Module, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        x = q + attended(net.cross, q, keys=k, hidden=mask == 0)
        return net.out(net.ln(x)).mT

    return Several(
        forward,
        cross=nn.MultiheadAttention(8, 4, batch_first=True),
        **{"ln": nn.LayerNorm(8), "out": nn.Linear(8, 3)},
    )


def tagger() -> Module:
    """Two layers of LSTM, both ways, on tokens."""
    return Rule(
        lambda net, tokens: net.out(net.lstm(net.embed(tokens))[0]).mT,
        **{"embed": nn.Embedding(11, 6), "out": nn.Linear(10, 4)},
        lstm=nn.LSTM(6, 5, num_layers=2, bidirectional=True, batch_first=True),
    )


def masked_classifier() -> Module:
    """The last states of two layers of GRU, both ways, on samples of several lengths."""

    def forward(net: Module, words: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.ne(0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            words, lengths, batch_first=True, enforce_sorted=False
        )
        return net.out(net.gru(packed)[1][-2:].transpose(0, 1).flatten(1))

    gru = nn.GRU(5, 4, num_layers=2, bidirectional=True, batch_first=True)
    return Several(forward, gru=gru, out=nn.Linear(8, 3))


def translation() -> Module:
    """An LSTM that starts from the last states of another."""

    def forward(net: Module, source: Tensor, target: Tensor) -> Tensor:
        _, states = net.encoder(source)
        return net.out(net.top(net.decoder(target, states)[0])[0]).mT

    return Several(
        forward,
        encoder=nn.LSTM(5, 7, batch_first=True),
        decoder=nn.LSTM(3, 7, batch_first=True),
        top=nn.RNN(7, 6, nonlinearity="relu", bidirectional=True, batch_first=True),
        out=nn.Linear(12, 5),
    )


def attentive() -> Module:
    """A sequence that attends to what came before."""
    return Rule(
        lambda net, x: net.d((x + attended(net.a, net.n(x), causal=True)).flatten(1)),
        **{"n": nn.LayerNorm(6), "a": nn.MultiheadAttention(6, 2, batch_first=True)},
        d=nn.Linear(24, 3),
    )


def scanned() -> Module:
    """An LSTM written as a loop over its steps."""

    def forward(net: Module, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 4)
        for element in x.unbind(1):
            i, f, g, o = (net.cell.input(element) + net.cell.hidden(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return net.out(h)

    cell = named(input=nn.Linear(5, 16), hidden=nn.Linear(4, 16, bias=False))
    return Rule(forward, cell=cell, out=nn.Linear(4, 3))

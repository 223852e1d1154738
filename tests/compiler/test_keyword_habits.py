"""Keywords of other frameworks, given to netc's own layers."""

import pytest
from support.refusals import failure_of

import netc
from netc.compiler.layers.layerdef import COMMON, LAYERS
from netc.grammar.translation.keywords import KEYWORDS

SEQUENCE, IMAGE, TOKENS = "16x32, sequence", "32x32x16", "16, dtype=int64"


@pytest.mark.parametrize(
    ("size", "call", "help"),
    [
        (SEQUENCE, "ROPE(4, theta=1e6)", "write `base=1e6`"),
        (SEQUENCE, "ROPE(4, dim=8)", "leave it out: it follows from the input"),
        (SEQUENCE, "ATTENTION(4, num_kv_heads=2)", "write `kv_heads=2`"),
        (SEQUENCE, "ATTENTION(4, is_causal=True)", "write `causal=yes`"),
        (SEQUENCE, "ATTENTION(4, qkv_bias=False)", "write `bias=no`"),
        (SEQUENCE, "ATTENTION(4, attention_mask=m)", "write `mask=m`"),
        (SEQUENCE, "ATTENTION(4, attn_drop = 0.1)", "write `dropout=0.1`"),
        (SEQUENCE, "ATTENTION(4, head_dim=8)", "`width=` is that of all heads together"),
        (SEQUENCE, "LSTM(32, proj_size=8)", "project behind it, as in `-> LINEAR(8)`"),
        (SEQUENCE, "SINUSOIDAL(d_model=32)", "leave it out: it follows from the input"),
        (SEQUENCE, "POSEMBED(max_len=512)", "write `length=512`"),
        (TOKENS, "EMBED(9, 4, sparse=True)", "leave it out: gradients are dense"),
        (IMAGE, "ADAPTIVEPOOL(output_size=1)", "write `size=1`"),
        (IMAGE, "CROP(cropping=1)", "write `margin=1`"),
        (IMAGE, "GELU(approximate=True)", "write `GELU(tanh)`"),
        (IMAGE, "REDUCE(mean, keepdim=True)", "write `keep=yes`"),
        (IMAGE, "REDUCE(mean, dim=1)", "axes have names: `axis=channels`, `axis=length`"),
        (IMAGE, "NOISE(stddev=0.1)", "write `scale=0.1`"),
        (IMAGE, "WINDOW(8, shift_size=4)", "write `shift=4`"),
        (IMAGE, "RESHAPE(target_shape=(16, 1024))", "write `size=(16, 1024)`"),
        (IMAGE, "CONV(3x3, 8, transposed=yes)", "write `UPCONV`, whose stride makes images larger"),
    ],
)
def test_a_keyword_is_answered_with_ours(size: str, call: str, help: str) -> None:
    """The help says what stands for it, with its value, or what to do instead."""
    (found,) = failure_of(netc.compile, f"INPUT({size}) -> {call}").diagnostics
    assert found.code == "E102"
    assert found.help == help


@pytest.mark.parametrize(("layer", "word"), KEYWORDS)
def test_what_stands_for_a_keyword_is_there(layer: str, word: str) -> None:
    """The layer has the argument that is named, and not the one that it stands for."""
    answer, known = KEYWORDS[layer, word], {*LAYERS[layer].kinds, *COMMON}
    assert word not in known
    assert " " in answer or answer in known

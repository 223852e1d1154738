"""Keywords of other frameworks' layers that a call with netc's own layers is given, to help."""

from collections.abc import Mapping

RECURRENT = "LSTM GRU RNN"
NAMED = "axes have names: `axis=channels`, `axis=length`"
FOLLOWS = "leave it out: it follows from the input"
WINDOWS = "attention keeps within windows behind a `WINDOW`, or under a `mask=` of a `CONST`"

# layers: keywords, and the one that stands for them, or in several words what to do instead.
_ROWS: Mapping[str, Mapping[str, str]] = {
    "ROPE": {
        "theta rope_theta": "base",
        "dim head_dim max_seq_len max_position_embeddings seq_len": FOLLOWS,
        "interleaved": "write `pairs`, which turns neighbours together",
    },
    "ATTENTION": {
        "num_kv_heads n_kv_heads num_key_value_heads": "kv_heads",
        "is_causal use_causal_mask": "causal",
        "attn_mask attention_mask attn_bias": "mask",
        "qkv_bias": "bias",
        "attn_drop attention_dropout attn_dropout": "dropout",
        "softmax_scale": "scale",
        "relative_position rel_pos use_rel_pos": "relative",
        "head_dim value_dim": "`width=` is that of all heads together",
        "key_padding_mask": "`mask=` names a tensor that is 0 where a key must not be attended to,"
        " the opposite of `key_padding_mask`",
        "window_size sliding_window": WINDOWS,
        "need_weights return_attention_scores": "`netc show` draws the weights of attention",
        "is_decoder": "write `causal=yes`",
    },
    RECURRENT: {
        "recurrent_dropout": "`dropout=` drops between layers, and nothing within one",
        "proj_size": "project behind it, as in `-> LINEAR(8)`",
        "stateful": "`states` yields the last states, which `( x | h | c )` leads to the next call",
        "reset_after": "leave it out: the reset gate comes after the product, as in PyTorch",
        "recurrent_initializer": "init",
    },
    "CONV": {"transposed": "write `UPCONV`, whose stride makes images larger"},
    "ADAPTIVEPOOL": {"output_size": "size"},
    "LRN": {"bias": "k", "depth_radius": "`size=` is twice that radius, and 1"},
    "DROPPATH": {"scale_by_keep": "leave it out: what is kept is scaled"},
    "GELU": {"approximate": "write `GELU(tanh)`"},
    "BN": {"sync": "leave it out: a batch is on one device"},
    "CROP": {"cropping": "margin"},
    "RESHAPE": {"target_shape newshape new_shape shape": "size"},
    "PERMUTE": {
        "dims perm": "name the axes in the output's order: `PERMUTE((width, height, channels))`"
    },
    "EMBED": {
        "embeddings_initializer": "init",
        "sparse scale_grad_by_freq": "leave it out: gradients are dense",
    },
    "POSEMBED": {
        "max_len max_length max_position_embeddings num_positions sequence_length": "length",
        "dropout": "write `-> DROPOUT(0.1)` behind it",
    },
    "SINUSOIDAL": {"max_len max_length d_model dim": FOLLOWS, "theta temperature": "base"},
    "REDUCE": {"keepdims keepdim": "keep"},
    "REDUCE SPLIT SLICE": {"dim": NAMED},
    "ROLL": {"dims dim": NAMED, "shifts": "shift"},
    "SPLIT": {"chunks num_splits": "parts"},
    "NOISE": {"stddev std sigma": "scale", "mean": "leave it out: the mean is 0"},
    "WINDOW": {"window_size": "size", "shift_size": "shift"},
    "PARAM": {
        "shape": "size",
        "requires_grad trainable": "`frozen=yes` keeps it as it is",
        "initializer": "init",
    },
    "UNPOOL": {"kernel_size stride": "it takes the label of the pool: `UNPOOL(pool1)`"},
    "SOFTPLUS": {"beta threshold": "leave it out: it is log(1 + exp(x))"},
    "PRELU": {"shared_axes": "write `shared=yes` for one slope in place of one per channel"},
}
KEYWORDS: Mapping[tuple[str, str], str] = {
    (layer, word): answer
    for layers, row in _ROWS.items()
    for words, answer in row.items()
    for layer in layers.split()
    for word in words.split()
}
_FLAGS = {"True": "yes", "False": "no"}


def keyword_help(layer: str, argument: str) -> str | None:
    """Help for an argument `keyword=value` that a layer does not have, if it is known."""
    word, _, value = (part.strip() for part in argument.partition("="))
    answer = KEYWORDS.get((layer, word))
    if answer is None or " " in answer:
        return answer
    return f"write `{answer}={_FLAGS.get(value, value)}`"

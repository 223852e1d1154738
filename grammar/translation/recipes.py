"""What netc has not, and what to say or to write in its place."""

import re
from collections.abc import Mapping, Sequence
from string import Template
from typing import NamedTuple

from .call_text import ForeignArgument, by_kind, folded, unquoted
from .words import DROP, NORM_LAYERS, OUR_LAYERS, OUR_VALUES, OurLayer, by_word

_NOTHING = "`{0}` has no counterpart"
_TRAINED = "`{0}` belongs to training: `train {{ regularize = l2(0.01) }}`"

# Arguments that say something which netc's layer cannot, and what to do instead; by layer where
# another layer has the keyword.
LOST: Mapping[str, str] = by_word(
    {
        "kernel_regularizer bias_regularizer embeddings_regularizer W_regularizer": _TRAINED,
        "beta_regularizer gamma_regularizer depthwise_regularizer weight_decay": _TRAINED,
        "kernel_constraint bias_constraint embeddings_constraint max_norm": (
            "weights are not constrained: `{0}` has no counterpart"
        ),
        "activity_regularizer": "activations are not penalized: `{0}` has no counterpart",
        "mask_zero": "a mask is given where it is read: `ATTENTION(8, mask=tokens)`",
        "padding_idx": "all ids are embedded in the same way: `{0}` has no counterpart",
        "align_corners": (
            "`UPSAMPLE` interpolates between the centres, and `RESIZE(factor=2, mode=linear,"
            " align=yes)` as with `align_corners=True`"
        ),
        "keepdims keepdim": "`GAP` yields a vector, which aligns with the channels of an image",
        "output_extent": "`UPSAMPLE` takes a factor: the new extent divided by the old one",
        "noise_shape": "elements are dropped independently: `{0}` has no counterpart",
        "bias_initializer": "biases start at 0; `bias_value=0.1` gives them another value",
        "padding_mode": "`PAD` pads by `reflect` or `edge`, and with zeros",
        "weights": "`netc run --weights FILE` loads weights",
        "scale center": "`affine` covers both scale and shift",
        "antialias renorm return_attention_scores value_dim vdim kdim": _NOTHING,
    }
)
# Layers that can say it, by another keyword or by their own.
COUNTERPARTS: Mapping[str, frozenset[str]] = {
    "scale": frozenset(row.name for row in OUR_LAYERS.values()) - NORM_LAYERS,
    **dict.fromkeys(("align_corners", "antialias"), frozenset({"RESIZE"})),
}
# Keywords that mean something else in a layer of another framework than in ours of its name.
RENAMED: Mapping[tuple[str, str], str] = {
    ("upsample", "size"): "output_extent",
    ("interpolate", "size"): "output_extent",
}
# Values of such arguments that say what netc does anyway.
AGREEING: Mapping[str, str] = by_word(
    {
        "mask_zero keepdims keepdim antialias renorm": "False",
        "align_corners": "False None",
        "bias_initializer": "zeros zero Zeros()",
        "padding_mode": "zeros reflect replicate",
        "scale center": "True",
        "padding_idx max_norm weights": "None",
    }
)


class Substitute(NamedTuple):
    """What to write for a layer that netc has not, with the numbers that its call gives.

    Attributes:
        text: Where `$name` stands for a number; empty where it follows from the steps and the call.
        positional: The names of the positional numbers; of a single one, PyTorch has the input's
            width in front.
        keywords: The names of numbers by the call's keywords.
        numbers: What stands where the call gives none.
        steps: What stands for the layer in a whole program.
    """

    text: str
    positional: str
    keywords: Mapping[str, str]
    numbers: Mapping[str, str]
    steps: str = ""


def _recurrent(kind: str, more: str = "") -> Substitute:
    """A recurrent layer, of which the language has `LSTM`, `GRU` and `RNN`."""
    return Substitute(
        "",
        "units",
        by_word({"units hidden_size filters features": "units"}),
        {"units": "64"},
        f"{kind}($units{more})",
    )


_BOTH = ", direction=both"
_WRAPPER = "bidirectional"
_RECURRENT = re.compile(r"(?:LSTM|GRU|RNN)\(")
_ENCODER_STEPS = (
    "( ID | ATTENTION($heads) ) -> ADD -> LN"
    " -> ( ID | LINEAR($hidden) -> RELU -> LINEAR($width) ) -> ADD -> LN"
)
_ENCODER = Substitute(
    f"write its parts: `{_ENCODER_STEPS}`",
    "width heads hidden",
    by_word(
        {
            "d_model embed_dim embedding_dim hidden_size": "width",
            "nhead num_heads heads n_heads": "heads",
            "dim_feedforward ff_dim intermediate_dim mlp_dim": "hidden",
        }
    ),
    {"width": "64", "heads": "8", "hidden": "256"},
    _ENCODER_STEPS,
)
RECIPES: Mapping[str, Substitute] = by_word(
    {
        "lstm lstmcell": _recurrent("LSTM"),
        "gru grucell": _recurrent("GRU"),
        "rnn simplernn rnncell": _recurrent("RNN"),
        "bilstm bidirectional": _recurrent("LSTM", _BOTH),
        "bigru": _recurrent("GRU", _BOTH),
        "birnn bisimplernn": _recurrent("RNN", _BOTH),
        "transformerencoder transformerblock transformer encoderlayer": _ENCODER,
        "transformerencoderlayer": _ENCODER._replace(
            numbers={"width": "64", "heads": "8", "hidden": "2048"}
        ),
        "timedistributed": Substitute(
            "`LINEAR($units)` is a dense layer at every position", "units", {}, {"units": "10"}
        ),
    }
)

# What netc has not, and what to do instead, by the folded names.
MISSING: Mapping[str, str] = by_word(
    {
        "print summary plotmodel show": (
            "a program describes a network and calls no functions: remove the line; `netc summary`"
            " and `netc draw` show the network"
        ),
        "loss crossentropy crossentropyloss softmaxloss softmaxwithloss nllloss criterion": (
            "the loss is a setting: `train { loss = cross_entropy }`"
        ),
        "mse mseloss": "the loss is a setting: `train { loss = mse }`",
        "bce bceloss binarycrossentropy": (
            "the loss is a setting: `train { loss = binary_cross_entropy }`"
        ),
        "adam sgd optimizer": "the optimizer is a setting: `train { optimizer = adam }`",
        "argmax": (
            '`op("ArgMax", axis=1, keepdims=0)` is the index of the largest value;'
            " `netc predict` names the class"
        ),
        "norm": "normalizations are `BN`, `LN`, `GN`, `IN` and `RMSNORM`",
        "lambda": "layers of mathematics such as `SQUARE` and `REDUCE` compute",
        "positionalencoding positionalembedding positionembedding": (
            "`POSEMBED` adds learned positions"
        ),
        "weightnorm spectralnorm weightnormalization spectralnormalization": (
            "weights are not normalized; `BN` and `LN` normalize activations"
        ),
        "randomflip randomhorizontalflip randomrotation randomcrop": (
            "augmentation belongs to training: `train { augment = [flip(horizontal), rotate(10)] }`"
        ),
        "gaussiannoise": "noise is augmentation of the input: `train { augment = noise(0.05) }`",
        "centercrop": "`CROP(24x24)` cuts to a size",
        "resizing": "`INPUT(64x64x3)` states the size of the images",
        "rescaling": "`NORMALIZE(mean=0, std=255)` divides by 255",
        "maxout": "`( FC(64) | FC(64) ) -> MAX` is a maxout of two",
        "glu": "`SPLIT(2) -> ( ID | SIGMOID ) -> MUL` is a gated linear unit",
        "se seblock semodule squeezeexcite squeezeexcitation squeezeandexcitation": (
            "with 64 channels: `( ID | GAP -> FC(4) -> RELU -> FC(64) -> SIGMOID ) -> MUL`"
        ),
        "residualblock resblock res resnetblock basicblock bottleneck": (
            "write its parts: `( CONV(3x3, 64) -> BN -> RELU -> CONV(3x3, 64) -> BN"
            " | CONV(1x1, 64) ) -> ADD -> RELU`; a block of your own can hold them"
        ),
        "convbnrelu convbnact convbn convblock convnormact": (
            "write its parts: `CONV(3x3, 64) -> BN -> RELU`; a block of your own can hold them"
        ),
        "inception inceptionblock inceptionmodule": (
            "write its branches: `( CONV(1x1, 64) | CONV(3x3, 128) | CONV(5x5, 32) ) -> CONCAT`"
        ),
        "sequential modulelist chain stage": "steps are joined by arrows: `CONV(3x3, 8) -> RELU`",
        "parallel branch branches fork": (
            "branches stand in parentheses: `( CONV(3x3, 8) | CONV(5x5, 8) ) -> CONCAT`"
        ),
    }
)


def own_name(name: str) -> OurLayer | None:
    """The row of a foreign layer's name, with or without its module."""
    return OUR_LAYERS.get(folded(name))


def missing(name: str, arguments: Sequence[ForeignArgument] = ()) -> str | None:
    """What to do without a foreign layer that netc has not."""
    recipe = RECIPES.get(folded(name))
    if recipe is None:
        is_known = _MODELS.fullmatch(folded(name)) and own_name(name) is None
        return MISSING.get(folded(name)) or (_ZOO if is_known else None)
    return _filled(recipe, recipe.text or _recurrent_text(recipe, arguments), arguments)


# What arguments of other recurrent layers say here, and their keywords.
_RECURRENT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("bidirectional=yes", "direction=bidirectional"), "direction=both"),
    **dict.fromkeys(("go_backwards=yes", "direction=reverse"), "direction=backward"),
    "return_sequences=no": "last",
    "return_state=yes": "states",
    **dict.fromkeys(
        ("bidirectional=no", "go_backwards=no", "return_sequences=yes", "return_state=no"), ""
    ),
}
_RECURRENT_KEYWORDS: Mapping[str, str] = by_word(
    {
        "units hidden_size filters features": "hidden",
        "num_layers n_layers": "layers",
        "nonlinearity": "activation",
        "use_bias": "bias",
        "input_size batch_first": DROP,
    }
)


def recurrent(name: str, arguments: Sequence[ForeignArgument]) -> str | None:
    """A call of one of our recurrent layers, its foreign arguments in our words.

    What it says in our words it keeps; None for another layer.
    """
    if not _RECURRENT.match(f"{name}("):
        return None
    counts = [a for a in arguments if a.name is None and a.text.isdigit()]
    names = ((), ("",), ("", "layers"), (DROP, "", "layers"))[min(len(counts), 3)]  # as PyTorch's
    numbers = dict(zip(counts, names, strict=False))
    first: list[str] = []
    words: list[str] = []
    keywords: list[str] = []
    for argument in arguments:
        text = OUR_VALUES.get(argument.text, argument.text)
        keyword = numbers.get(argument, argument.name or "")
        keyword = _RECURRENT_KEYWORDS.get(keyword, keyword)
        said = _RECURRENT_WORDS.get(f"{keyword}={text}", f"{keyword}={text}" if keyword else text)
        if keyword == "hidden" or (argument in numbers and not keyword):
            first.append(text)
        elif keyword != DROP and said:
            (keywords if "=" in said else words).append(said)
    return f"{name}({', '.join([*first, *words, *keywords])})"


def _recurrent_text(recipe: Substitute, arguments: Sequence[ForeignArgument]) -> str:
    """The help for a recurrent layer, with what its call says of how it runs."""
    bare, given = by_kind(arguments)
    start, more = recipe.steps.replace(_BOTH, "")[:-1], _ways(recipe, bare, given)
    states = ", states" * (given.get("return_state") in _TRUE)
    all_states, last_state = f"`{start}{states}{more})`", f"`{start}, last{more})`"
    if "return_sequences" in given:
        return f"write {all_states if given['return_sequences'] in _TRUE else last_state}"
    return f"write {all_states} for a state at each element, or {last_state} for the last one"


_TRUE = frozenset({"yes", "True"})


def _ways(recipe: Substitute, bare: Sequence[str], given: Mapping[str, str]) -> str:
    """How many layers of a recurrent network run in which directions, as arguments of netc's."""
    said = " ".join([*bare, *(f"{key}={value}" for key, value in given.items())])
    layers = bare[2] if len(bare) > 2 and bare[2].isdigit() else given.get("num_layers", "1")
    is_both = _BOTH in recipe.steps or any(f"{_WRAPPER}={word}" in said for word in _TRUE)
    between = f", dropout={given['dropout']}" if "dropout" in given else ""
    return ("" if layers == "1" else f", layers={layers}{between}") + _BOTH * is_both


def ended(name: str, arguments: Sequence[ForeignArgument]) -> str | None:
    """What to do with a step that only marks the end of a chain."""
    is_mark = folded(name) in ("output", "out", "end", "result") and not arguments
    return "remove it: the end of the chain is the output; a dense layer is `FC`" * is_mark or None


_MODELS = re.compile(
    r"(?:wide)?(?:resnet|resnext|vgg|alexnet|lenet|mobilenet|densenet|googlenet|inceptionv|xception"
    r"|efficientnet|squeezenet|shufflenet|vit|swin|unet|bert|gpt)[\w]*"
)
_ZOO = (
    "whole networks ship as programs: `netc zoo` lists them; `lib:resnet.net` has the blocks of"
    " ResNets"
)


class StandIn(NamedTuple):
    """Steps that stand for a layer that netc has not, and what is to be said of them.

    Attributes:
        steps: The steps.
        axes: How many axes they leave beside the channels.
        remark: What they stand for; empty where they are the same.
    """

    steps: str
    axes: int
    remark: str


def stand_in(name: str, arguments: Sequence[ForeignArgument]) -> StandIn | None:
    """What stands in a whole program for a layer that netc has not, where anything does."""
    bare, given = by_kind(arguments)
    wrapped = re.match(r"[\w.]*?(\w+)\(", bare[0]) if bare and folded(name) == _WRAPPER else None
    recipe = RECIPES.get(f"bi{folded(wrapped[1])}" if wrapped else folded(name))
    if recipe is None or not recipe.steps:
        return None
    steps = _filled(recipe, recipe.steps, arguments)
    if not _RECURRENT.match(steps):
        return StandIn(steps, 1, f"the steps of `{name}` are written out")
    said = " ".join([*bare, *(f"{key}={value}" for key, value in given.items())])
    more = _ways(recipe, bare, given)
    steps = steps.replace(_BOTH, "")
    keeps_all = len(bare) > 1 or "hidden_size" in given or "return_sequences=True" in said
    last = "" if keeps_all else ", last"
    return StandIn(f"{steps[:-1]}{last}{more})", int(keeps_all), "")


def _filled(recipe: Substitute, text: str, arguments: Sequence[ForeignArgument]) -> str:
    """A recipe's text with the numbers of a call."""
    bare, named = by_kind(arguments)
    names = recipe.positional.split()
    given = dict(zip(names, bare[int(len(bare) > 1 == len(names)) :], strict=False))
    given |= {ours: named[theirs] for theirs, ours in recipe.keywords.items() if theirs in named}
    found = {name: re.search(r"(?<![\w.])\d+(?![\w.])", text) for name, text in given.items()}
    numbers = {name: match[0] for name, match in found.items() if match}
    return Template(text).substitute({**recipe.numbers, **numbers})


def remarks(name: str, arguments: Sequence[ForeignArgument]) -> str:
    """What a translation leaves out, each after a semicolon."""
    row = own_name(name)
    said = [
        LOST[str(argument.name)].format(argument.name)
        for argument in renamed(name, arguments)
        if row is not None and _is_lost(row.name, argument)
    ]
    return "".join(f"; {text}" for text in dict.fromkeys(said))


def renamed(name: str, arguments: Sequence[ForeignArgument]) -> Sequence[ForeignArgument]:
    """Arguments whose keyword means something else in the foreign layer, by another keyword."""
    keys = ((folded(name), a.name or "") for a in arguments)
    return [a._replace(name=RENAMED.get(k, a.name)) for k, a in zip(keys, arguments, strict=True)]


def _is_lost(layer: str, argument: ForeignArgument) -> bool:
    """Whether an argument says what netc's layer cannot say, and does not do anyway."""
    agreeing = AGREEING.get(argument.name or "", "").split()
    return has_no_counterpart(layer, argument) and unquoted(argument.text) not in agreeing


def has_no_counterpart(layer: str, argument: ForeignArgument) -> bool:
    """Whether netc's layer has no argument for what an argument says."""
    return argument.name in LOST and layer not in COUNTERPARTS.get(argument.name or "", ())

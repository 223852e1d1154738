"""Choices of training by the names of PyTorch, Keras and Caffe, and what they are called here."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import log
from typing import Any, NamedTuple

from ...grammar.diagnostics import NetError
from ...grammar.source import Span
from ...grammar.translation.words import by_word
from ..expressions.arguments import Word, spell, whole
from ..expressions.binding import GivenArgument, bind
from .terms import TermDef


class OurTerm(NamedTuple):
    """What a foreign choice is here.

    Attributes:
        kind, name: The setting that it is in, and our choice.
        positional: Our argument for each of its positional ones; `_` where we have none.
        given: Arguments that it has besides, in our words.
        unlike: Why ours is not the same, only the nearest.
    """

    kind: str
    name: str
    positional: str = ""
    given: Mapping[str, Any] = {}
    unlike: str = ""


_NEAREST = "the nearest one, not the same"
_EPOCHS = {"per": Word("epoch")}  # PyTorch's schedules count epochs

# By the names that they have elsewhere, in lower case and without `_`.
OUR_TERMS: Mapping[str, OurTerm] = by_word(
    {
        "crossentropy crossentropyloss softmaxcrossentropy": OurTerm("loss", "cross_entropy"),
        "softmaxloss categoricalcrossentropy": OurTerm("loss", "cross_entropy"),
        "sparsecategoricalcrossentropy softmaxwithloss logloss": OurTerm("loss", "cross_entropy"),
        "kldiv kldivloss kldivergence kullbackleiblerdivergence": OurTerm("loss", "kl_divergence"),
        "ctc ctcloss": OurTerm("loss", "cross_entropy", unlike=_NEAREST),
        "focalloss sigmoidfocalloss": OurTerm("loss", "focal"),
        "diceloss": OurTerm("loss", "dice"),
        "poisson poissonnllloss cosinesimilarity cosineembeddingloss": OurTerm(
            "loss", "mse", unlike=_NEAREST
        ),
        "triplet tripletmarginloss contrastive marginrankingloss": OurTerm(
            "loss", "hinge", unlike=_NEAREST
        ),
        "bce bceloss bcewithlogitsloss binarycrossentropy": OurTerm("loss", "binary_cross_entropy"),
        "sigmoidcrossentropyloss binarycrossentropywithlogits": OurTerm(
            "loss", "binary_cross_entropy"
        ),
        "mse mseloss meansquarederror l2 l2loss euclideanloss": OurTerm("loss", "mse"),
        "mae maeloss meanabsoluteerror l1 l1loss": OurTerm("loss", "mae"),
        "nllloss": OurTerm("loss", "nll"),
        "huberloss smoothl1 smoothl1loss": OurTerm("loss", "huber"),
        "logcosh logcoshloss": OurTerm("loss", "log_cosh"),
        "hingeloss categoricalhinge multimarginloss": OurTerm("loss", "hinge"),
        "adam": OurTerm("optimizer", "adam", "lr"),
        "adamw": OurTerm("optimizer", "adamw", "lr"),
        "sgd momentumoptimizer": OurTerm("optimizer", "sgd", "lr momentum"),
        "gd gradientdescent": OurTerm("optimizer", "sgd", "lr"),
        "rmsprop": OurTerm("optimizer", "rmsprop", "lr"),
        "adagrad": OurTerm("optimizer", "adagrad", "lr"),
        "nadam adamax radam amsgrad lion ftrl": OurTerm("optimizer", "adam", "lr", unlike=_NEAREST),
        "momentum": OurTerm("optimizer", "sgd", "momentum"),
        "nesterov": OurTerm("optimizer", "sgd", "momentum", {"momentum": 0.9, "nesterov": True}),
        "adadelta": OurTerm("optimizer", "rmsprop", unlike=_NEAREST),
        "lbfgs lars lamb asgd rprop": OurTerm("optimizer", "sgd", "lr", unlike=_NEAREST),
        "step": OurTerm("schedule", "step", "every factor"),
        "steplr stepdecay": OurTerm("schedule", "step", "every factor", _EPOCHS),
        "exponential": OurTerm("schedule", "exponential", "k"),
        "exponentiallr": OurTerm("schedule", "exponential", "factor", _EPOCHS),
        "cosine": OurTerm("schedule", "cosine", "end"),
        "cosineannealing cosineannealinglr": OurTerm("schedule", "cosine", "_ end", _EPOCHS),
        "cosinedecay": OurTerm("schedule", "cosine"),
        "reducelronplateau": OurTerm("schedule", "plateau"),
        "onecyclelr onecycle": OurTerm("schedule", "one_cycle"),
        "cycliclr": OurTerm("schedule", "one_cycle", unlike=_NEAREST),
        "warmup": OurTerm("schedule", "constant", "warmup"),
        "cosinedecayrestarts": OurTerm("schedule", "restarts", "every"),
        "cosineannealingwarmrestarts": OurTerm("schedule", "restarts", "every factor end", _EPOCHS),
        "multisteplr": OurTerm("schedule", "multistep", "at factor", _EPOCHS),
        "multistep": OurTerm("schedule", "multistep", "at factor"),
        "piecewiseconstantdecay": OurTerm("schedule", "multistep", "at"),
        "polynomiallr": OurTerm("schedule", "polynomial", "_ power", _EPOCHS),
        "polynomialdecay": OurTerm("schedule", "polynomial"),
        "linearlr lambdalr": OurTerm(
            "schedule", "linear", "", {"start": 0.1, "end": 0.001}, _NEAREST
        ),
        "exponentialdecay": OurTerm("schedule", "exponential", "_ _ factor"),
        "constantlr none fixed": OurTerm("schedule", "constant"),
        "randomhorizontalflip horizontalflip hflip": OurTerm(
            "augment", "flip", "rate", {"axis": Word("horizontal")}
        ),
        "randomverticalflip verticalflip": OurTerm(
            "augment", "flip", "rate", {"axis": Word("vertical")}
        ),
        "randomflip": OurTerm("augment", "flip", "", {"axis": Word("horizontal")}),
        "randomresizedcrop": OurTerm(
            "augment", "crop", "size", unlike="the nearest one: it only cuts"
        ),
        "randomaffine randomtranslation": OurTerm(
            "augment", "translate", "", {"pixels": 2}, _NEAREST
        ),
        "randomcrop": OurTerm("augment", "crop", "size pad"),
        "randomrotation rotation": OurTerm("augment", "rotate", "degrees"),
        "shift": OurTerm("augment", "translate", "pixels"),
        "colorjitter": OurTerm("augment", "color", "amount", {"amount": 0.2}),
        "randomerasing": OurTerm("augment", "erase", "rate"),
        "coarsedropout": OurTerm("augment", "cutout", "", {"size": 8}, _NEAREST),
        "gaussiannoise": OurTerm("augment", "noise", "std"),
        "standardscaler normalize normalization zscore": OurTerm("preprocess", "standardize"),
        "minmaxscaler minmax rescaling rescale": OurTerm("preprocess", "scale"),
        "pca": OurTerm("preprocess", "pca", "components"),
        "whitening": OurTerm("preprocess", "whiten"),
        "weightdecay": OurTerm("regularize", "l2", "strength"),
        "mnist": OurTerm("data", "idx", "path", {"path": "mnist/"}),
        "fashionmnist": OurTerm("data", "idx", "path", {"path": "fashion-mnist/"}),
        "cifar cifar10": OurTerm("data", "cifar10", "path", {"path": "cifar-10-batches-bin/"}),
        "imagenet": OurTerm(
            "data", "images", "path", {"path": "imagenet/train/", "size": (224, 224)}
        ),
        "imagefolder imagedatasetfromdirectory": OurTerm(
            "data", "images", "path", {"path": "images/"}
        ),
        "iris loadiris": OurTerm("data", "csv", "", {"path": "iris.data"}),
        "loaddigits": OurTerm("data", "digits"),
        "readcsv loadtxt genfromtxt": OurTerm("data", "csv", "path", {"path": "data.csv"}),
        "csv": OurTerm("data", "csv", "path"),
        "load": OurTerm("data", "npz", "path", {"path": "data.npz"}),
    }
)

# Keywords, in lower case and without `_`.
OUR_ARGUMENTS: Mapping[str, str] = {
    "learningrate": "lr", "baselr": "lr", "eta": "lr", "beta1": "beta1", "beta2": "beta2",
    "epsilon": "eps", "weightdecay": "weight_decay", "decay": "weight_decay", "rho": "alpha",
    "stepsize": "every", "gamma": "factor", "decayrate": "factor", "etamin": "end",
    "padding": "pad", "p": "rate", "brightness": "amount", "ncomponents": "components",
    "root": "path", "directory": "path", "data": "path", "size": "size", "imagesize": "size",
    "beta": "delta", "reg": "weight_decay", "sep": "delimiter", "label": "target",
    "labelcol": "target", "targetcolumn": "target", "labelcolumn": "target", "features": "inputs",
    "milestones": "at", "boundaries": "at", "t0": "every", "firstdecaysteps": "every",
    "tmult": "factor", "minlr": "end", "mindelta": "threshold",
    "pctstart": "rise", "divfactor": "below", "finaldivfactor": "fall",
    "usecols": "inputs", "file": "path", "filename": "path", "filepath": "path",
}  # fmt: skip

_ARRAYS = (
    'arrays are saved for a program, and read by `npz("data.npz")`; in Python they are given:'
    " `net.train((x, t))`"
)
_SCALED = "remove it: images are numbers from 0 to 1 as they are read"
_LIST = "write a list, such as `[flip(horizontal), crop(32x32, pad=4)]`"

# What a kind of setting has nothing for, and what to do instead.
ABSENT: Mapping[tuple[str, str], str] = {
    **{("data", name): _ARRAYS for name in "xtrain trainloader x x,y dataloader".split()},
    **{("data", name): _ARRAYS for name in "cifar100 imdb reuters svhn coco wikitext".split()},
    **{("augment", name): _LIST for name in ("compose", "sequential")},
    ("preprocess", "compose"): "write a list, such as `[scale, standardize]`",
    ("augment", "totensor"): _SCALED,
    ("preprocess", "totensor"): _SCALED,
    ("augment", "normalize"): "it is `preprocess = standardize` here",
    **{
        ("augment", name): "write what it is made of, such as `[rotate(10), color(0.2), erase]`"
        for name in ("autoaugment", "randaugment", "trivialaugment", "trivialaugmentwide", "augmix")
    },
    ("regularize", "dropout"): "dropout is a layer of the network: `DROPOUT(0.5)`",
    ("regularize", "batchnorm"): "it is a layer of the network: `BN`",
}

# Arguments that netc determines, or does not need.
UNNEEDED = frozenset(
    "params train download transform fromlogits reduction name tmax verbose lastepoch mode"
    " validationsplit asynchronous staircase labelmode batchsize shuffle seed".split()
)

_MNIST = (
    "`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and"
    " `t10k-labels-idx1-ubyte`"
)
_CIFAR = (
    "put `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of the binary version from"
    " https://www.cs.toronto.edu/~kriz/cifar.html into"
)
_IRIS = "put the table from https://archive.ics.uci.edu/dataset/53/iris into"
_CLASSES = "put a folder of images for each class into"

LOST = "has no counterpart"  # what is said of arguments that our choice lacks

# What is to be done for a data set, before the name of its folder or file.
DOWNLOADS: Mapping[str, str] = {
    "mnist": f"put {_MNIST} from https://ossci-datasets.s3.amazonaws.com/mnist/ into",
    "fashionmnist": f"put {_MNIST} from https://github.com/zalandoresearch/fashion-mnist into",
    "cifar": _CIFAR,
    "cifar10": _CIFAR,
    "imagenet": f"{_CLASSES.replace('class', 'class, from https://image-net.org/download,')}",
    "imagefolder": _CLASSES,
    "imagedatasetfromdirectory": _CLASSES,
    "iris": _IRIS,
    "loadiris": _IRIS,
}


def corrected_term(
    kind: str, name: str, given: Sequence[GivenArgument], known: Mapping[str, TermDef], span: Span
) -> str | None:
    """Help that spells a foreign choice in our words, or None where the table does not know it.

    Args:
        kind: The setting that it is in.
        name: The choice as it is written, a module in front or not.
        given: Its arguments.
        known: The choices that can stand there.
        span: The choice's text.
    """
    name = name.removesuffix(".load_data")
    folded = _folded(name.rsplit(".", 1)[-1])
    if kind == "regularize" and folded in ("l1l2", "elasticnet"):
        return _elastic_net(given)
    if (kind, folded) in ABSENT:
        return ABSENT[kind, folded]
    row = OUR_TERMS.get(folded)
    if row is None or row.kind != kind:
        own = next((own for own in known if _folded(own) == folded), name)
        if own == name:
            return None
        row = OurTerm(kind, own, " ".join(known[own].kinds))
    ours = known[row.name]
    call = _call(row, _arguments(row, given, ours), ours, span)
    if call is None:
        return None
    path = call[1].get("path")
    todo = f", and {DOWNLOADS[folded]} `{path}`" if folded in DOWNLOADS else ""
    unlike = f", {row.unlike}" if row.unlike else ""
    return f"write `{call[0]}`{unlike}{todo}{_left_out(row, given, ours)}"


def _elastic_net(given: Sequence[GivenArgument]) -> str:
    """Both penalties, each with its strength."""
    places = iter(("l1", "l2"))
    found = {a.name or next(places, ""): a.value for a in given}
    terms = [f"{name}({spell(found.get(name, 1e-4))})" for name in ("l1", "l2")]
    return f"write `[{', '.join(terms)}]`"


def _left_out(row: OurTerm, given: Sequence[GivenArgument], ours: TermDef) -> str:
    """What is said of arguments that our choice has not."""
    given = _unpacked(given)
    named = [a for a in given if a.name is not None and _folded(a.name) not in UNNEEDED]
    lost = [a.name for a in named if _our_name(row, str(a.name)) not in (*ours.kinds, "factor")]
    return "".join(f"; `{name}` {LOST}" for name in lost)


def corrected_value(setting: str, value: Any, text: str) -> str | None:
    """Help for a setting's value that is a number in other clothes, such as `"10"` or `80/20`."""
    if setting == "split":
        parts = [float(part) for part in re.findall(r"\d+(?:\.\d+)?", text)]
        parts += [1 - parts[0]] if len(parts) == 1 and parts[0] < 1 else []
        if len(parts) not in (2, 3) or sum(parts) not in (1, 10, 100) or parts[0] == 0:
            return None
        return f"write `({', '.join(f'{part / sum(parts):.10g}' for part in parts)})`"
    number = _number_of(value)
    is_whole = isinstance(number, float) and number.is_integer()
    return f"write `{int(number)}`" if is_whole else None


_LOADERS: Mapping[str, str] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".data"), "csv"),
    ".npz": "npz",
    ".parquet": "parquet",
}


def _loader_of(path: str) -> str | None:
    """The data set that a file's ending says, or None."""
    name = path.casefold().removesuffix(".gz")
    return next((loader for ending, loader in _LOADERS.items() if name.endswith(ending)), None)


def is_file(path: str) -> bool:
    """Whether a text's ending says that it is a file of data."""
    return _loader_of(path) is not None


def corrected_path(path: str) -> str:
    """Help for a path alone: its ending says which data set it is, a folder's name does not."""
    if (loader := _loader_of(path)) is not None:
        return f'write `{loader}("{path}")`'
    return f'say what it holds: `images("{path}")`, `idx("{path}")` or `cifar10("{path}")`'


def _folded(name: str) -> str:
    return name.casefold().replace("_", "")


def _arguments(row: OurTerm, given: Sequence[GivenArgument], ours: TermDef) -> dict[str, Any]:
    """The arguments by our names, those that we have none for left out."""
    places = iter(row.positional.split())
    found: dict[str, Any] = {}
    for argument in _unpacked(given):
        if argument.name is None and row.kind == "optimizer" and not _is_number(argument.value):
            continue  # `model.parameters()`
        name = _our_name(row, next(places, "_") if argument.name is None else argument.name)
        value = whole(_number_of(argument.value))
        if row.name == "exponential" and name == "factor" and _is_share(value):
            name, value = "k", float(f"{-log(value):.6g}")
        if name in ours.kinds:
            found[name] = _several(value, ours, name)
    return found | {name: value for name, value in row.given.items() if name not in found}


def _several(value: Any, ours: TermDef, name: str) -> Any:
    """An integer where a size or a list stands, as one."""
    if name != ours.size or not isinstance(value, int):
        return value
    return [value] if ours.kinds[name].takes_lists else (value, value)


def _unpacked(given: Sequence[GivenArgument]) -> Sequence[GivenArgument]:
    """The arguments with PyTorch's `betas=(0.9, 0.999)` as two."""
    found: list[GivenArgument] = []
    for argument in given:
        is_pair = isinstance(argument.value, tuple | list) and len(argument.value) == 2
        if argument.name == "betas" and is_pair:
            named = zip(("beta1", "beta2"), argument.value, strict=True)
            found += [replace(argument, name=name, value=value) for name, value in named]
        else:
            found.append(argument)
    return found


def _our_name(row: OurTerm, name: str) -> str:
    """An argument's name in our words."""
    name = OUR_ARGUMENTS.get(_folded(name), name)
    is_beta = row.name.startswith("adam") and name == "momentum"
    return "beta1" if is_beta else name  # what its momentum is called


def _is_number(value: Any) -> bool:
    return isinstance(_number_of(value), int | float)


def _number_of(value: Any) -> Any:
    """`"1e-3"` and Python's `True` as our values; others as they are."""
    if isinstance(value, Word) and value in ("True", "False"):
        return value == "True"
    if isinstance(value, str) and not isinstance(value, Word):
        with suppress(ValueError):
            return float(value)
    return value


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1


def _call(
    row: OurTerm, arguments: dict[str, Any], ours: TermDef, span: Span
) -> tuple[str, Mapping[str, Any]] | None:
    """The call as a program spells it, and its arguments, where it can be bound."""
    given = [GivenArgument(name, value, span) for name, value in arguments.items()]
    try:
        bind(ours, given, span, row.name)
    except NetError:
        return None
    bare = (ours.choice, ours.size, *ours.numbers[:1] * (row.kind != "optimizer"))
    positional = next((name for name in bare if name in arguments), None)
    if row.kind == "schedule":
        positional = None
    inside = [
        spell(value) if name == positional else f"{name}={spell(value)}"
        for name, value in sorted(arguments.items(), key=lambda item: item[0] != positional)
    ]
    return (f"{row.name}({', '.join(inside)})" if inside else row.name), arguments

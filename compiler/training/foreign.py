"""Choices of training by the names of PyTorch, Keras and Caffe, and what they are called here."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any, NamedTuple

from ...grammar.diagnostics import NetError
from ...grammar.source import Span
from ..arguments import Word, spell, whole
from ..layerdef import GivenArgument, bind
from .terms import TermDef


class Row(NamedTuple):
    """What a foreign choice is here.

    Attributes:
        kind, name: The setting that it stands in, and our choice.
        positional: Our argument for each of its positional ones; `_` where we have none.
        given: Arguments that it has besides, in our words.
    """

    kind: str
    name: str
    positional: str = ""
    given: Mapping[str, Any] = {}


_EPOCHS = {"per": Word("epoch")}  # PyTorch's schedules count epochs
_CROSS = Row("loss", "cross_entropy")
_BINARY = Row("loss", "binary_cross_entropy")
_SQUARES, _ABSOLUTE = Row("loss", "mse"), Row("loss", "mae")

# Names in lower case, without `_`.
WORDS: Mapping[str, Row] = {
    **dict.fromkeys(
        (
            *("crossentropy", "crossentropyloss", "softmaxcrossentropy", "softmaxloss"),
            *("categoricalcrossentropy", "sparsecategoricalcrossentropy", "softmaxwithloss"),
            *("kldiv", "kldivloss", "kldivergence", "kullbackleiblerdivergence", "logloss"),
        ),
        _CROSS,
    ),
    **dict.fromkeys(("bce", "bceloss", "bcewithlogitsloss", "binarycrossentropy"), _BINARY),
    **dict.fromkeys(("sigmoidcrossentropyloss", "binarycrossentropywithlogits"), _BINARY),
    **dict.fromkeys(("mse", "mseloss", "meansquarederror", "l2", "l2loss"), _SQUARES),
    "euclideanloss": _SQUARES,
    **dict.fromkeys(("mae", "maeloss", "meanabsoluteerror", "l1", "l1loss"), _ABSOLUTE),
    "nllloss": Row("loss", "nll"),
    "huberloss": Row("loss", "huber"),
    "smoothl1": Row("loss", "huber"),
    "smoothl1loss": Row("loss", "huber"),
    "logcosh": Row("loss", "log_cosh"),
    "logcoshloss": Row("loss", "log_cosh"),
    "hingeloss": Row("loss", "hinge"),
    "categoricalhinge": Row("loss", "hinge"),
    "multimarginloss": Row("loss", "hinge"),
    "adam": Row("optimizer", "adam", "lr"),
    "adamw": Row("optimizer", "adamw", "lr"),
    "sgd": Row("optimizer", "sgd", "lr momentum"),
    "gd": Row("optimizer", "sgd", "lr"),
    "gradientdescent": Row("optimizer", "sgd", "lr"),
    "rmsprop": Row("optimizer", "rmsprop", "lr"),
    "adagrad": Row("optimizer", "adagrad", "lr"),
    "step": Row("schedule", "step", "every factor"),
    "steplr": Row("schedule", "step", "every factor", _EPOCHS),
    "stepdecay": Row("schedule", "step", "every factor", _EPOCHS),
    "exponential": Row("schedule", "exponential", "k"),
    "exponentiallr": Row("schedule", "exponential", "factor", _EPOCHS),
    "cosine": Row("schedule", "cosine", "end"),
    "cosineannealing": Row("schedule", "cosine", "_ end", _EPOCHS),
    "cosineannealinglr": Row("schedule", "cosine", "_ end", _EPOCHS),
    "cosinedecay": Row("schedule", "cosine"),
    "reducelronplateau": Row("schedule", "cosine", "", _EPOCHS),
    "constantlr": Row("schedule", "constant"),
    "randomhorizontalflip": Row("augment", "flip", "rate", {"axis": Word("horizontal")}),
    "horizontalflip": Row("augment", "flip", "rate", {"axis": Word("horizontal")}),
    "hflip": Row("augment", "flip", "rate", {"axis": Word("horizontal")}),
    "randomverticalflip": Row("augment", "flip", "rate", {"axis": Word("vertical")}),
    "verticalflip": Row("augment", "flip", "rate", {"axis": Word("vertical")}),
    "randomflip": Row("augment", "flip", "", {"axis": Word("horizontal")}),
    "randomcrop": Row("augment", "crop", "size pad"),
    "randomrotation": Row("augment", "rotate", "degrees"),
    "rotation": Row("augment", "rotate", "degrees"),
    "shift": Row("augment", "translate", "pixels"),
    "colorjitter": Row("augment", "color", "amount", {"amount": 0.2}),
    "gaussiannoise": Row("augment", "noise", "std"),
    "standardscaler": Row("preprocess", "standardize"),
    "normalize": Row("preprocess", "standardize"),
    "normalization": Row("preprocess", "standardize"),
    "zscore": Row("preprocess", "standardize"),
    "minmaxscaler": Row("preprocess", "scale"),
    "minmax": Row("preprocess", "scale"),
    "rescaling": Row("preprocess", "scale"),
    "rescale": Row("preprocess", "scale"),
    "pca": Row("preprocess", "pca", "components"),
    "whitening": Row("preprocess", "whiten"),
    "weightdecay": Row("regularize", "l2", "strength"),
    "mnist": Row("data", "idx", "path", {"path": "mnist/"}),
    "fashionmnist": Row("data", "idx", "path", {"path": "fashion-mnist/"}),
    "cifar": Row("data", "cifar10", "path", {"path": "cifar-10-batches-bin/"}),
    "cifar10": Row("data", "cifar10", "path", {"path": "cifar-10-batches-bin/"}),
    "imagenet": Row("data", "images", "path", {"path": "imagenet/train/", "size": (224, 224)}),
    "imagefolder": Row("data", "images", "path", {"path": "images/"}),
    "imagedatasetfromdirectory": Row("data", "images", "path", {"path": "images/"}),
    "iris": Row("data", "csv", "", {"path": "iris.data"}),
    "loadiris": Row("data", "csv", "", {"path": "iris.data"}),
    "loaddigits": Row("data", "digits"),
    "readcsv": Row("data", "csv", "path", {"path": "data.csv"}),
    "csv": Row("data", "csv", "path"),
}  # fmt: skip

# Keywords, in lower case and without `_`.
KEYWORDS: Mapping[str, str] = {
    "learningrate": "lr", "baselr": "lr", "eta": "lr", "beta1": "beta1", "beta2": "beta2",
    "epsilon": "eps", "weightdecay": "weight_decay", "decay": "weight_decay", "rho": "alpha",
    "stepsize": "every", "gamma": "factor", "decayrate": "factor", "etamin": "end",
    "padding": "pad", "p": "rate", "brightness": "amount", "ncomponents": "components",
    "root": "path", "directory": "path", "data": "path", "size": "size", "imagesize": "size",
    "beta": "delta", "reg": "weight_decay",
}  # fmt: skip

_MNIST = (
    "`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and"
    " `t10k-labels-idx1-ubyte`"
)
_CIFAR = (
    "put `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of the binary version from"
    " https://www.cs.toronto.edu/~kriz/cifar.html into"
)
_IRIS = "put the table from https://archive.ics.uci.edu/dataset/53/iris into"
_CLASSES = "put a folder of pictures for each class into"

# What is to be done for a data set, before the name of its folder or file.
FILES: Mapping[str, str] = {
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


# Settings by other names, in lower case and without `_`, and how ours is written with their value.
SETTINGS: Mapping[str, str] = {
    "lr": "optimizer = sgd(lr={})", "learningrate": "optimizer = sgd(lr={})",
    "baselr": "optimizer = sgd(lr={})", "weightdecay": "optimizer = sgd(weight_decay={})",
    "batchsize": "batch = {}", "minibatch": "batch = {}", "bs": "batch = {}",
    "minibatchsize": "batch = {}", "trainbatchsize": "batch = {}",
    "numepochs": "epochs = {}", "nepochs": "epochs = {}", "nbepoch": "epochs = {}",
    "maxepochs": "epochs = {}", "epoch": "epochs = {}", "nbepochs": "epochs = {}",
    "criterion": "loss = {}", "lossfn": "loss = {}", "lossfunction": "loss = {}",
    "objective": "loss = {}", "cost": "loss = {}", "opt": "optimizer = {}",
    "optim": "optimizer = {}", "solver": "optimizer = {}", "dataset": "data = {}",
    "traindata": "data = {}", "trainset": "data = {}", "scheduler": "schedule = {}",
    "lrscheduler": "schedule = {}", "lrschedule": "schedule = {}", "lrpolicy": "schedule = {}",
    "augmentation": "augment = {}", "augmentations": "augment = {}",
    "dataaugmentation": "augment = {}", "preprocessing": "preprocess = {}",
    "normalization": "preprocess = {}", "regularizer": "regularize = {}",
    "kernelregularizer": "regularize = {}", "randomstate": "seed = {}",
    "randomseed": "seed = {}", "manualseed": "seed = {}", "classweight": "weights = {}",
}  # fmt: skip

_METRICS = (
    "name them where they are measured: `netc evaluate --metric accuracy`, `netc train --monitor"
    " val_accuracy`"
)
_STOPPING = "stop early with `netc train --patience 5`; the best epoch is kept"
_BY_ITSELF = "remove the line: "

# Settings that are not written in a program, and what to do in their place.
ELSEWHERE: Mapping[str, str] = {
    "metric": _METRICS, "metrics": _METRICS, "monitor": _METRICS, "callbacks": _STOPPING,
    "callback": _STOPPING, "earlystopping": _STOPPING, "patience": _STOPPING,
    "dropout": "dropout is a layer of the network: `DROPOUT(0.5)`",
    "device": "it is an option of the command: `netc train --device cuda`",
    "transform": "it is `preprocess` or `augment` here",
    "transforms": "it is `preprocess` or `augment` here",
    "shuffle": f"{_BY_ITSELF}samples are shuffled in each epoch",
    "numworkers": f"{_BY_ITSELF}data are loaded without workers",
}  # fmt: skip


def corrected_term(
    kind: str, name: str, given: Sequence[GivenArgument], known: Mapping[str, TermDef], span: Span
) -> str | None:
    """Help that spells a foreign choice in our words, or None where the table does not know it.

    Args:
        kind: The setting that it stands in.
        name: The choice as it is written, a module in front or not.
        given: Its arguments.
        known: The choices that can stand there.
        span: The choice's text.
    """
    folded = _folded(name.rsplit(".", 1)[-1])
    row = WORDS.get(folded)
    if row is None or row.kind != kind:
        return None
    call = _call(row, _arguments(row, given, known[row.name]), known[row.name], span)
    if call is None:
        return None
    path = call[1].get("path")
    todo = f", and {FILES[folded]} `{path}`" if folded in FILES else ""
    return f"write `{call[0]}`{todo}"


def corrected_path(path: str) -> str:
    """Help for a path alone: its ending says which data set it is, a folder's name does not."""
    name = path.casefold().removesuffix(".gz")
    if name.endswith((".npz", ".csv", ".tsv", ".txt", ".data")):
        return f'write `{"npz" if name.endswith(".npz") else "csv"}("{path}")`'
    return f'say what it holds: `images("{path}")`, `idx("{path}")` or `cifar10("{path}")`'


def corrected_setting(name: str, value: Any, text: str) -> str | None:
    """Help for a setting by another name, or None where the tables do not know it.

    Args:
        name: The setting as it is written.
        value: Its value, where that is a number.
        text: Its value as our words spell it.
    """
    folded = _folded(name)
    if folded in ELSEWHERE:
        return ELSEWHERE[folded]
    if folded in ("validationsplit", "valsplit", "testsize") and _is_share(value) and value < 1:
        shares = (f"{1 - value:.10g}", *("0",) * (folded == "testsize"), f"{value:.10g}")
        return f"write `split = ({', '.join(shares)})`"
    if folded == "droplast" and isinstance(value, bool | Word):
        return f"write `last = {'drop' if value in (True, 'True') else 'keep'}`"
    return f"write `{SETTINGS[folded].format(text)}`" if folded in SETTINGS else None


def _folded(name: str) -> str:
    return name.casefold().replace("_", "")


def _arguments(row: Row, given: Sequence[GivenArgument], ours: TermDef) -> dict[str, Any]:
    """The arguments by our names, those that we have none for left out."""
    places = iter(row.positional.split())
    found: dict[str, Any] = {}
    for argument in given:
        name = next(places, "_") if argument.name is None else argument.name
        name = KEYWORDS.get(_folded(name), name)
        value = whole(argument.value)
        if row.name.startswith("adam") and name == "momentum":
            name = "beta1"  # what its momentum is called
        if row.name == "exponential" and name == "factor" and _is_share(value):
            name, value = "k", float(f"{-log(value):.6g}")
        if name in ours.kinds:
            found[name] = (value, value) if name == ours.size and isinstance(value, int) else value
    return found | {name: value for name, value in row.given.items() if name not in found}


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1


def _call(
    row: Row, arguments: dict[str, Any], ours: TermDef, span: Span
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

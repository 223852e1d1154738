"""Losses, optimizers and data by the names of PyTorch and Keras, and what they are called here."""

from collections.abc import Container, Mapping, Sequence

from ..arguments import spell
from ..layerdef import GivenArgument as Argument

_MNIST = (
    "`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and"
    " `t10k-labels-idx1-ubyte`"
)

WORDS: Mapping[str, str] = {
    "categoricalcrossentropy": "cross_entropy", "crossentropyloss": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy", "crossentropy": "cross_entropy",
    "softmaxwithloss": "cross_entropy", "nllloss": "nll", "bceloss": "binary_cross_entropy",
    "bce": "binary_cross_entropy", "bcewithlogitsloss": "binary_cross_entropy",
    "binarycrossentropy": "binary_cross_entropy", "mseloss": "mse", "meansquarederror": "mse",
    "l1loss": "mae", "maeloss": "mae", "meanabsoluteerror": "mae", "huberloss": "huber",
    "smoothl1loss": "huber", "logcosh": "log_cosh", "hingeloss": "hinge",
    "adam": "adam", "adamw": "adamw", "sgd": "sgd", "rmsprop": "rmsprop", "adagrad": "adagrad",
    "cosineannealinglr": "cosine", "cosinedecay": "cosine",
    "randomhorizontalflip": "flip(horizontal)", "randomverticalflip": "flip(vertical)",
    "horizontalflip": "flip(horizontal)", "verticalflip": "flip(vertical)",
    "rotation": "rotate", "randomrotation": "rotate", "shift": "translate",
    "randomcrop": "crop", "gaussiannoise": "noise", "colorjitter": "color",
    "standardscaler": "standardize", "zscore": "standardize", "normalize": "standardize",
    "weightdecay": "l2", "imagefolder": "images", "imagedatasetfromdirectory": "images",
    "readcsv": "csv", "stepdecay": "step",
    "mnist": 'idx("mnist/")', "fashionmnist": 'idx("fashion-mnist/")',
    "cifar": 'cifar10("cifar-10-batches-bin/")',
}  # fmt: skip

# Which files a data set consists of, where they come from, and where they go.
FILES: Mapping[str, str] = {
    "mnist": f"put {_MNIST} from https://ossci-datasets.s3.amazonaws.com/mnist/ into `{{}}`",
    "fashionmnist": f"put {_MNIST} from https://github.com/zalandoresearch/fashion-mnist"
    " into `{}`",
    "cifar": "put `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of the binary"
    " version from https://www.cs.toronto.edu/~kriz/cifar.html into `{}`",
}

# Settings that other frameworks have, and where the thing stands here.
_STOPPING = "the command ends a run early: `netc train --patience 5`"
_SHARES = "the shares of training, validation and test data: `split = (0.8, 0.1, 0.1)`"
SETTINGS: Mapping[str, str] = {
    **dict.fromkeys(("early_stopping", "callbacks", "patience"), _STOPPING),
    **dict.fromkeys(("validation_split", "val_split", "test_size", "test_split"), _SHARES),
    **dict.fromkeys(("metrics", "metric"), "`netc evaluate` shows all metrics that suit the loss"),
    **dict.fromkeys(("random_state", "random_seed"), "it is `seed` here"),
    **dict.fromkeys(("transform", "transforms"), "it is `preprocess` or `augment` here"),
    **dict.fromkeys(("criterion", "objective", "loss_fn"), "it is `loss` here"),
    "dropout": "dropout is a layer of the network: `DROPOUT(0.5)`",
    "shuffle": "there is no such choice: remove it",
    "device": "it is an option of the command: `netc train --device cuda`",
}

KEYWORDS: Mapping[str, str] = {"learning_rate": "lr", "base_lr": "lr"}


def corrected_term(
    name: str, given: Sequence[Argument], known: Mapping[str, Container[str]]
) -> str | None:
    """Help that spells a foreign choice in our words, or None where the table does not know it.

    Args:
        name: The choice as it is written.
        given: Its arguments.
        known: The choices that can stand there, and the names of their arguments.
    """
    folded = name.casefold().replace("_", "")
    ours = WORDS.get(folded)
    if ours is None or ours.split("(")[0] not in known:
        return None
    named = {KEYWORDS.get(a.name, a.name): a.value for a in given if a.name}
    inside = [spell(a.value) for a in given if not a.name and ours != "cosine"]
    inside += [f"{n}={spell(v)}" for n, v in named.items() if n in known[ours.split("(")[0]]]
    call = f"{ours}({', '.join(inside)})" if inside and "(" not in ours else ours
    files = FILES.get(folded, "").format(WORDS[folded].split('"')[1]) if folded in FILES else ""
    return f"write `{call}`" + (f", and {files}" if files else "")

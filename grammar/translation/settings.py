"""Settings of training by other names -> ours, text to text."""

import re
from collections.abc import Mapping

from .words import by_word

# Settings by other names, in lower case and without `_`, and how ours is written with their value.
OUR_SETTINGS: Mapping[str, str] = by_word(
    {
        "lr learningrate baselr": "optimizer = sgd(lr={})",
        "weightdecay": "optimizer = sgd(weight_decay={})",
        "batchsize minibatch bs minibatchsize trainbatchsize": "batch = {}",
        "numepochs nepochs nbepoch maxepochs epoch nbepochs": "epochs = {}",
        "criterion lossfn lossfunction objective cost": "loss = {}",
        "opt optim solver": "optimizer = {}",
        "dataset traindata trainset": "data = {}",
        "validationdata valdata validationset valset": "validation = {}",
        "testdata testset": "test = {}",
        "scheduler lrscheduler lrschedule lrpolicy": "schedule = {}",
        "augmentation augmentations dataaugmentation": "augment = {}",
        "preprocessing normalization": "preprocess = {}",
        "standardizetarget standardizetargets normalizetarget scaletarget targetscaler": (
            "targets = standardize"
        ),
        "regularizer kernelregularizer": "regularize = {}",
        "accumulategradbatches gradientaccumulationsteps gradientaccumulation accumulationsteps": (
            "accumulate = {}"
        ),
        "emamomentum emadecay modelema": "ema = {}",
        "randomstate randomseed manualseed": "seed = {}",
    }
)

_METRICS = (
    "write `metrics = [accuracy, f1]`; what decides which epoch is best is named on the command"
    " line: `netc train --monitor val_f1`"
)
_STOPPING = "stop early with `netc train --patience 5`; the best epoch is kept"
_BY_ITSELF = "remove the line: "

# Settings that are not written in a program, and what to do in their place.
ELSEWHERE: Mapping[str, str] = by_word(
    {
        "metric monitor": _METRICS,
        "callbacks callback earlystopping patience": _STOPPING,
        "dropout": "dropout is a layer of the network: `DROPOUT(0.5)`",
        "device": "it is an option of the command: `netc train --device cuda`",
        "transform transforms": "it is `preprocess` or `augment` here",
        "verbose": f"{_BY_ITSELF}`netc train -q` is quiet",
        "classweight classweights": (
            "it is an argument of the loss: `loss = cross_entropy(class_weights=[1, 3])`, or"
            " `class_weights=balanced`"
        ),
        "posweight": "it is an argument of the loss: `loss = binary_cross_entropy(pos_weight=3)`",
        "stepsperepoch": f"{_BY_ITSELF}an epoch is all samples, in batches of `batch`",
        "labelsmoothing": (
            "it is an argument of the loss: `loss = cross_entropy(label_smoothing=0.1)`"
        ),
        "gradientclip gradclip clipnorm clipgradnorm maxgradnorm": "write `clip = norm(1)`",
        "clipvalue clipgradvalue": "write `clip = value(0.5)`",
        "amp fp16 mixedprecision": f"{_BY_ITSELF}training computes in float32",
        "shuffle": f"{_BY_ITSELF}samples are shuffled in each epoch",
        "numworkers": f"{_BY_ITSELF}data are loaded without workers",
    }
)

_VALIDATION, _TEST = "split = ({1}, {0})", "split = ({1}, 0, {0})"
# Settings that give one share of the data, {0}, of which {1} is the rest.
OUR_SHARES: Mapping[str, str] = by_word(
    {
        "validationsplit valsplit valsize validationsize": _VALIDATION,
        "testsize testsplit testfraction": _TEST,
        "trainsplit trainsize trainratio trainfraction": "split = ({0}, {1})",
    }
)


def corrected_setting(name: str, value: object, text: str) -> str | None:
    """Help for a setting by another name, or None where the tables do not know it.

    Args:
        name: The setting as it is written.
        value: Its value, where that is a number or a word.
        text: Its value as our words spell it.
    """
    folded = name.casefold().replace("_", "")
    text = re.sub(r"""^(["'])([\d.e-]+)\1$""", r"\2", text)
    if folded in ELSEWHERE:
        return ELSEWHERE[folded]
    if folded in OUR_SHARES and isinstance(value, int | float) and 0 < value < 1:
        return f"write `{OUR_SHARES[folded].format(f'{value:.10g}', f'{1 - value:.10g}')}`"
    if folded == "droplast":
        return f"write `last = {'drop' if str(value) in ('True', 'yes', 'true') else 'keep'}`"
    return f"write `{OUR_SETTINGS[folded].format(text)}`" if folded in OUR_SETTINGS else None

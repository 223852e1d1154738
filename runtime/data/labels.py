"""The classes that labels may name: any other is refused, with a fix."""

import numpy as np

from ...grammar.diagnostics import error, listing
from ..kerneldef import Array
from .dataset import Dataset

_VOID = 255  # what the masks of PASCAL VOC and Cityscapes hold where no class is known
_SPELLED = 10  # classes that a message lists
_MOST_CLASSES = 1000  # that a message suggests


def check_labels(
    data: Dataset, classes: int, *, ignored: int | None = None, ignoring: str = ""
) -> None:
    """Refuse labels that are not classes of the network.

    Args:
        data: Whose labels are looked at; one without labels passes.
        classes: How many classes the network distinguishes.
        ignored: A label that the loss leaves out.
        ignoring: The loss, if it can leave out a label.

    Raises:
        NetError: E523.
    """
    labels = data.labels()
    names = data.classes
    if labels is not None and len(names) > classes and labels.max(initial=0) >= classes:
        raise error(
            "E523",
            f"{data.about.name} has {len(names)} classes, and the network distinguishes {classes}",
            notes=[f"the classes are {listing(names, _SPELLED)}"],
            help=f"give the network {len(names)} outputs, one for each class",
        )
    if labels is not None:
        numbers = np.arange(len(labels))
        where = data.about.name
        check_range(where, labels, numbers, classes, ignored=ignored, ignoring=ignoring)


def check_range(
    where: str,
    labels: Array,
    samples: Array,
    classes: int,
    *,
    ignored: int | None = None,
    ignoring: str = "",
) -> None:
    """Refuse class indices outside of [0, classes); also of pixels, (n, ...).

    Args:
        where: What messages call the data.
        labels: The indices.
        samples: The samples' numbers.
        classes: How many classes there are.
        ignored: An index that the loss leaves out.
        ignoring: The loss, if it can leave out an index.

    Raises:
        NetError: E523, with the first such sample's number.
    """
    wrong = (labels < 0) | (labels >= classes)
    if ignored is not None:
        wrong &= labels != ignored
    if not wrong.any():
        return
    sample = int(samples[np.argwhere(wrong)[0][0]])
    label = int(labels[wrong].flat[0])
    raise error(
        "E523",
        f"{where}: the label {label} of sample {sample} is outside the {classes} classes",
        notes=[f"classes and samples count from 0: labels go from 0 to {classes - 1}"],
        help=_renumbering(labels, np.unique(labels[wrong]), classes, ignoring),
    )


def _renumbering(labels: Array, wrong: Array, classes: int, ignoring: str) -> str:
    """What to do about labels of which some are out of range."""
    found = [int(label) for label in np.unique(labels)]
    if found == [0, _VOID] and classes == len(found):
        left_out = f"; `{ignoring}(ignore_index={_VOID})` leaves it out" if ignoring else ""
        return f"if {_VOID} is the second class, `t // {_VOID}` numbers it 1{left_out}"
    from_one = found[0] == 1 and found[-1] <= classes
    left_out = f"`{ignoring}(ignore_index={wrong[0]})` leaves the class {wrong[0]} out"
    one = bool(ignoring) and len(wrong) == 1
    if not from_one and one and (labels.ndim > 2 or wrong[0] == _VOID):
        return left_out
    or_left_out = f"; {left_out}" if one and wrong[0] < 0 and 0 in found else ""
    needed = len(found) if found[0] < 0 else found[-1] + 1
    more = f", and give the network {len(found)} outputs" if len(found) > classes else ""
    if found[0] == 0 or (more and (found[0] < 0 or labels.ndim > 2)):
        outputs = f"{needed} outputs" if needed <= _MOST_CLASSES else "more outputs"
        enough = f"give the network {outputs}, one for each class"
        return f"renumber the labels, or {enough}{or_left_out}"
    how = "`t - 1`" if from_one else "`names, t = np.unique(t, return_inverse=True)`"
    if labels.ndim > 2:
        return f"number the classes from 0: {how}"
    spelled = f"[{', '.join(map(str, found))}]" if len(found) <= _SPELLED else "[...]"
    from_zero = f"`csv(..., classes={spelled})` of a table, {how} of an array"
    return f"number them from 0: {from_zero}{more}{or_left_out}"

"""The handwritten digits that ship with netc."""

from importlib.resources import files

import numpy as np

from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, ArrayData, Dataset, Rows

_FULL = 16.0  # a value counts the black pixels of a 4x4 block


@loader("digits")
def digits() -> Dataset:
    """1,797 handwritten digits, (N, 1, 8, 8) in [0, 1], with labels 0 to 9.

    UCI Machine Learning Repository, "Optical Recognition of Handwritten Digits", the test part
    (Alpaydin and Kaynak 1998; CC BY 4.0); `digits.txt` beside the file states source and licence.
    """
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file) as archive:
        images, labels = archive["images"], archive["labels"]
    about = About(
        name="`digits`",
        kinds={TARGET_NAME: "label"},
        class_names={TARGET_NAME: tuple(map(str, range(10)))},
        units={INPUT_NAME: WHITE},
    )
    inputs = {INPUT_NAME: Rows((images[:, None],), "float32", _FULL)}
    return ArrayData(inputs, {TARGET_NAME: Rows((labels,), "int64")}, about)

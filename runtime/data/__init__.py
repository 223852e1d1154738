"""Files, arrays and code -> samples, split, shuffled, augmented, preprocessed, ready to be fed.

Importing this package fills the tables `LOADERS`, `PREPROCESSORS` and `AUGMENTATIONS`.
"""

from . import (  # noqa: F401  (each enters its rows)
    cifar,
    delimited,
    digits,
    erasing,
    idx,
    image_folder,
    mixing,
    parquet,
    planar,
    records,
    shapes,
)
from .adapting import adapter
from .augmentation import AUGMENTATIONS, Augmenter, augmenter
from .choices import LOADERS, load
from .dataset import About, ArrayData, Batch, Dataset, Rows
from .from_arrays import arrays
from .labels import check_labels
from .preprocessing import PREPROCESSORS, Fitted, fit
from .splits import Splits, batch_indices, batches, shuffled, splits

__all__ = [
    "AUGMENTATIONS",
    "LOADERS",
    "PREPROCESSORS",
    "About",
    "ArrayData",
    "Augmenter",
    "Batch",
    "Dataset",
    "Fitted",
    "Rows",
    "Splits",
    "adapter",
    "arrays",
    "augmenter",
    "batch_indices",
    "batches",
    "check_labels",
    "fit",
    "load",
    "shuffled",
    "splits",
]

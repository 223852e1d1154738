"""Data sets for Python: `arrays` makes one, and a subclass of `Dataset` reads its own."""

from .runtime.data.dataset import About, Batch, Dataset, TargetKind
from .runtime.data.from_arrays import arrays

__all__ = ["About", "Batch", "Dataset", "TargetKind", "arrays"]

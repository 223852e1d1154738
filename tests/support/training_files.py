"""Programs and data in files, to train from the command line."""

from pathlib import Path

import numpy as np

PROGRAM = """\
net Digits

INPUT(8x8) -> FC(12) -> RELU -> FC(10)

train {
  data      = digits
  split     = (0.1, 0.45, 0.45)
  optimizer = sgd(lr=0.1, momentum=0.9)
  batch     = 60
  epochs    = 2
}
"""
SMALL = 'INPUT(2) -> FC(2)\n\ntrain {\n  data = npz("data.npz")\n  epochs = 1\n}\n'


def write_data(folder: Path, *, x: object = None, y: object = None) -> None:
    """Twenty points and their labels, or other arrays."""
    points = np.random.default_rng(0).random((20, 2)).astype(np.float32)
    labels = np.arange(20) % 2
    arrays = {"x": points if x is None else x, "y": labels if y is None else y}
    np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]  # NumPy's stubs want a flag

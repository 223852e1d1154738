"""Transforms of signals, and the determinant."""

import numpy as np

from support.ops import Given, Known, Random, op_row

REAL, COMPLEX = Random((None, 6, 1)), Random((None, 6, 2))

ROWS = [
    op_row("DFT", REAL, None, Known(1)),
    op_row("DFT", COMPLEX, None, Known(-2)),
    op_row("DFT", REAL, Known(8), Known(1), onesided=1),
    op_row("DFT", COMPLEX, None, Known(1), inverse=1),
    op_row("DFT", Random((2, 4, 5, 2)), Known(3), Known(1)),
    op_row("STFT", Random((None, 16, 1)), Known(4), Random((8,), 0.1, 1)),
    op_row("STFT", Random((None, 16, 1)), Known(3), None, Known(6), onesided=0),
    op_row("Det", Random((None, 3, 3)), formula=lambda x: np.linalg.eigvals(x).prod(-1).real),
    op_row("Det", Given([[2.0, 1.0], [0.5, 3.0]]), formula=lambda x: np.array(5.5)),
]

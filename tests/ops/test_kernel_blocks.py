"""Kernels that work in blocks, on every block size."""

import pytest
from support.op_table import ROWS
from support.ops import OpRow, check_meaning

from netc.runtime.kernels import (
    batch_innermost,
    columns,
    convolution,
    max_pool_gradient,
    products,
    weight_gradient,
)

pytestmark = pytest.mark.slow

BLOCKED = {"Conv", "ConvTranspose", "netc.ConvWeightGrad", "netc.MaxPoolGrad"}
LIMITS = (
    (batch_innermost, "LONG_ROW"),
    (columns, "LONG_ROW"),
    (convolution, "BLOCK_BYTES"),
    (max_pool_gradient, "BLOCK_BYTES"),
    (weight_gradient, "LONG_PRODUCT"),
    (products, "SMALL"),
    (products, "LEAST_COLUMNS"),
    (products, "LEAST_TERMS"),
    (products, "TERMS"),
)


@pytest.mark.parametrize("row", [row for row in ROWS if row.op_type in BLOCKED], ids=str)
@pytest.mark.parametrize("limit", [1, 20_000])
def test_small_blocks(row: OpRow, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples one by one, and a few at a time with some left over, mean the same."""
    for module, name in LIMITS:
        monkeypatch.setattr(module, name, limit)
    check_meaning(row)

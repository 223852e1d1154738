"""Kernels write to memory that they are given, in the layouts that suit them, what they return."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.op_table import ROWS
from support.ops import OpRow, arguments_of

from netc.compiler.ops.opdef import OPS
from netc.runtime.kerneldef import KERNELS, Array, Kernel, Layout
from netc.runtime.kernels.slabs import batch_innermost


def _layouts(like: Array, kernel: Kernel) -> Iterator[Array]:
    """Arrays of one shape: row-major, a part of a larger one, and with the batch innermost."""
    yield np.empty(like.shape, like.dtype)
    if kernel.elementwise:
        larger = np.empty([2 * extent + 1 for extent in like.shape], like.dtype)
        inside: Any = (..., *(slice(extent) for extent in like.shape))
        yield larger[inside]
    if like.ndim > 2 and kernel.layout is not Layout.ROW_MAJOR:
        yield batch_innermost(like.shape, like.dtype)


def _called(row: OpRow, arrays: list[Array | None], **given: Any) -> tuple[Array, ...]:
    kernel = KERNELS[row.op_type]
    asked = {"outputs": row.outputs} if kernel.counts_outputs else {}
    attributes = {**OPS.named(row.op_type).attributes, **row.attributes}
    found = kernel.function(*arrays, **attributes, **asked, **given)
    return tuple(np.asarray(each) for each in (found if isinstance(found, tuple) else (found,)))


@pytest.mark.parametrize("row", [row for row in ROWS if KERNELS[row.op_type].out], ids=str)
def test_given_memory(row: OpRow) -> None:
    """All of it is written, and the other results are the same."""
    for batch in row.batches:
        arrays = arguments_of(row, batch)
        with np.errstate(all="ignore"):
            first, *others = _called(row, arrays)
            for out in _layouts(first, KERNELS[row.op_type]):
                out[...] = 1
                result, *rest = _called(row, arrays, out=out)
                np.testing.assert_allclose(out, first, rtol=1e-5, atol=1e-5)
                assert np.shares_memory(result, out) or not out.size
                for found, expected in zip(rest, others, strict=True):
                    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)

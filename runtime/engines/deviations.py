"""How far the outputs of a model in half precision are from those in float32, as figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isnan

import numpy as np

from ..kerneldef import Array
from .agreement import norm_difference


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """How far an output is from that in float32; infinitely where it is infinite, or NaN.

    Attributes:
        relative: max |difference| / max |output in float32|.
        absolute: max |difference|.
    """

    relative: float
    absolute: float


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far a model in half precision is from its network in float32, on a random batch.

    Attributes:
        dtype: `float16` or `bfloat16`.
        batch: How many samples there were.
        outputs: The deviation of each output; none where neither engine could compute them.
        note: Why onnxruntime did not run the model as it is, so that there was only float32 with
            each result rounded to `dtype`; empty where it did.
    """

    dtype: str
    batch: int
    outputs: Mapping[str, Deviation]
    note: str = ""

    @property
    def worst(self) -> float:
        """The largest relative difference."""
        return max((each.relative for each in self.outputs.values()), default=inf)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        if not self.outputs:
            yield f"{self.dtype} was not compared with float32: {self.note}"
            return
        yield f"{self.dtype} against float32 on a random batch of {self.batch}"
        width = max(map(len, self.outputs))
        for name, each in self.outputs.items():
            found = f"max |difference| {each.absolute:.1e}, {each.relative:.1e} of the largest"
            yield f"  {name:{width}}  {found}"
        if self.note:
            yield f"  ({self.note}; computed in float32, each result rounded to {self.dtype})"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def deviation(found: Array, expected: Array) -> Deviation:
    """How far an output is from what it is in float32."""
    a, b = found.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        absolute = float(np.max(np.abs(a - b), initial=0.0, where=np.isfinite(b)))
    return Deviation(norm_difference(found, expected), inf if isnan(absolute) else absolute)

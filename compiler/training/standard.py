"""Targets in another unit for their losses: (t - shift) factor, which outputs undo."""

from typing import Any

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import Value


@record
class Standard:
    """How the targets of an output are brought to the unit in which it is trained.

    Attributes:
        shift: What is subtracted, an array or numbers that broadcast with a sample.
        factor: What that is multiplied by; none is 0.
    """

    shift: Any
    factor: Any

    def scaled(self, build: Builder, target: Value) -> Value:
        """A target as its loss takes it; NaN, which is not known, stays NaN."""
        shifted = build.Sub(target, build.constant(self.shift, target.dtype))
        return build.Mul(shifted, build.constant(self.factor, target.dtype))

    def restored(self, build: Builder, output: Value) -> Value:
        """An output in the unit of the data."""
        stretched = build.Div(output, build.constant(self.factor, output.dtype))
        return build.Add(stretched, build.constant(self.shift, output.dtype))

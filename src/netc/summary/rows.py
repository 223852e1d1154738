"""Graph to the rows of the layer table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from ..compiler.analysis.counts import Counts, LayerCounts, Totals, total
from ..compiler.analysis.memory import Memory
from ..compiler.analysis.receptive_fields import ReceptiveField
from ..compiler.expressions.arguments import spell
from ..compiler.ir.dim import Dim
from ..compiler.ir.graph import Graph, Layer
from ..compiler.ir.types import TensorType, author_size
from ..compiler.layers.layerdef import LAYERS
from ..grammar.records import record
from ..grammar.source import Span

DEFAULT_MARK = "*"
LONGEST_VALUE = 24


@record
class LayerRow(Totals):
    """A layer, or several that are folded into one scope.

    Attributes:
        name: The layer's path, or the scope's.
        kind: The language's name of the layer, such as `CONV`; empty for a scope.
        arguments: What it was called with, defaults included; empty for a scope.
        defaulted: The arguments that a default filled in.
        outputs: Types of its outputs, channels first; a scope has those of its last layer.
        receptive_field: What one element of the output sees of the input, per spatial axis.
        stride: The cumulative stride, per spatial axis; None without positions.
        memory: Bytes of its outputs for one sample.
        shared: Names of the parameters that it uses and that another layer counts.
        span: Where the author wrote it.
        layers: How many layers it stands for.
    """

    name: str
    kind: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    defaulted: frozenset[str] = frozenset()
    outputs: tuple[TensorType, ...] = ()
    receptive_field: tuple[Dim, ...] = ()
    stride: tuple[float, ...] | None = None
    memory: Dim = 0
    shared: tuple[str, ...] = ()
    span: Span | None = None
    layers: int = 1

    def __repr__(self) -> str:
        what = self.call or f"{self.layers:,} layers"
        return f"<LayerRow {self.name}: {what}, {self.output}, {self.params:,} parameters>"

    @property
    def output(self) -> str:
        """The shape of the output as the author writes it; several are joined by ` | `."""
        return " | ".join(map(author_size, self.outputs))

    @property
    def call(self) -> str:
        """The layer as a program spells it, without what defaults determine but for the essentials.

        `CONV(5x5, 32*, pad=valid)`: arguments that a call gives by position are always there, and
        marked where a default filled them in.
        """
        return self.called(DEFAULT_MARK)

    def called(self, mark: str = "") -> str:
        """As `call`, with another mark or none."""
        if not self.kind:
            return f"{self.layers} layers" if self.layers > 1 else ""
        leading = positional(self.kind)
        given = [name for name in leading if self.arguments.get(name) is not None]
        parts = [self._argument(name, mark) for name in given]
        parts += [
            f"{name}={self._argument(name, mark)}"
            for name in self.arguments
            if name not in leading and name not in self.defaulted
        ]
        parts += ["frozen=yes"] if self.frozen and not self.trainable else []
        return f"{self.kind}({', '.join(parts)})" if parts else self.kind

    @property
    def all_arguments(self) -> str:
        """Every argument, `kernel=3x3* filters=32`; those that a default filled in are marked."""
        return " ".join(
            f"{name}={self._argument(name)}"
            for name, value in self.arguments.items()
            if value is not None
        )

    def spelled(self, name: str) -> str:
        """An argument's value as a program spells it; a kernel of 3 on an image is `3x3`."""
        value = self.arguments[name]
        if isinstance(value, str):
            return value
        definition = LAYERS.get(self.kind)
        is_size = definition and name == definition.size and name not in definition.counts
        if is_size and isinstance(value, int) and self.outputs:
            return "x".join([str(value)] * max(self.outputs[0].rank - 2, 1))
        if definition is None and isinstance(value, tuple):
            value = list(value)  # an ONNX operator takes lists, not sizes
        text = spell(value)
        return text if len(text) <= LONGEST_VALUE else "[...]"

    def _argument(self, name: str, mark: str = DEFAULT_MARK) -> str:
        return self.spelled(name) + (mark if name in self.defaulted else "")


def positional(kind: str) -> list[str]:
    """The arguments of a layer that a call may give without a keyword."""
    definition = LAYERS.get(kind)
    return [] if definition is None else definition.positional


def rows_of(
    graph: Graph, counts: Counts, memory: Memory, fields: Mapping[str, ReceptiveField]
) -> tuple[LayerRow, ...]:
    """A row per layer, in order of appearance.

    Nodes outside of all layers that hold or cost something have a row per scope, so that the rows
    add up to the totals.
    """
    return tuple(
        _row(path, graph.layers.get(path), counted, memory, fields.get(path))
        for path, counted in counts.layers.items()
        if path in graph.layers or counted.params or counted.buffers or counted.flops != 0
    )


def _row(
    path: str,
    layer: Layer | None,
    counted: LayerCounts,
    memory: Memory,
    seen: ReceptiveField | None,
) -> LayerRow:
    return LayerRow(
        name=path,
        kind=layer.kind if layer else "",
        arguments=layer.arguments if layer else {},
        defaulted=layer.defaulted if layer else frozenset(),
        outputs=counted.outputs,
        trainable=counted.trainable,
        frozen=counted.frozen,
        buffers=counted.buffers,
        macs=counted.macs,
        elementwise=counted.elementwise,
        receptive_field=seen.extents if seen else (),
        stride=seen.strides if seen else None,
        memory=memory.layers.get(path, 0),
        shared=counted.shared,
        span=layer.span if layer else None,
    )


def folded(rows: Iterable[LayerRow], depth: int) -> tuple[LayerRow, ...]:
    """Rows with each scope that lies deeper than `depth` folded into one."""
    groups: dict[str, list[LayerRow]] = {}
    for row in rows:
        groups.setdefault(".".join(row.name.split(".")[:depth]), []).append(row)
    return tuple(
        group[0] if len(group) == 1 and group[0].name == scope else _fold(scope, group)
        for scope, group in groups.items()
    )


def _fold(scope: str, rows: Sequence[LayerRow]) -> LayerRow:
    last = rows[-1]
    shared = dict.fromkeys(name for row in rows for name in row.shared)
    return LayerRow(
        name=scope,
        outputs=last.outputs,
        trainable=sum(row.trainable for row in rows),
        frozen=sum(row.frozen for row in rows),
        buffers=sum(row.buffers for row in rows),
        macs=total(row.macs for row in rows),
        elementwise=total(row.elementwise for row in rows),
        receptive_field=last.receptive_field,
        stride=last.stride,
        memory=total(row.memory for row in rows),
        shared=tuple(name for name in shared if not name.startswith(f"{scope}.")),
        span=rows[0].span,
        layers=len(rows),
    )

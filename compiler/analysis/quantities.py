"""Graph to the quantities that assertions refer to, each computed when it is first read."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, did_you_mean, error
from ...grammar.source import Span
from ..expressions.evaluate import Environment, Lazy
from ..expressions.names import automatic_name_used
from ..ir.dim import Dim
from ..ir.graph import Graph, Value
from ..ir.types import author_extents
from . import structure
from .counts import Counts, count, total
from .memory import Memory, measure
from .receptive_fields import ReceptiveField, receptive_fields


class Quantities:
    """What can be asked of a network, and of its layers by label.

    Attributes:
        warnings: Findings about the labels that were asked for.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.warnings: list[Diagnostic] = []

    @cached_property
    def counts(self) -> Counts:
        """Parameters and operations."""
        return count(self.graph)

    @cached_property
    def memory(self) -> Memory:
        """Bytes of activations."""
        return measure(self.graph)

    @cached_property
    def fields(self) -> Mapping[str, ReceptiveField]:
        """Receptive fields by layer."""
        return receptive_fields(self.graph)

    @cached_property
    def scopes(self) -> Mapping[str, Sequence[str]]:
        """For each scope, and each layer, the paths of the layers in it."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in self.graph.layers:
            parts = path.split(".")
            for length in range(1, len(parts) + 1):
                found[".".join(parts[:length])].append(path)
        return dict(found)

    def environment(self, lets: Mapping[str, Any]) -> Environment:
        """What an assertion's names mean: the module's `let`s, then the quantities."""
        names = {name: Lazy(cache(_bound(rule, self))) for name, rule in OF_NETWORK.items()}
        labels = {name: _labelled(rule, self) for name, rule in OF_LABEL.items()}
        return Environment({**names, **lets}, labels, find=self.find)

    def find(self, label: str, span: Span | None) -> Value | None:
        """The tensor that a label stands for, or None; given a place, as `check_label` warns."""
        if label not in self.graph.labels and label not in self.scopes:
            return None
        if span is not None:
            self.check_label(label, span)
        return self.value_of(label)

    def layers_of(self, label: str) -> Sequence[str]:
        """The layers that a label stands for: those in its scope, or the one that it names."""
        if label in self.scopes:
            return self.scopes[label]
        return [self.graph.producer(self.graph.labels[label]).scope]

    def value_of(self, label: str) -> Value:
        """The tensor that a label stands for; a scope stands for its last layer's."""
        if label in self.graph.labels:
            return self.graph.labels[label]
        return self.graph.layers[self.scopes[label][-1]].outputs[0]

    def field_of(self, label: str) -> ReceptiveField | None:
        """What an element of a label's tensor sees, where a layer yields that tensor."""
        return self.fields.get(self.graph.producer(self.value_of(label)).scope)

    def check_label(self, label: str, span: Span) -> None:
        """Refuse a label that names nothing, and warn of an automatic name."""
        if label not in self.scopes and label not in self.graph.labels:
            known = [*self.scopes, *self.graph.labels]
            raise error("E101", f"unknown label `{label}`", span, help=did_you_mean(label, known))
        layer = self.graph.layers.get(label)
        if layer is not None and not layer.labelled:
            self.warnings.append(automatic_name_used(label, layer, span))


LabelRule = Callable[[Quantities, str, Span], Any]


def params_of(network: Quantities, label: str, span: Span) -> int:
    """Learned parameters of a layer, or of all layers in a scope."""
    return sum(network.counts.layers[path].params for path in network.layers_of(label))


def macs_of(network: Quantities, label: str, span: Span) -> Dim:
    """Multiply-accumulates of a layer, or of all layers in a scope, for one sample."""
    return total(network.counts.layers[path].macs for path in network.layers_of(label))


def shape_of(network: Quantities, label: str, span: Span) -> Any:
    """The shape as the author writes it."""
    return as_written(author_extents(network.value_of(label).type) or (1,))


def receptive_field_of(network: Quantities, label: str, span: Span) -> Any:
    """Rows and columns of the input that one element sees."""
    field = network.field_of(label)
    if field is None or not field.extents:
        message = f"`{label}` has no receptive field: no input has rows, columns or positions"
        raise error("E303", message, span)
    return as_written(field.extents)


def stride_of(network: Quantities, label: str, span: Span) -> Any:
    """By how many rows and columns of the input neighbours differ."""
    field = network.field_of(label)
    if field is None or field.strides is None:
        raise error("E303", f"`{label}` has no stride: its elements have no positions", span)
    return as_written(field.strides)


def as_written(extents: Sequence[Dim | float]) -> Any:
    """Extents as a program writes them: one is a number, several are a size."""
    return extents[0] if len(extents) == 1 else tuple(extents)


OF_NETWORK: Mapping[str, Callable[[Quantities], Any]] = {
    "params": lambda network: network.counts.params,
    "trainable": lambda network: network.counts.trainable,
    "macs": lambda network: network.counts.macs,
    "flops": lambda network: network.counts.flops,
    "layers": lambda network: structure.layer_count(network.graph),
    "depth": lambda network: structure.depth(network.graph, network.counts),
    "width": lambda network: structure.width(network.graph, network.counts),
    "memory": lambda network: network.memory.peak,
}

OF_LABEL: Mapping[str, LabelRule] = {
    "params": params_of,
    "macs": macs_of,
    "shape": shape_of,
    "receptive_field": receptive_field_of,
    "stride": stride_of,
}


def _bound(rule: Callable[[Quantities], Any], network: Quantities) -> Callable[[], Any]:
    return lambda: rule(network)


def _labelled(rule: LabelRule, network: Quantities) -> Callable[[str, ast.Apply], Any]:
    def compute(label: str, call: ast.Apply) -> Any:
        span = call.arguments[0].value.span
        network.check_label(label, span)
        return rule(network, label, span)

    return compute

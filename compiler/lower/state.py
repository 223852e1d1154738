"""What a lowering knows while it runs: the graph so far, names and their places, limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, error
from ...grammar.source import Span
from ..graph import Graph, Layer, Turn, Value
from ..layerdef import LAYERS
from ..names import Scope

Tensors = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a step stands: what meets it, its scope and label, and whether it may start a chain."""

    current: Tensors
    scope: Scope
    label: str | None
    label_span: Span | None
    starts: bool


@dataclass(eq=False)
class State:
    """The state of one lowering.

    Attributes:
        graph: What was lowered so far.
        top: The module's outermost scope.
        max_layers: How many layers the expanded network may have.
        heads: Units, by path, of the last dense layers that state none.
        places: Where each name was given.
        turns: The turns of repetitions that lowering stands in, outermost first.
        repetitions: How many repetitions were entered.
    """

    graph: Graph
    top: Scope
    max_layers: int
    heads: Mapping[str, int]
    warnings: list[Diagnostic] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    repetitions: int = 0

    def find(self, name: str, scope: Scope, span: Span) -> Value | None:
        """The value that a name means here, or None; automatic names are warned of."""
        for region in scope.outwards():
            value = region.bindings.get(name, self.graph.labels.get(region.prefix + name))
            if value is None:
                continue
            layer = self.graph.layers.get(region.prefix + name)
            if layer is not None and not layer.labelled and name not in region.bindings:
                self.warnings.append(_automatic_name(name, layer, span))
            return value
        return None

    def find_layer(self, label: str, *, scope: Scope, span: Span) -> Layer | None:
        """The layer that a label names here, or None."""
        for region in scope.outwards():
            layer = self.graph.layers.get(region.prefix + label)
            if layer is not None:
                if not layer.labelled:
                    self.warnings.append(_automatic_name(label, layer, span))
                return layer
        return None

    def free_path(self, path: str, span: Span) -> str:
        """The path itself, where nothing bears it yet."""
        if path in self.places:
            earlier = Pointer(self.places[path], "given here first")
            in_turn = "label the repetition, so that each turn has a scope of its own"
            raise error(
                "E112",
                f"the name `{path}` is given twice",
                span,
                also=[] if self.places[path] == span else [earlier],
                help=in_turn if self.turns else "labels within a scope must differ",
            )
        return path

    def give_name(self, path: str, value: Value, span: Span) -> None:
        """Let a path name a value."""
        self.places[self.free_path(path, span)] = span
        self.graph.labels[path] = value

    def unknown(self, name: str, scope: Scope, span: Span) -> NetError:
        """The error for a word that is no layer and no value, with the nearest that is one."""
        values = [label for label in self.graph.labels if label.startswith(scope.prefix)]
        near = did_you_mean(name, [*LAYERS, *values])
        kind = "layer" if name.isupper() else "layer or value"
        return error("E101", f"unknown {kind} `{name}`", span, help=near)

    def too_many_layers(self, span: Span, count: int) -> NetError:
        """The error for a network beyond the limit."""
        return error(
            "E401",
            f"the network has at least {count:_} layers, and {self.max_layers:_} are the limit",
            span,
            help="`--max-layers` raises the limit",
        )


def _automatic_name(name: str, layer: Layer, span: Span) -> Diagnostic:
    return Diagnostic(
        "W102",
        f"`{name}` is an automatic name, and shifts when a layer is inserted",
        span,
        also=(Pointer(layer.span, "this layer"),),
        help=f"label the layer: `{layer.span.text} as {name}`",
    )

"""Graph of operators -> graph of layers, each built as a program's call would build it."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ...grammar.diagnostics import NetError
from ...grammar.source import Source, Span
from .. import layers as _layers  # noqa: F401  (fills the table of layers)
from ..expressions.arguments import Word
from ..ir.builder import Builder
from ..ir.dim import BATCH, Dim, equal, is_unknown, substitute
from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Layer, Node, Output, Value
from ..ir.signature import InferenceError
from ..ir.types import TensorType, author_extents
from ..layers.layer_builder import LayerBuilder
from ..layers.layerdef import LAYERS, GivenArgument, bind
from ..passes.eliminate_dead_nodes import eliminate_dead_nodes
from .paths import Paths
from .recognition.trail import Layout, Match, NoMatch, Weight, identity
from .recognize import Recognized, recognize
from .reshaping import fitting_target, stated_targets
from .stored import StoredTensor

NOWHERE = Span(Source("<model>", ""), 0, 0)  # what no program says


class Misfit(Exception):
    """A layer that does not yield what the model's operators do."""


def layered(raw: Graph) -> Graph:
    """The graph with layers in place of what is recognized; other operators are layers themselves.

    A batch of one sample, as exporters leave it, becomes `N` where all operators allow it.
    """
    raw = eliminate_dead_nodes(stated_targets(raw))
    found = recognize(raw)
    for opens, layers in ((True, found), (False, found)):
        with suppress(Misfit):
            return _Layering(raw, layers, opens).run()
    return _Layering(raw, Recognized(), opens=False).run()


class _WeightedBuilder(LayerBuilder):
    """Builds a layer whose weights are there already."""

    layering: "_Layering"
    weights: Mapping[str, Weight]

    def parameter(self, name: str, shape: Sequence[Dim], **options: Any) -> Value:
        """The parameter with the model's numbers; a weight that another layer has is shared."""
        suffix = name.removeprefix(self.scope).removeprefix(".")
        return self.layering.weight(self, self.weights, suffix, name, tuple(shape), options)


@dataclass(eq=False)
class _Layering:
    raw: Graph
    found: Recognized
    opens: bool
    target: Graph = field(init=False)
    paths: Paths = field(init=False)
    places: dict[Output, dict[Layout, Value]] = field(default_factory=dict)
    held: dict[Hashable, Value] = field(default_factory=dict)
    shared: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.target = Graph(self.raw.name, opsets=self.raw.opsets)
        self.paths = Paths.of(self.raw, self.found)

    def run(self) -> Graph:
        """The whole graph."""
        for identifier, node in self.raw.nodes():
            if identifier in self.found.inside or node.op_type in (PARAMETER, CONSTANT):
                continue
            if node.op_type == INPUT:
                self._input(identifier, node)
            elif not self._is_passed_on(identifier, node):
                self._layer(identifier, node)
        for name, value in self.raw.outputs.items():
            found = self._lying(value, identity(value.type.rank))
            if self.opens and value.shape[:1] == (1,) == found.shape[:1]:
                raise Misfit  # one sample stays one where inputs may have several
            self.target.outputs[name] = found
        return self.target

    def _input(self, identifier: int, node: Node) -> None:
        (type,), name = node.outputs, node.attributes["name"]
        if self.opens and type.rank > 1 and type.shape[0] == 1:
            type = type.with_shape((BATCH, *type.shape[1:]))
        value = Builder(self.target, scope=name).input(name, type)
        size = author_extents(type)
        arguments: dict[str, Any] = {"size": size if len(size) != 1 else size[0]}
        arguments |= {"layout": "sequence" if type.rank == 3 else None, "dtype": type.dtype.value}
        self.target.layers[name] = Layer("INPUT", (value,), arguments, labelled=True)
        self.target.labels[name] = value
        self._place(identifier, 0, identity(type.rank), value)

    def _is_passed_on(self, identifier: int, node: Node) -> bool:
        """Whether an operator only says how a tensor lies, or does nothing."""
        if not node.inputs or node.inputs[0] is None or self._is_leaf(node.inputs[0]):
            return False
        x = node.inputs[0]
        if node.op_type == "Transpose":
            perm = node.attributes["perm"]
            for layout, value in self.places[x.node, x.output].items():
                self._place(identifier, 0, tuple(layout[axis] for axis in perm), value)
            return True
        same = node.op_type in ("Identity", "Cast") and node.outputs[0] == x.type
        if same and not self._is_output(identifier):
            for layout, value in self.places[x.node, x.output].items():
                self._place(identifier, 0, layout, value)
            return True
        return False

    def _is_output(self, identifier: int) -> bool:
        return any(value.node == identifier for value in self.raw.outputs.values())

    def _layer(self, identifier: int, node: Node) -> None:
        match = self.found.get(identifier)
        if match is not None:
            try:
                with self.target.tentatively() as attempt:
                    self._called(identifier, node, match)
                    attempt.keep()
                return
            except (NetError, InferenceError, Misfit, NoMatch):
                for output in range(len(node.outputs)):
                    self.places.pop((identifier, output), None)
            self._pieces(identifier)
        else:
            self._operator(identifier, node)

    def _pieces(self, last: int) -> None:
        """The operators of what turned out to be no layer, each by itself."""
        inside = sorted(i for i, end in self.found.inside.items() if end == last)
        for identifier in (*inside, last):
            node = self.raw[identifier]
            if not self._is_passed_on(identifier, node):
                self._operator(identifier, node)

    def _called(self, identifier: int, node: Node, match: Match) -> None:
        path = self.paths.path(identifier, match.kind)
        layout = match.layout
        if layout is None:
            layout = self._common_layout(match.operands)
        elif match.strict and layout not in self.places[_output(match.operands[0])]:
            raise NoMatch
        if (main := match.weights.get("weight")) is not None:
            self._note_sharing(main)
        operands = tuple(self._operand(x, layout, identifier) for x in match.operands)
        given = dict(match.arguments)
        if match.axis is not None:
            given["axis"] = axis_name(len(layout), layout[match.axis])
        definition = LAYERS[match.kind]
        stated = [
            GivenArgument(name, value, NOWHERE)
            for name, value in given.items()
            if name not in definition.defaults or definition.defaults[name] != value
        ]
        bound = bind(definition, stated, NOWHERE, match.kind)
        build = _WeightedBuilder(
            self.target,
            path=path,
            span=NOWHERE,
            spelling=match.kind,
            bound=bound,
            warnings=[],
            dtype=next((x.dtype for x in operands if x.dtype.is_float), operands[0].dtype),
        )
        build.layering, build.weights = self, match.weights
        taken = {"one": operands, "many": (operands,), "any": operands}[definition.takes]
        result = definition.function(build, *taken, **bound.arguments)
        results = result if isinstance(result, tuple) else (result,)
        for output, (value, type) in enumerate(zip(results, node.outputs, strict=True)):
            lies = _result_layout(layout, type.rank, match)
            if not self._agrees(value.type, type, lies):
                raise Misfit
            self._place(identifier, output, lies, value)
        self._enter(path, definition.name, results, bound.arguments, bound.defaulted, identifier)

    def _operator(self, identifier: int, node: Node) -> None:
        """The operator as it is, which is a layer of its own name."""
        path = self.paths.path(identifier, node.op_type)
        build = Builder(self.target, scope=path)
        operands: list[Value | None] = [
            None if x is None else self._lying(x, identity(x.type.rank), path) for x in node.inputs
        ]
        if node.op_type == "Reshape" and self.opens:
            operands[1] = fitting_target(build, node, operands)
        try:
            results = build.again(node, operands)
        except InferenceError as failure:
            raise Misfit from failure
        for output, (value, type) in enumerate(zip(results, node.outputs, strict=True)):
            lies = identity(type.rank)
            if not self._agrees(value.type, type, lies):
                raise Misfit
            self._place(identifier, output, lies, value)
        arguments = {n: v for n, v in node.attributes.items() if v is not None}
        self._enter(path, node.op_type, results, arguments, frozenset(), identifier)

    def _enter(
        self,
        path: str,
        kind: str,
        results: Sequence[Value],
        arguments: Mapping[str, Any],
        defaulted: frozenset[str],
        identifier: int,
    ) -> None:
        labelled = self.paths.is_named(identifier)
        layer = Layer(kind, tuple(results), arguments, defaulted, labelled=labelled)
        self.target.layers[path] = layer
        if len(results) == 1:
            self.target.labels[path] = results[0]

    def _agrees(self, built: TensorType, raw: TensorType, layout: Layout) -> bool:
        """Whether a result is of the model's type, a batch of one sample aside."""
        if built.dtype != raw.dtype or built.rank != raw.rank:
            return False
        for place, extent in enumerate(raw.shape):
            found = built.shape[layout[place]]
            if self.opens and isinstance(extent, int):
                found = substitute(found, {"N": 1})
            if is_unknown(extent) or is_unknown(found):
                continue
            if equal(found, extent) is not True:
                return False
        return True

    def _common_layout(self, operands: Sequence[Value]) -> Layout:
        """How the operands lie, if all can lie so, or else as in the model."""
        computed = [x for x in operands if not self._is_leaf(x)]
        if not computed:
            raise NoMatch
        rank = max(x.type.rank for x in operands)
        common = set.intersection(*(set(self.places[_output(x)]) for x in computed))
        alike = all(x.type.rank == rank for x in operands)
        plain = identity(rank)
        if not alike or not common or plain in common:
            return plain
        return next(iter(sorted(common)))

    def _operand(self, x: Value, layout: Layout, identifier: int) -> Value:
        """An operand of a layer; a parameter is a `PARAM` before it."""
        if self.raw.producer(x).op_type == PARAMETER:
            return self._learned(x, layout, identifier)
        return self._lying(x, layout if len(layout) == x.type.rank else identity(x.type.rank))

    def _learned(self, x: Value, layout: Layout, identifier: int) -> Value:
        rank = len(layout)
        shape = (*(1,) * (rank - x.type.rank), *x.type.extents)
        if shape[0] != 1 or not 2 <= rank <= 5:
            raise NoMatch
        inverse = tuple(map(layout.index, range(rank)))
        extents = tuple(shape[axis] for axis in inverse)
        key = (*_output(x), extents)
        if key in self.held:
            return self.held[key]
        sizes = extents[1:] if rank < 4 else (*extents[2:], extents[1])
        path = self.paths.of_parameter(self.raw.producer(x).attributes["name"], identifier)
        size = sizes[0] if len(sizes) == 1 else sizes
        bound = bind(LAYERS["PARAM"], [GivenArgument("size", size, NOWHERE)], NOWHERE, "PARAM")
        build = _WeightedBuilder(
            self.target, path=path, span=NOWHERE, spelling="PARAM", bound=bound, warnings=[]
        )
        moved = inverse if x.type.rank == rank and inverse != identity(rank) else None
        build.dtype = x.dtype
        build.layering, build.weights = self, {"": Weight(x, moved, extents)}
        value: Value = LAYERS["PARAM"].function(build, **bound.arguments)
        layer = Layer("PARAM", (value,), bound.arguments, bound.defaulted, labelled=True)
        self.target.layers[path] = layer
        self.target.labels[path] = value
        self.held[key] = value
        return value

    def weight(
        self,
        build: LayerBuilder,
        weights: Mapping[str, Weight],
        suffix: str,
        name: str,
        shape: tuple[Dim, ...],
        options: dict[str, Any],
    ) -> Value:
        """A layer's parameter, with the numbers of the model."""
        if suffix not in weights:
            raise NoMatch
        weight = weights[suffix]
        stored = self.raw.producer(weight.value).attributes["literal"]
        key = (*_output(weight.value), weight.axes, shape)
        if self._is_tied(key, weights, stored):
            return self.held[key]
        literal = stored if weight.axes is None else stored.moved(weight.axes)
        if prod(literal.type.extents) != prod(e for e in shape if isinstance(e, int)):
            raise NoMatch
        literal = literal.shaped(tuple(shape))
        value = LayerBuilder.parameter(build, name, shape, **{**options, "literal": literal})
        self.held[key] = value
        return value

    def _note_sharing(self, main: Weight) -> None:
        """Note whether another layer has the matrix already."""
        if any(key[:2] == _output(main.value) for key in self.held):  # type: ignore[index]
            self.shared.add(_output(main.value))

    def _is_tied(self, key: Hashable, weights: Mapping[str, Weight], stored: StoredTensor) -> bool:
        """Whether a layer's tensor is another layer's, too.

        Exporters store equal tensors once. Vectors of one number, such as the zeros that biases
        start with, are equal by chance, unless the matrix beside them is shared.
        """
        if key not in self.held:
            return False
        main = weights.get("weight")
        if main is not None and main.value.type.rank > 1:
            return _output(main.value) in self.shared
        return stored.type.rank > 1 or not stored.is_uniform

    def _lying(self, x: Value, layout: Layout, path: str = "") -> Value:
        """A tensor of the model in a layout."""
        node = self.raw.producer(x)
        if node.op_type in (PARAMETER, CONSTANT):
            key = (*_output(x), path if node.op_type == CONSTANT else None)
            if key not in self.held:
                scope = path or node.scope
                copied = Node(node.op_type, (), node.outputs, node.attributes, scope)
                self.held[key] = self.target.add(copied)[0]
            return self.held[key]
        known = self.places[_output(x)]
        if layout not in known:
            source, value = next(iter(known.items()))
            perm = tuple(source[layout.index(axis)] for axis in range(len(layout)))
            scope = self.paths.fresh("Transpose", self.target.producer(value).scope)
            known[layout] = Builder(self.target, scope=scope).Transpose(value, perm=perm)
            self.target.layers[scope] = Layer("Transpose", (known[layout],), {"perm": perm})
            self.target.labels[scope] = known[layout]
        return known[layout]

    def _place(self, node: int, output: int, layout: Layout, value: Value) -> None:
        self.places.setdefault((node, output), {})[layout] = value

    def _is_leaf(self, value: Value) -> bool:
        return self.raw.producer(value).op_type in (PARAMETER, CONSTANT)


def _output(value: Value) -> Output:
    return value.node, value.output


def _result_layout(layout: Layout, rank: int, match: Match) -> Layout:
    """How a result lies; a layer that drops an axis leaves the others in their order."""
    if len(layout) == rank:
        return layout
    if match.axis is not None and len(layout) == rank + 1:
        dropped = layout[match.axis]
        left = [axis for place, axis in enumerate(layout) if place != match.axis]
        return tuple(axis - (axis > dropped) for axis in left)
    return identity(rank)


AXES: Mapping[int, Sequence[str]] = {
    2: ("", "channels"),
    3: ("", "length", "channels"),
    4: ("", "channels", "height", "width"),
    5: ("", "channels", "depth", "height", "width"),
}


def axis_name(rank: int, axis: int) -> str:
    """What the language calls an axis.

    Raises:
        NoMatch: It is the batch, or there are too many axes.
    """
    if rank not in AXES or axis == 0:
        raise NoMatch
    return Word(AXES[rank][axis])

"""Graph of operators -> graph of layers, each built as a program's call would build it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...grammar.diagnostics import NetError
from ...grammar.source import Source, Span
from .. import layers as _layers  # noqa: F401  (fills the table of layers)
from ..expressions.arguments import SCALAR, Word
from ..expressions.binding import GivenArgument, bind
from ..ir.builder import Builder
from ..ir.dim import BATCH, equal, is_unknown, substitute
from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Layer, Node, Output, Value
from ..ir.signature import NO_ATTRIBUTES, InferenceError
from ..ir.types import DType, HolderType, TensorType, author_extents, author_size
from ..layers.axes import axis_places
from ..layers.layerdef import LAYERS
from ..onnx_standard.foreign_operators import operators
from ..onnx_standard.keyword_operands import keyword_operands
from .batches import Misfit
from .layouts import AXES, axis_name, result_layout
from .paths import Paths
from .recognition.activations import UNARY
from .recognition.merging import MERGES
from .recognition.recurrent import RESULT
from .recognition.trail import (
    Label,
    Layout,
    Match,
    NoMatch,
    Stack,
    Weight,
    identity,
    is_view,
    weight_of,
)
from .recognize import UNFORESEEN, Recognized, needed
from .reshaping import fitting_target
from .stored_tensors import StoredTensors, WeightedBuilder, output_of
from .tables import table_arguments
from .weights import key_of

# Operators that may be applied to tensors in any order of their axes.
BY_ELEMENT = frozenset({*UNARY, *MERGES, "Cast", "Clip", "Div", "Erf", "Pow", "Where"})
OF_TABLES = frozenset({"EMBED", "FC", "LINEAR"})  # beside merges, what may take a `CONST`
NOWHERE = Span(Source("<model>", ""), 0, 0)  # what no program says


@dataclass(eq=False)
class Layering:
    """Builds a graph of layers; what turns out to be none is refused."""

    raw: Graph
    found: Recognized
    opens: bool
    keeps_equals: bool
    target: Graph = field(init=False)
    paths: Paths = field(init=False)
    places: dict[Output, dict[Layout, Value]] = field(default_factory=dict)
    placed: list[tuple[Output, Layout]] = field(default_factory=list)
    needed: set[int] = field(default_factory=set)
    refused: set[tuple[int, str]] = field(default_factory=set)
    stored: StoredTensors = field(init=False)

    def __post_init__(self) -> None:
        self.target = Graph(self.raw.name, opsets=self.raw.opsets)
        self.stored = StoredTensors(self.raw, self.target, self.keeps_equals)
        self.needed = needed(self.raw, self.found)
        self.paths = Paths.of(self.raw, self.found, self.needed)

    def run(self) -> Graph:
        """The whole graph."""
        for identifier, node in self.raw.nodes():
            if identifier in self.found.inside or self._is_shown(identifier, node):
                continue
            if node.op_type == INPUT:
                self._input(identifier, node)
            elif identifier in self.needed:
                self._step(identifier, node)
        for name, value in self.raw.outputs.items():
            found = self._lying(value, identity(value.type.rank))
            if self.opens and value.shape[:1] == (1,) == found.shape[:1]:
                raise Misfit  # one sample stays one where inputs may have several
            self.target.outputs[name] = found
        return self.target

    def _step(self, identifier: int, node: Node) -> None:
        if not self._is_passed_on(identifier, node):
            self._layer(identifier, node)

    def _is_shown(self, identifier: int, node: Node) -> bool:
        """Whether it is stored, or shows what is, which the layers that read it build."""
        return node.op_type in (PARAMETER, CONSTANT) or is_view(self.raw, identifier)

    def _input(self, identifier: int, node: Node) -> None:
        (type,), name = node.outputs, node.attributes["name"]
        if self.opens and type.rank > 1 and type.shape[0] == 1:
            type = type.with_shape((BATCH, *type.shape[1:]))
        value = Builder(self.target, scope=name).input(name, type)
        size = author_extents(type)
        arguments: dict[str, Any] = {"size": size if len(size) > 1 else size[0] if size else SCALAR}
        if isinstance(type, HolderType):
            arguments["size"] = author_size(type)
        arguments |= {"layout": "sequence" if type.rank == 3 else None, "dtype": type.dtype.value}
        self.target.layers[name] = Layer("INPUT", (value,), arguments, labelled=True)
        self.target.labels[name] = value
        self._place(identifier, 0, identity(type.rank), value)

    def _is_passed_on(self, identifier: int, node: Node) -> bool:
        """Whether an operator only says how a tensor lies, or does nothing."""
        if not node.inputs or node.inputs[0] is None or self._is_leaf(node.inputs[0]):
            return False
        x = node.inputs[0]
        perm = node.attributes["perm"] if node.op_type == "Transpose" else None
        if perm and sorted(perm) == list(range(x.type.rank)):
            for layout, value in self._found(x).items():
                self._place(identifier, 0, tuple(layout[axis] for axis in perm), value)
            return True
        same = node.op_type in ("Identity", "Cast") and node.outputs[0] == x.type
        same = same or (node.op_type == RESULT and len(node.inputs) == 1)
        if same and not any(value.node == identifier for value in self.raw.outputs.values()):
            for layout, value in self._found(x).items():
                self._place(identifier, 0, layout, value)
            return True
        return False

    def _found(self, x: Value) -> dict[Layout, Value]:
        """How a tensor lies; one that no layer needed until now is computed here."""
        if output_of(x) not in self.places:
            self._step(x.node, self.raw.producer(x))
        return self.places[output_of(x)]

    def _layer(self, identifier: int, node: Node) -> None:
        match = self.found.get(identifier)
        if match is not None:
            mark, placed = self.stored.mark(), len(self.placed)
            try:
                with self.target.tentatively() as attempt:
                    self._called(identifier, node, match)
                    attempt.keep()
                return
            except (NetError, InferenceError, Misfit, NoMatch, *UNFORESEEN):
                self.stored.take_back(mark)
                self._take_back(placed)
                self.refused.add((identifier, match.kind))
            self._pieces(identifier)
        else:
            self._operator(identifier, node)

    def _take_back(self, placed: int) -> None:
        """Forget how tensors lie that a layer has entered which is none."""
        while len(self.placed) > placed:
            output, layout = self.placed.pop()
            del self.places[output][layout]
            if not self.places[output]:
                del self.places[output]

    def _pieces(self, last: int) -> None:
        """The operators of what turned out to be no layer, each by itself."""
        inside = (i for i, end in self.found.inside.items() if end == last)
        for identifier in sorted((*inside, last)):
            node = self.raw[identifier]
            if not self._is_passed_on(identifier, node):
                self._operator(identifier, node)

    def _called(self, identifier: int, node: Node, match: Match) -> None:
        match = next(filter(self._lies, (match, *match.others)), match)
        path = self.paths.path(identifier, match.kind)
        layout = match.layout
        if layout is None:
            layout = self._common_layout(match.operands)
        elif match.strict and not self._lies(match):
            raise NoMatch
        if isinstance(main := match.weights.get("weight"), Weight):
            self.stored.note_sharing(main)
        operands = tuple(
            self._apart(x, match.lies[x], path)
            if x in match.lies
            else self._operand(x, layout, identifier, match.kind)
            for x in match.operands
        )
        given = {n: Word(v) if isinstance(v, str) else v for n, v in match.arguments.items()}
        given |= {name: self._named(each, path) for name, each in match.labels.items()}
        if isinstance(match.axis, int):
            given["axis"] = axis_name(len(layout), layout[match.axis])
        elif match.axis is not None:
            given["axis"] = tuple(axis_name(len(layout), layout[a]) for a in match.axis)
        results = self._call(
            path, match.kind, operands, given, match.weights, self.paths.is_named(identifier)
        )
        for number, end in match.ends.items():
            if not self._agrees(results[number].type, end.type, identity(end.type.rank)):
                raise Misfit
            self._place(*output_of(end), identity(end.type.rank), results[number])
        if match.ends:
            return
        for output, (value, type) in enumerate(zip(results, node.outputs, strict=False)):
            lies = result_layout(layout, type.rank, match)
            if not self._agrees(value.type, type, lies):
                raise Misfit
            self._place(identifier, output, lies, value)
        self._place_others(identifier, node, results)

    def _lies(self, match: Match) -> bool:
        """Whether the first operand lies as a layer takes it, or is stored and lies in any way."""
        x = match.operands[0]
        return match.layout is None or self._is_leaf(x) or match.layout in self._found(x)

    def _call(
        self,
        path: str,
        kind: str,
        operands: tuple[Value, ...],
        given: Mapping[str, Any],
        weights: Mapping[str, Weight | Stack] = NO_ATTRIBUTES,
        labelled: bool = False,
        dtype: DType | None = None,
    ) -> tuple[Value, ...]:
        """What a layer yields, which is entered with its arguments."""
        definition = LAYERS[kind]
        stated = [
            GivenArgument(name, value, NOWHERE)
            for name, value in given.items()
            if name not in definition.defaults or definition.defaults[name] != value
        ]
        bound = bind(definition, stated, NOWHERE, kind)
        build = WeightedBuilder(
            self.target,
            path=path,
            span=NOWHERE,
            spelling=kind,
            bound=bound,
            warnings=[],
            dtype=dtype or _real_type(operands, weights),
            look_up=self.target.layers.get,
            find=self.target.labels.get,
        )
        build.stored, build.weights, build.span = self.stored, weights, None
        taken = (operands,) if definition.takes == "many" else operands
        result = definition.function(build, *taken, **bound.arguments)
        results = result if isinstance(result, tuple) else (result,)
        kind, arguments, defaulted = definition.name, bound.arguments, bound.defaulted
        self._enter(path, kind, results, arguments, defaulted, labelled)
        return results

    def _place_others(self, identifier: int, node: Node, results: Sequence[Value]) -> None:
        """Outputs that a layer has no name for, such as the indices of a pool, which may be read.

        Raises:
            NoMatch: They are not those of the layer's operator, or lie otherwise.
        """
        maker = self.target.producer(results[0])
        for output in range(len(results), len(node.outputs)):
            value = Value(identifier, output, node.outputs[output])
            if not self.raw.consumers(value) and value not in self.raw.outputs.values():
                continue
            if maker.op_type != node.op_type or output >= len(maker.outputs):
                raise NoMatch
            value = Value(results[0].node, output, maker.outputs[output])
            self._place(identifier, output, identity(value.type.rank), value)

    def _named(self, each: Value | Label, path: str) -> str:
        """The path of the layer that an argument names, or of one that yields a tensor as it is.

        Raises:
            NoMatch: None does.
        """
        if isinstance(each, Value):
            return self._label(self.places.get(output_of(each), {}).values())
        x = self._lying(each.value, identity(each.value.type.rank), path)
        return self._label([self._inverse(x, path) if each.is_inverse else x])

    def _label(self, known: Collection[Value]) -> str:
        for path, layer in self.target.layers.items():
            if len(layer.outputs) == 1 and layer.outputs[0] in known:
                return path
        raise NoMatch

    def _inverse(self, x: Value, path: str) -> Value:
        """What is true where a tensor is false, which a layer beside another yields."""
        for node in self.target.readers(x.node):
            if self.target[node].op_type == "Not" and self.target[node].inputs == (x,):
                return Value(node, 0, x.type)
        fresh = self.paths.fresh("Not", path)
        inverse = Builder(self.target, scope=fresh).Not(x)
        self._enter(fresh, "Not", (inverse,), {})
        return inverse

    def _operator(self, identifier: int, node: Node) -> None:
        """The operator as it is, which is a layer of its own name."""
        path = self.paths.path(identifier, node.op_type)
        build = Builder(self.target, scope=path)
        layout = self._layout_by_element(node)
        operands: list[Value | None] = [
            None if x is None else self._lying(x, layout or identity(x.type.rank), path)
            for x in node.inputs
        ]
        if node.op_type == "Reshape" and self.opens:
            operands[1] = fitting_target(build, node, operands)
        try:
            results = build.again(node, operands)
        except InferenceError as failure:
            raise Misfit from failure
        for output, (value, type) in enumerate(zip(results, node.outputs, strict=True)):
            lies = layout or identity(type.rank)
            if not self._agrees(value.type, type, lies):
                raise Misfit
            self._place(identifier, output, lies, value)
        usual = {} if node.row is None else getattr(node.row, "attributes", {})
        arguments = {n: v for n, v in node.attributes.items() if v not in (None, usual.get(n))}
        schema = operators().get(node.op_type)
        given = keyword_operands(self.raw, node, schema) if schema else {}
        held = {schema.inputs[i].name: self.raw.producer(x) for i, x in given.items() if schema}
        arguments |= {name: each.attributes["value"].nested() for name, each in held.items()}
        labelled = self.paths.is_named(identifier)
        self._enter(path, node.op_type, results, arguments, labelled=labelled)

    def _layout_by_element(self, node: Node) -> Layout | None:
        """How the operands of an operator lie that may lie in any way, as long as all do alike."""
        rank = node.outputs[0].rank
        operands = [x for x in node.inputs if x is not None]
        computed = [x for x in operands if not self._is_leaf(x)]
        others = all(x.type.size == 1 and x.type.rank < 2 for x in operands if x not in computed)
        alike = all(x.type.rank == rank for x in computed)
        if node.op_type not in BY_ELEMENT or not (computed and others and alike):
            return None
        common = set.intersection(*(set(self._found(x)) for x in computed))
        return None if identity(rank) in common else min(common, default=None)

    def _enter(
        self,
        path: str,
        kind: str,
        results: Sequence[Value],
        arguments: Mapping[str, Any],
        defaulted: frozenset[str] = frozenset(),
        labelled: bool = False,
    ) -> None:
        layer = Layer(kind, tuple(results), arguments, defaulted, labelled=labelled)
        self.target.layers[path] = layer
        if len(results) == 1:
            self.target.labels[path] = results[0]

    def _agrees(self, built: TensorType, raw: TensorType, layout: Layout) -> bool:
        """Whether a result is of the model's type, a batch of one sample aside."""
        if built.dtype != raw.dtype or built.rank != raw.rank:
            return False
        if isinstance(raw, HolderType):
            return raw.agrees(built.bind({"N": 1}) if self.opens else built)
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
        rank = max(x.type.rank for x in operands)
        if not computed:
            return identity(rank)
        common = set.intersection(*(set(self._found(x)) for x in computed))
        alike = all(x.type.rank == rank for x in computed)
        plain = identity(rank)
        if not alike or not common or plain in common:
            return plain
        return next(iter(sorted(common)))

    def _operand(self, x: Value, layout: Layout, identifier: int, kind: str) -> Value:
        """An operand of a layer; a parameter is a `PARAM` before it."""
        weight = weight_of(self.raw, x)
        merges = kind == "CONCAT" or kind in MERGES.values()
        if weight is not None:
            is_vector = merges and x.type.rank == 2 and x not in self.raw[identifier].inputs
            return self._learned(x, weight, identity(2) if is_vector else layout, identifier)
        if (merges or kind in OF_TABLES) and self.raw.producer(x).op_type == CONSTANT:
            return self._table(x, layout, self.paths.path(identifier, kind))
        return self._lying(x, layout if len(layout) == x.type.rank else identity(x.type.rank))

    def _apart(self, x: Value, layout: Layout, path: str) -> Value:
        """A sequence that lies in a way of its own; heads that are apart are put side by side."""
        value = self._lying(x, layout)
        if x.type.rank == 3:
            return value
        _, channels, length, heads = value.type.shape
        assert isinstance(channels, int)
        assert isinstance(heads, int)
        size = length if isinstance(length, int) else -1, heads * channels

        def side_by_side() -> Value:
            fresh = self.paths.fresh("RESHAPE", path)
            return self._call(fresh, "RESHAPE", (value,), {"size": size})[0]

        return self.stored.once((*output_of(x), layout, "rows"), side_by_side)

    def _table(self, x: Value, layout: Layout, path: str) -> Value:
        """A constant operand as a `CONST` before the layer."""

        def const() -> Value:
            held = self.raw.producer(x).attributes["value"]
            given = table_arguments(held, x.dtype, layout)
            return self._call(self.paths.fresh("CONST", path), "CONST", (), given)[0]

        return self.stored.once((*output_of(x), layout), const)

    def _learned(self, x: Value, weight: Weight, layout: Layout, identifier: int) -> Value:
        rank = len(layout)
        shape = (*(1,) * (rank - x.type.rank), *x.type.extents)
        if shape[0] != 1 or not 2 <= rank <= 5:
            raise NoMatch
        inverse = tuple(map(layout.index, range(rank)))
        extents = tuple(shape[axis] for axis in inverse)
        first = rank - x.type.rank  # the axes before it are those that it is broadcast along
        moved = tuple(axis - first for axis in inverse if axis >= first)
        key = (*output_of(x), extents, moved)
        if key in self.stored.held:
            return self.stored.held[key]
        sizes = extents[1:] if rank < 4 else (*extents[2:], extents[1])
        name = self.raw.producer(weight.value).attributes["name"]
        path = self.paths.of_parameter(name, identifier)
        size = sizes[0] if len(sizes) == 1 else sizes
        if moved != identity(x.type.rank):
            weight = weight.moved(moved)
        held = {"": replace(weight, shape=extents)}
        (value,) = self._call(path, "PARAM", (), {"size": size}, held, True, dtype=x.dtype)
        self.stored.held[key] = value
        return value

    def _lying(self, x: Value, layout: Layout, path: str = "") -> Value:
        """A tensor of the model in a layout."""
        node = self.raw.producer(x)
        if node.op_type == CONSTANT:
            return self.stored.copied(node, (*output_of(x), path), path, node.attributes)
        if node.op_type == PARAMETER:
            key = (*key_of(Weight(x)), x.type.shape)
            if self.stored.is_tied(key, {}, node.attributes["literal"]):
                return self.stored.held[key]
            named = {**node.attributes, "name": self.stored.free_name(node.attributes["name"])}
            return self.stored.copied(node, (*output_of(x), None), path, named)
        if self._is_leaf(x) and output_of(x) not in self.places:
            self._operator(x.node, node)
        known = self._found(x)
        if layout not in known:
            source, value = next(iter(known.items()))
            perm = tuple(source[layout.index(axis)] for axis in range(len(layout)))
            self._place(*output_of(x), layout, self._permuted(value, perm))
        return known[layout]

    def _permuted(self, x: Value, perm: Layout) -> Value:
        """A tensor with its axes in another order, by `PERMUTE` where its batch stays."""
        scope, rank = self.target.producer(x).scope, x.type.rank
        if perm[0] == 0 and rank in AXES:
            axes = tuple(axis_name(rank, perm[place]) for place in axis_places(rank))
            path = self.paths.fresh("PERMUTE", scope)
            return self._call(path, "PERMUTE", (x,), {"axes": axes})[0]
        path = self.paths.fresh("Transpose", scope)
        moved = Builder(self.target, scope=path).Transpose(x, perm=perm)
        self._enter(path, "Transpose", (moved,), {"perm": perm})
        return moved

    def _place(self, node: int, output: int, layout: Layout, value: Value) -> None:
        known = self.places.setdefault((node, output), {})
        if layout not in known:
            self.placed.append(((node, output), layout))
        known[layout] = value

    def _is_leaf(self, value: Value) -> bool:
        """Whether a value is stored, or a view of what is."""
        return (
            self.raw.producer(value).op_type == CONSTANT or weight_of(self.raw, value) is not None
        )


def _real_type(operands: Sequence[Value], weights: Mapping[str, Weight | Stack]) -> DType:
    """The real numbers that a layer computes in: its operands', or its weights'."""
    held = [weight.value for weight in weights.values() if isinstance(weight, Weight)]
    return next((x.dtype for x in (*operands, *held) if x.dtype.is_float), DType.FLOAT32)

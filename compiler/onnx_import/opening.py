"""A batch of several samples, as exporters fix it -> one of any size.

Extents that count samples become `N` in all that is computed of the inputs; targets of reshapes
that hold them are stated again, and tensors that are stored or made once for each sample, all
alike, such as class tokens, become that of one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..ir.builder import Builder
from ..ir.dim import BATCH, substitute
from ..ir.graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value, required
from ..ir.signature import InferenceError, OpCall
from ..ir.tensor import Tensor
from ..ir.types import HolderType, TensorType
from ..layers.recurrent import CELLS
from ..ops.opdef import Operands
from ..passes.rewrite import rewrite
from .bodies import handed_over
from .recognize import UNFORESEEN
from .sample_axes import SampleAxes, depends_on_batch, equal_parts, is_multiple, place_of
from .single_rows import Rows, first_row

MANY = 10_007  # batches, which are more samples than any extent of a model


MOST_ATTEMPTS = 50

# Nodes that make a row for each sample: its axis, and whether it is to be one for any number.
Origins = Mapping[int, tuple[int, bool]]


class FixedBatch(Exception):
    """Why a batch cannot have another size.

    Attributes:
        reached: The operator that cannot take another number of samples.
        origins: What may have made as many rows as there are samples for it, with the axis, and
            whether each sample is to have a row, or all one.
        mixes: Whether it computes something of several, which steps of sequences are rather.
    """

    def __init__(
        self,
        reason: str,
        reached: int = 0,
        origins: Sequence[tuple[int, int, bool]] = (),
        *,
        mixes: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reached, self.origins, self.mixes = reached, origins, mixes


def fixed_batch(graph: Graph) -> int | None:
    """How many samples a model takes whose exporter fixed all extents; None of one, or of any."""
    inputs = graph.inputs.values()
    extents = [x.shape[0] for x in inputs if x.type.rank > 1 or (x.type.rank and _are_tokens(x))]
    is_fixed = all(len(x.type.extents) == x.type.rank for x in inputs)
    first = extents[0] if is_fixed and extents else None
    return first if isinstance(first, int) and first > 1 else None


def _are_tokens(x: Value) -> bool:
    return x.dtype.is_categorical and x.dtype.is_integer


def opened(graph: Graph) -> Graph:
    """The graph for any number of samples, which computes the same of as many as it takes.

    Raises:
        FixedBatch: It has operators that hold this number of samples and no other.
    """
    batch = fixed_batch(graph)
    assert batch is not None
    try:
        return _opened(graph, batch)
    except FixedBatch as failure:
        inner = _inner_batch(graph)
        if not failure.mixes or inner is None:
            raise
        try:  # the first axis is that of a sequence, (L, N, E)
            return _opened(graph, inner, axis=1)
        except FixedBatch:
            raise failure from None


def _inner_batch(graph: Graph) -> int | None:
    """How many samples there are on the second axis of all sequences."""
    extents = {x.type.extents[1] for x in graph.inputs.values() if x.type.rank == 3}
    return extents.pop() if len(extents) == 1 else None


def _opened(graph: Graph, batch: int, axis: int = 0) -> Graph:
    """The graph with its batch open, on an axis of sequences; all else has it on the first.

    Raises:
        FixedBatch: As `opened`.
    """
    origins: Origins = {}
    found = _attempt(graph, batch, axis, origins)
    pending = [] if isinstance(found, Graph) else [*found.origins]
    for _ in range(MOST_ATTEMPTS):
        if isinstance(found, Graph) or not pending:
            break
        identifier, axis, spreads = pending.pop(0)
        tried: Origins = {**origins, identifier: (axis, spreads)}
        again = _attempt(graph, batch, axis, tried)
        if isinstance(again, Graph) or again.reached > found.reached:
            found, origins = again, tried
            pending = [] if isinstance(again, Graph) else [*again.origins]
    if isinstance(found, FixedBatch):
        raise found
    return found


def _attempt(graph: Graph, batch: int, axis: int, origins: Origins) -> "Graph | FixedBatch":
    """The graph with its batch open, or why it cannot be."""
    try:
        found = _Opening(graph, batch, origins, axis).run()
    except FixedBatch as failure:
        return failure
    for name, value in found.outputs.items():
        if not any(depends_on_batch(extent) for extent in value.shape):
            return FixedBatch(f"the output `{name}` has no extent that counts samples", len(graph))
    return found


@dataclass(eq=False)
class _Opening:
    """A graph that is opened, or a subgraph of one of its operators.

    Attributes:
        graph: The graph.
        batch: How many samples it takes.
        origins: The nodes that make a row for each sample.
        axis: Which axis of sequences counts samples.
        given: The types of a subgraph's own inputs; None of a whole graph.
        captured: The types of the arguments of a subgraph's operator.
        sampled: The new nodes that depend on inputs.
        dependent: The nodes of the model that depend on inputs.
        places: The places of the nodes by what Python calls them.
        axes: Where the samples lie in what is computed.
    """

    graph: Graph
    batch: int
    origins: Origins
    axis: int
    given: Sequence[TensorType | None] | None = None
    captured: Sequence[TensorType | None] = ()
    sampled: set[int] = field(default_factory=set)
    dependent: set[int] = field(default_factory=set)
    places: dict[int, int] = field(default_factory=dict)
    axes: SampleAxes = field(init=False)

    def __post_init__(self) -> None:
        self.axes = SampleAxes(self.batch)

    def run(self) -> Graph:
        """The graph with its batch open."""
        self.places = {id(node): identifier for identifier, node in self.graph.nodes()}
        kinds = {node.op_type for _, node in self.graph.nodes()} - LEAVES
        leaves = {CONSTANT: self._leaf, PARAMETER: self._leaf, INPUT: self._input}
        return rewrite(self.graph, {**leaves, **dict.fromkeys(kinds, self._operator)})

    def _leaf(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        place = self.places[id(node)]
        if node.op_type != PARAMETER or place not in self.origins:
            return self._spread(build, node, build.graph.add(node))
        axis, spreads = self.origins[place]
        literal = first_row(node.attributes["literal"], axis)
        if literal is None:
            name = node.attributes["name"]
            raise FixedBatch(f"`{name}` holds other numbers for each sample", place)
        attributes = {**node.attributes, "literal": literal}
        found = build.graph.add(replace(node, outputs=(literal.type,), attributes=attributes))
        return self._spread(build, node, found) if spreads else found

    def _spread(self, build: Builder, node: Node, results: tuple[Value, ...]) -> tuple[Value, ...]:
        """What makes a row for each sample, for any number of samples."""
        place = self.places[id(node)]
        if place not in self.origins:
            return results
        found = Rows(build, self.batch).each(results[0], self.origins[place][0])
        if found is None:
            raise FixedBatch(f"{_described(node)} holds other numbers for each sample", place)
        return self._noted((found, *results[1:]))

    def _input(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        (type,) = node.outputs
        if self.given is None:
            axis = self.axis if type.rank == 3 else 0
            is_batch = type.rank > axis and type.shape[axis] == self.batch
            kept = (*type.shape[:axis], BATCH, *type.shape[axis + 1 :])
            found = type.with_shape(kept) if is_batch else type
        elif "captures" in node.attributes:
            found = self.captured[node.attributes["captures"]] or type
        else:
            own = [n for n in self.graph.inputs if n not in self.graph.captures]
            place = own.index(node.attributes["name"])
            found = (self.given[place] if place < len(self.given) else None) or type
        return self._noted(build.graph.add(replace(node, outputs=(found,))))

    def _noted(self, results: tuple[Value, ...]) -> tuple[Value, ...]:
        self.sampled.update(value.node for value in results)
        return results

    def _operator(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        if not any(x is not None and x.node in self.sampled for x in operands):
            return self._spread(build, node, self._independent(build, node, operands))
        parts = equal_parts(build, node, operands, self.batch)
        if parts is not None:
            self.axes.follow(build, node, parts)
            return self._noted(parts)
        held = HELD_PER_SAMPLE.get(node.op_type, ())
        stated = node
        if node.op_type == "Reshape":  # 0 is an extent of the operand's in stated targets
            stated = replace(node, attributes={**node.attributes, "allowzero": 0})
        refusal: Exception | None = None
        best: tuple[Value, ...] | None = None
        for tried in self._attempts(build, node, operands, held):
            try:
                results = self._applied(build, stated, tried)
            except (InferenceError, *UNFORESEEN) as failure:
                refusal = refusal or failure
                continue
            best = best or results
            if self._keeps(node, tried, results):
                best = results
                break
        if best is None:
            reason = str(refusal or "").replace(str(MANY * self.batch), "N")
            reason = reason or f"it holds something different for each of {self.batch}"
            message = f"{_described(node)} cannot take another number: {reason}"
            place = self.places[id(node)]
            raise FixedBatch(message, place, [*self._makers(place)])
        self._check(node, operands, best)
        self.axes.follow(build, node, best)
        return self._noted(best)

    def _independent(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        try:
            return build.again(node, operands)
        except InferenceError as failure:  # on one row in place of several
            raise FixedBatch(str(failure), self.places[id(node)]) from None

    def _makers(self, place: int) -> Iterator[tuple[int, int, bool]]:
        """What makes rows that an operator takes, the nearest first, and the axes of these."""
        pending, known = [place], {place}
        for identifier in pending:
            for x in self.graph[identifier].inputs:
                if x is None or x.node in known or self._depends(x.node):
                    continue
                known.add(x.node)
                pending.append(x.node)
                maker = self.graph[x.node]
                if maker.op_type in MAKERS:
                    shape, is_weight = maker.outputs[0].shape, maker.op_type == PARAMETER
                    for axis in (axis for axis, e in enumerate(shape) if e == self.batch):
                        yield from ((x.node, axis, each) for each in (False, True)[not is_weight :])

    def _depends(self, identifier: int) -> bool:
        """Whether a node of the model depends on an input."""
        if not self.dependent:
            for place, node in self.graph.nodes():
                before = any(x is not None and x.node in self.dependent for x in node.inputs)
                if before or node.op_type == INPUT:
                    self.dependent.add(place)
        return identifier in self.dependent

    def _attempts(
        self, build: Builder, node: Node, operands: Operands, held: Sequence[int]
    ) -> Iterator[Operands]:
        """The operands as they are, then with those opened that hold as many rows as samples."""
        target = self.axes.restated(build, node, operands)
        if target is not None:
            yield (operands[0], *target)
        fixed = [
            (place, axis)
            for place, (x, before) in enumerate(zip(operands, node.inputs, strict=True))
            if x is not None and before is not None and x.node not in self.sampled
            for axis, extent in enumerate(before.shape)
            if extent == self.batch
        ]
        if not any(place in held for place, _ in fixed):
            yield operands
        rows = Rows(build, self.batch)
        for spread in (rows.one, rows.each):
            alike: dict[int, list[tuple[int, Value]]] = {}
            for place, axis in fixed:
                x = required(operands[place])
                found = spread(x, axis)
                if found is not None:
                    yield _with(operands, [(place, found)])
                    alike.setdefault(axis - x.type.rank, []).append((place, found))
                    alike.setdefault(axis, []).append((place, found))
            yield from (_with(operands, group) for group in alike.values() if len(group) > 1)

    def _applied(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
        """The operator's results, which are of the model's types where the batch is.

        Raises:
            InferenceError: They are not, or it would take no other number of samples.
        """
        if node.subgraphs:
            types = [None if x is None else x.type for x in operands]
            own = types[: len(node.arguments)]
            handed = handed_over(node.op_type, node.attributes, own)
            inner = {
                name: _Opening(each, self.batch, {}, 0, handed, types).run()
                for name, each in node.subgraphs.items()
            }
            node = replace(node, subgraphs=inner)
        many = self._many(build, node, operands)
        results = build.again(node, operands)
        for value, before, found in zip(results, node.outputs, many, strict=True):
            if isinstance(value.type, HolderType):
                continue
            if not value.type.bind({"N": self.batch}).agrees(before):
                raise InferenceError(f"it would yield {value.type}")
            if not value.type.bind({"N": MANY * self.batch}).agrees(found):
                raise InferenceError(f"it would yield {value.type} or {found}")
        return results

    def _many(self, build: Builder, node: Node, operands: Operands) -> Sequence[TensorType]:
        """What an operator yields of very many samples, as far as that is known."""
        assert node.row is not None
        call = build.call(
            node.row,
            operands,
            node.attributes,
            outputs=len(node.outputs),
            subgraphs=node.subgraphs,
        )
        many = {"N": MANY * self.batch}
        inputs = tuple(None if type is None else type.bind(many) for type in call.inputs)
        constants = tuple(_known(value, many) for value in call.constants)
        bodies = {
            name: replace(
                body,
                inputs=tuple(t.bind(many) for t in body.inputs),
                outputs=tuple(t.bind(many) for t in body.outputs),
            )
            for name, body in call.bodies.items()
        }
        bound: OpCall = replace(call, inputs=inputs, constants=constants, bodies=bodies)
        return node.row.infer(bound)

    def _keeps(self, node: Node, operands: Operands, results: Sequence[Value]) -> bool:
        """Whether results count samples, where operands do and as many rows are left."""
        if not any(x is not None and place_of(x.shape) is not None for x in operands):
            return True
        holds = any(self.batch in type.shape for type in node.outputs)
        return not holds or any(place_of(value.shape) is not None for value in results)

    def _check(self, node: Node, operands: Operands, results: Sequence[Value]) -> None:
        """Refuse what mixes samples with each other.

        Raises:
            FixedBatch: It does.
        """
        for value in results:
            counting = [extent for extent in value.shape if depends_on_batch(extent)]
            if len(counting) > 1 or not all(map(is_multiple, counting)):
                message = f"{_described(node)} mixes them: it yields {value.type}"
                raise FixedBatch(message, self.places[id(node)], mixes=True)
        for place, axis in _walked(node):
            x = operands[place]
            if x is not None and place_of(x.shape) == axis % x.type.rank:
                message = f"{_described(node)} goes along them, as along a sequence"
                raise FixedBatch(message, self.places[id(node)], mixes=True)


MAKERS = (CONSTANT, PARAMETER, "ConstantOfShape", "Expand", "Tile")
# Arguments of which each sample has its own, though types alone do not say so.
HELD_PER_SAMPLE: Mapping[str, Sequence[int]] = {
    **dict.fromkeys(CELLS, (4, 5, 6)),
    "GatherElements": (1,),
    "ReverseSequence": (1,),
    "ScatterElements": (1, 2),
    "ScatterND": (1, 2),
}


def _walked(node: Node) -> Iterator[tuple[int, int]]:
    """The arguments along which an operator goes step by step, and the axis of each."""
    if node.op_type in CELLS:
        yield 0, 0
    elif node.op_type == "Scan":
        count, last = node.attributes["num_scan_inputs"], len(node.arguments)
        axes = node.attributes["scan_input_axes"] or (0,) * count
        yield from zip(range(last - count, last), axes, strict=True)


def _with(operands: Operands, given: Sequence[tuple[int, Value]]) -> Operands:
    taken = dict(given)
    return tuple(taken.get(place, x) for place, x in enumerate(operands))


def _known(value: object, symbols: Mapping[str, int]) -> object:
    """What an argument holds, for a given number of samples."""
    if isinstance(value, tuple):
        return tuple(_known(each, symbols) for each in value)
    if value is None or isinstance(value, Tensor | float):
        return value
    return _extent(value, symbols)


def _extent(value: object, symbols: Mapping[str, int]) -> object:
    return value if isinstance(value, bool | str) else substitute(value, symbols)  # type: ignore[arg-type]


def _described(node: Node) -> str:
    return f"`{node.op_type}`" + (f" in `{node.scope}`" if node.scope else "")

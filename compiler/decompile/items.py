"""A graph's layers as calls with operands: what the chains of a program are made of."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import prod

from ...grammar.diagnostics import NetError
from ..expressions.arguments import WordCall
from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Layer, Node, Output, Value, present
from ..ir.tensor import Tensor
from ..ir.types import DType, author_extents
from ..layers.layerdef import LAYERS
from ..layers.recurrent import CELLS
from ..onnx_standard.keyword_operands import MOST_NUMBERS
from .arguments import arguments_of, input_arguments
from .operators import (
    CONSTANT_TYPES,
    PARAMETER_TYPES,
    Held,
    converted_call,
    operand,
    operator_call,
    table_of,
)
from .sameness import held_as
from .spelling import label_text, unsayable, value_of
from .tree import Argument, Call, Text


@dataclass(frozen=True, slots=True)
class Table:
    """A constant that lies with the weights: the parameter's name, and what that holds."""

    name: str
    held: Tensor


Key = Output | tuple[str, int]  # a value of the graph, or one that only the program has


@dataclass(eq=False, slots=True)
class Item:
    """A call, what it takes and what it yields.

    Attributes:
        call: The call.
        operands: The values that it takes, in order.
        results: The values that it yields.
        has_weights: Whether its path is in the names of weights.
    """

    call: Call
    operands: tuple[Key, ...]
    results: tuple[Key, ...]
    has_weights: bool = False


@dataclass(eq=False)
class Items:
    """The items of a graph, in an order in which each comes after what it takes.

    Attributes:
        found: The items.
        laid_out: Parameters that operators take as they are, each a `PARAM` of another shape.
        plain: The kinds of layers that are operators of ONNX, with how many there are of each.
        copies: Weights that only the program has, each with that of the model that it copies.
        tables: Constants that are no text, by their places, each with the `PARAM` that holds it.
        batch: The number of samples of all inputs, which becomes any; None where it is any.
    """

    graph: Graph
    found: list[Item] = field(default_factory=list)
    laid_out: dict[str, tuple[int, ...]] = field(default_factory=dict)
    plain: dict[str, int] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)
    batch: int | None = None
    shaped: dict[str, Key] = field(default_factory=dict)
    taken: set[Value] = field(default_factory=set)
    _made: int = 0

    @classmethod
    def of(cls, graph: Graph) -> "Items":
        """The items of a graph.

        Raises:
            NetError: E579, it has what a program cannot say.
        """
        items = cls(graph)
        items.batch = _fixed_batch(graph)
        items.taken = {x for _, node in graph.nodes() for x in node.inputs if x is not None}
        items.taken |= set(graph.outputs.values())
        scopes: dict[str, list[int]] = {}
        for identifier, node in graph.nodes():
            scopes.setdefault(node.scope, []).append(identifier)
        for path, layer in graph.layers.items():
            items._add(path, layer, [graph[i] for i in scopes.get(path, ())])
        items._check_operands()
        return items

    def _check_operands(self) -> None:
        """Refuse what is taken of a layer and is not what it yields, such as a pool's indices."""
        known = {key for item in self.found for key in item.results}
        for item in self.found:
            for key in item.operands:
                if key not in known:
                    source = self.graph[key[0]].scope if isinstance(key[0], int) else ""
                    raise unsayable(f"what `{item.call.path}` takes of `{source}`")

    def _add(self, path: str, layer: Layer, nodes: Sequence[Node]) -> None:
        if layer.kind == "INPUT":
            self._input(path, layer)
        elif layer.kind in LAYERS and set(layer.arguments) == set(LAYERS[layer.kind].kinds):
            self._layer(path, layer, nodes)
        else:
            self._operator(path, layer, nodes)

    def _input(self, path: str, layer: Layer) -> None:
        (value,) = layer.outputs
        call = Call("INPUT", input_arguments(path, value.type, self.batch), path)
        self.found.append(Item(call, (), (_key(value),)))

    def _layer(self, path: str, layer: Layer, nodes: Sequence[Node]) -> None:
        if layer.kind == "CONST" and self._is_table(path, layer):
            return
        weights = [x for node in nodes for x in node.inputs if x is not None and self._is_weight(x)]
        names = [self.graph.producer(x).attributes["name"] for x in weights]
        own = [name for name in names if name == path or name.startswith(f"{path}.")]
        arguments = arguments_of(layer)
        share = self._share(path, names) if len(own) < len(names) else ()
        arguments = (*arguments, *share)
        if layer.frozen:
            arguments = (*arguments, Argument("frozen", True))
        taken = self._operands(path, layer)
        call = Call(
            layer.kind, arguments, path, channels=_channels(taken), yields=len(layer.outputs)
        )
        results = tuple(map(_key, layer.outputs))
        named = bool(names) and not share
        operands = tuple(map(_key, taken)) or self._constants(path, layer, nodes)
        self.found.append(Item(call, operands, results, named))

    def _constants(self, path: str, layer: Layer, nodes: Sequence[Node]) -> tuple[Key, ...]:
        """What a layer takes where nothing depends on an input: a constant, such as a first state.

        Constants of its own scope are what it is made of.
        """
        if LAYERS[layer.kind].takes == "nothing" or not nodes:
            return ()
        inputs = [x for node in nodes for x in node.inputs if x is not None]
        outer = (x for x in inputs if self.graph.producer(x).scope != path)
        taken = (operand(self.graph, x) for x in outer if not self._is_weight(x))
        return tuple(self._held(x, path) for x in taken if isinstance(x, Held))[:1]

    def _share(self, path: str, names: Sequence[str]) -> tuple[Argument, ...]:
        """`share=` for the layer that all of a layer's weights are of; copies where none is."""
        sources = {name: self._owner(name) for name in names}
        if len(set(sources.values())) == 1:
            return (Argument("share", Text(label_text(sources[names[0]])), names=True),)
        for name, source in sources.items():
            if source != path:
                self.copies[path + name.removeprefix(source)] = name
        return ()

    def _owner(self, name: str) -> str:
        """The layer that a weight is named after."""
        path = name.rpartition(".")[0]
        while path and path not in self.graph.layers:
            path = path.rpartition(".")[0]
        return path

    def _operands(self, path: str, layer: Layer) -> list[Value]:
        """The tensors that a layer was called on."""
        found: list[Value] = []
        seen: set[int] = set()
        for output in layer.outputs:
            self._collect(output, path, found, seen)
        takes = LAYERS[layer.kind].takes
        if takes == "many":
            return found
        named = self._named(path, layer)
        distinct = [value for value in dict.fromkeys(found) if value not in named]
        if takes == "one":
            return distinct[:1]
        cell = CELLS.get(layer.kind)
        count = 3 if cell is None else 1 + cell.states  # keys are values, or h is c
        return distinct if len(distinct) != 2 else [*distinct, distinct[1]][:count]

    def _named(self, path: str, layer: Layer) -> set[Value | None]:
        """The tensors that a layer's arguments name, such as a mask."""
        given = [layer.arguments.get(name) for name in ("mask", "relative", "like")]
        texts = [text for each in given for text in _texts(each)]
        parts = path.split(".")
        scopes = [".".join(parts[:depth]) for depth in range(len(parts))]
        labels = [f"{scope}.{text}".strip(".") for scope in scopes for text in texts if text]
        return {self.graph.labels.get(label) for label in labels}

    def _collect(self, value: Value, path: str, found: list[Value], seen: set[int]) -> None:
        """The values from outside that a value of a layer is computed from, in order."""
        node = self.graph.producer(value)
        if node.op_type in (PARAMETER, CONSTANT):
            return
        if node.scope != path or node.op_type == INPUT:
            found.append(value)
            return
        if value.node in seen:
            return
        seen.add(value.node)
        only_first = node.op_type in ("Reshape", "Expand")  # the other one is a shape
        for x in node.inputs[:1] if only_first else node.inputs:
            if x is not None:
                self._collect(x, path, found, seen)

    def _is_weight(self, value: Value) -> bool:
        return self.graph.producer(value).op_type == PARAMETER

    def _operator(self, path: str, layer: Layer, nodes: Sequence[Node]) -> None:
        own = [node for node in nodes if node.row is not None]
        if len(own) != 1:
            raise unsayable(f"the layer `{path}`, which has several operators")
        try:
            call, operands, outputs = operator_call(self.graph, path, own[0], self._read(layer))
            keys = tuple(self._held(x, path) if isinstance(x, Held) else _key(x) for x in operands)
        except NetError as failure:
            note = f"the operator is the layer `{path}`"
            raise NetError([replace(d, notes=(note,)) for d in failure.diagnostics]) from None
        self.plain[layer.kind] = self.plain.get(layer.kind, 0) + 1
        (first, *_) = layer.outputs
        results = tuple((first.node, i) for i in range(outputs))
        self.found.append(Item(call, keys, results))

    def _read(self, layer: Layer) -> int:
        """How many of an operator's results something takes, counted to the last that is."""
        own = {value.node for value in layer.outputs}
        return max((value.output + 1 for value in self.taken if value.node in own), default=1)

    def _is_table(self, path: str, layer: Layer) -> bool:
        """Enter a `CONST` of more numbers than a text should hold as a `PARAM`, if it is one."""
        (result,) = layer.outputs
        (source,) = present(self.graph.producer(result).inputs)
        held = layer.arguments["value"]
        if isinstance(held, WordCall) or prod(source.type.extents) <= MOST_NUMBERS:
            return False
        if source.dtype not in PARAMETER_TYPES:
            key = self._table(source, self._table_name(path), source.type.extents)
            call = replace(converted_call(source.dtype), path=path)
            self.found.append(Item(call, (key,), (_key(result),)))
        else:
            self._table(source, path, source.type.extents)
            self.found[-1].results = (_key(result),)
        return True

    def _table(self, value: Value, name: str, shape: tuple[int, ...]) -> Key:
        """The `PARAM` that holds a constant in a shape, with a batch of 1, among the weights."""
        held = table_of(value, self.graph.producer(value).attributes["value"])
        self.tables[value.node] = Table(name, replace(held, shape=shape))
        call = _parameter_call(name, shape, held.dtype, buffer=True)
        return self._made_by(call, (), has_weights=True)

    def _table_name(self, path: str) -> str:
        scope = path.rpartition(".")[0]
        taken = {*self.graph.layers, *(table.name for table in self.tables.values())}
        names = (f"{scope}.table{n}".strip(".") for n in count(1))
        return next(name for name in names if name not in taken)

    def _held(self, held: Held, path: str) -> Key:
        """A tensor that no layer yields, as a chain of its own before the operator."""
        dtype = held.type.dtype
        if held.constant is not None:
            key = self._made_by(Call("op", held.constant), ())
            return self._converted(key, dtype, CONSTANT_TYPES)
        name = held.name or str(held.table)
        if name in self.shaped:
            return self.shaped[name]
        shape, (operator, numbers) = held_as(held.type.extents)
        if held.table is not None:
            value = Value(held.table, 0, held.type)
            source = self._table(value, self._table_name(path), shape)
        elif dtype not in PARAMETER_TYPES:
            raise unsayable(f"the parameter `{name}` of {dtype.value}")
        else:
            call = _parameter_call(name, shape, dtype)
            source = self._made_by(call, (), has_weights=True)
            self.laid_out[name] = shape
        axes = "axes" if operator == "Squeeze" else "shape"
        text = Text(f"[{', '.join(map(str, numbers))}]")
        shaped = (Argument("", Text(f'"{operator}"'), bare=True), Argument(axes, text))
        key = self._made_by(Call("op", shaped), (source,))
        self.shaped[name] = self._converted(key, dtype, PARAMETER_TYPES)
        return self.shaped[name]

    def _converted(self, key: Key, dtype: DType, held: Container[DType]) -> Key:
        """A tensor in the type of the graph, where it is held in another."""
        return key if dtype in held else self._made_by(converted_call(dtype), (key,))

    def _made_by(self, call: Call, operands: tuple[Key, ...], *, has_weights: bool = False) -> Key:
        self._made += 1
        key = ("made", self._made)
        self.found.append(Item(call, operands, (key,), has_weights))
        return key


def _parameter_call(
    name: str, shape: tuple[int, ...], dtype: DType, *, buffer: bool = False
) -> Call:
    """The `PARAM` that holds a tensor with a batch of 1."""
    sizes = shape[1:] if len(shape) < 4 else (*shape[2:], shape[1])
    size = sizes[0] if len(sizes) == 1 else sizes
    arguments = [Argument("size", value_of(size), bare=True, always=True)]
    if dtype is not DType.FLOAT32:
        arguments.append(Argument("dtype", Text(dtype.value)))
    if buffer:
        arguments.append(Argument("buffer", True))
    return Call("PARAM", tuple(arguments), name)


def _channels(taken: Sequence[Value]) -> int | None:
    """The channels of the first of some tensors, where they are known."""
    extents = author_extents(taken[0].type) if taken and taken[0].type.rank > 1 else ()
    return extents[-1] if extents and isinstance(extents[-1], int) else None


def _fixed_batch(graph: Graph) -> int | None:
    """The first extent of all inputs, where it is one number."""
    found = {x.shape[0] if x.type.rank > 1 else None for x in graph.inputs.values()}
    extent = found.pop() if len(found) == 1 else None
    return extent if isinstance(extent, int) else None


def _key(value: Value) -> Key:
    return value.node, value.output


def readers(items: Sequence[Item]) -> dict[Key, int]:
    """How many operands each value is."""
    counts: dict[Key, int] = {}
    for item in items:
        for key in item.operands:
            counts[key] = counts.get(key, 0) + 1
    return counts


def _texts(given: object) -> Sequence[str]:
    """The labels that an argument names: one, several, or none."""
    if isinstance(given, str):
        return (given,)
    return given if isinstance(given, tuple) else ()

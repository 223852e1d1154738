"""Whether two graphs compute the same from the same inputs and weights, by the same operators."""

import struct
from collections.abc import Container, Mapping
from typing import Any

from ..ir.dim import BATCH, Dim
from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Node, Value, present
from ..ir.tensor import Tensor, shape_of
from ..ir.types import DType, TensorType
from .operators import PARAMETER_TYPES


def is_same(
    program: Graph,
    model: Graph,
    laid_out: Container[str],
    copies: Mapping[str, str],
    tables: Mapping[int, str],
    batch: int | None,
) -> bool:
    """Whether a program's graph is that of a model.

    Args:
        program: What the program was compiled to.
        model: What it is to mean.
        laid_out: The names of parameters that the program holds in another shape, with `reshape`
            or `squeeze`, by which it gets the model's.
        copies: Parameters that only the program has, each with that of the model that it copies.
        tables: Constants of the model by their places, each with the program's parameter for it.
        batch: The number of samples that the model takes and the program leaves open; or None.
    """
    table: dict[Any, int] = {}
    ours = _Classes(program, table, copies=copies)
    theirs = _Classes(model, table, laid_out, tables=tables, batch=batch)
    if len(program.outputs) != len(model.outputs) or len(program.inputs) != len(model.inputs):
        return False
    pairs = zip(program.outputs.values(), model.outputs.values(), strict=True)
    if any(ours.of(a) != theirs.of(b) or not _fits(a.type, b.type, batch) for a, b in pairs):
        return False
    return all(
        ours.of(value) == theirs.of(model.inputs[name])
        for name, value in program.inputs.items()
        if name in model.inputs
    ) and set(program.inputs) == set(model.inputs)


class _Classes:
    """Numbers values such that equal ones have equal numbers, in both graphs.

    `Identity`, which `ID` lowers to, is what it passes on.
    """

    def __init__(
        self,
        graph: Graph,
        table: dict[Any, int],
        laid_out: Container[str] = (),
        *,
        copies: Mapping[str, str] | None = None,
        tables: Mapping[int, str] | None = None,
        batch: int | None = None,
    ) -> None:
        self.graph = graph
        self.copies = copies or {}
        self.tables = tables or {}
        self.batch = batch
        self.table = table
        self.laid_out = laid_out
        self.numbers: list[int] = []
        self.passed: dict[int, tuple[int, int]] = {}
        for identifier, node in graph.nodes():
            if node.op_type == "Identity" and node.inputs[0] is not None:
                self.passed[identifier] = self.of(node.inputs[0])
            key = self._key(node) if identifier not in self.tables else self._table(identifier)
            self.numbers.append(self._number(key))

    def of(self, value: Value) -> tuple[int, int]:
        """What an equal value has, too."""
        return self.passed.get(value.node) or (self.numbers[value.node], value.output)

    def _number(self, key: Any) -> int:
        return self.table.setdefault(key, len(self.table))

    def _key(self, node: Node) -> Any:
        if node.op_type == INPUT:
            type = node.outputs[0]
            shape = type.shape if self.batch is None else (BATCH, *type.shape[1:])
            return INPUT, node.attributes["name"], type.dtype, tuple(map(_extent, shape))
        if node.op_type == PARAMETER:
            return self._parameter(node)
        if node.op_type == CONSTANT:
            return CONSTANT, node.outputs[0].dtype, *_numbers(node.attributes["value"])
        if node.op_type == "Cast" and (converted := self._converted(node)):
            return converted
        inputs = tuple(None if x is None else self.of(x) for x in node.inputs)
        while inputs and inputs[-1] is None:
            inputs = inputs[:-1]
        return node.op_type, _attributes(node), inputs

    def _parameter(self, node: Node) -> Any:
        name, type = node.attributes["name"], node.outputs[0]
        name = self.copies.get(name, name)
        kind = (PARAMETER, name, type.dtype, node.attributes.get("buffer", False))
        if name not in self.laid_out:
            return *kind, type.shape
        return self._shown(kind, type.extents)

    def _shown(self, kind: tuple[Any, ...], extents: tuple[int, ...]) -> Any:
        """What a `PARAM` that holds a tensor in another shape shows of it."""
        held, how = held_as(extents)
        stored = self._number((*kind, held))
        target = self._number((CONSTANT, DType.INT64, (len(how[1]),), tuple(map(float, how[1]))))
        attributes = () if how[0] == "Squeeze" else (("allowzero", 0.0),)
        return how[0], attributes, ((stored, 0), (target, 0))

    def _table(self, identifier: int) -> Any:
        """A constant as the program has it: a parameter, shown in its shape and type."""
        (type,), name = self.graph[identifier].outputs, self.tables[identifier]
        held = type.dtype if type.dtype in PARAMETER_TYPES else DType.FLOAT32
        kind = PARAMETER, name, held, True
        readers = self.graph.readers(identifier)
        is_layer = all(self.graph[i].op_type == "Identity" for i in readers)
        key = (*kind, type.shape) if is_layer else self._shown(kind, type.extents)
        return key if held is type.dtype else ("Cast", type.dtype, ((self._number(key), 0),))

    def _converted(self, node: Node) -> Any:
        """A conversion by its type alone; that of a constant as the constant in that type."""
        (source,) = present(node.inputs)
        to = node.outputs[0].dtype
        maker = self.graph.producer(source)
        if maker.op_type == CONSTANT and source.node not in self.tables:
            shape, numbers = _numbers(maker.attributes["value"])
            exact = not isinstance(numbers, bytes) and (to.is_float or not source.dtype.is_float)
            return (CONSTANT, to, shape, numbers) if exact else None
        return "Cast", to, (self.of(source),)


def held_as(extents: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[str, tuple[int, ...]]]:
    """The shape in which a `PARAM` holds a tensor, and the operator that yields the tensor's."""
    if 1 <= len(extents) <= 4:
        return (1, *extents), ("Squeeze", (0,))
    size = 1
    for extent in extents:
        size *= extent
    return (1, size), ("Reshape", extents)


def _fits(program: TensorType, model: TensorType, batch: int | None) -> bool:
    """Whether outputs have as many axes, and one for any number of samples where there is one."""
    keeps_it = batch is not None and model.shape[:1] == (batch,) == program.shape[:1]
    return program.rank == model.rank and not keeps_it


def _extent(extent: Dim) -> Any:
    return extent if isinstance(extent, int) else str(extent).casefold()


def _attributes(node: Node) -> Any:
    known = {} if node.row is None else getattr(node.row, "attributes", {})
    held = {**known, **{n: v for n, v in node.attributes.items() if v is not None}}
    return tuple(sorted((name, _plain(value)) for name, value in held.items() if value is not None))


def _plain(value: Any) -> Any:
    """A value that compares as ONNX's attributes do: real numbers as float32."""
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    if isinstance(value, DType):
        return value.value
    if isinstance(value, Tensor):
        return value.dtype, *_numbers(value)
    return _single(value) if isinstance(value, int | float) else str(value)


def _numbers(value: Any) -> tuple[Any, ...]:
    """The shape and the numbers of a constant, real ones as float32."""
    if isinstance(value, Tensor):
        items = value.numbers()
        if items is None:
            return value.shape, value.data
        return value.shape, tuple(i if isinstance(i, str) else _single(i) for i in items)
    shape = shape_of(value)
    return shape, tuple(map(_single, _flat(value)))


def _flat(value: Any) -> list[Any]:
    return [i for v in value for i in _flat(v)] if isinstance(value, tuple) else [value]


def _single(number: float) -> float:
    if isinstance(number, int) and abs(number) > 2**24:
        return number
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except (OverflowError, struct.error):
        return number

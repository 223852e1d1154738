"""Graph -> Graph: weights and products in float16 or bfloat16, casts where float32 stays.

Operators that need float32 keep it, as their rows say (`Precision`); so does what is computed of
inputs before any weight, as preprocessing is, whose numbers may be of any size. What computes as
well in either type takes the one that costs fewer casts. The choice of operators is that of
PyTorch's `autocast`, and the means beside its sums.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import copysign, isfinite

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value
from ..ir.tensor import Tensor
from ..ir.types import DType, HolderType, TensorType
from ..ops.opdef import Moves, Operands, Precision, row_of
from .rewrite import RewriteRule, copy, rewrite

# The smallest positive and the largest number of each type.
RANGES: Mapping[DType, tuple[float, float]] = {
    DType.FLOAT16: (2.0**-24, 65504.0),
    DType.BFLOAT16: (2.0**-133, (2.0 - 2.0**-7) * 2.0**127),
}

Takes = Callable[[Node], Sequence[bool] | None]
"""For each argument of a node whether it may be of half precision; None where its result cannot."""


def half_precision(
    graph: Graph, dtype: DType, *, takes: Takes | None = None, keep_io_types: bool = True
) -> Graph:
    """Store weights in half precision, and compute in it what can be.

    Float32 is replaced; other types stay. Constants beyond the type's range, as masks are, become
    its largest number, and those that would be rounded to 0, as an epsilon, its smallest one.

    Args:
        graph: The network, in inference mode.
        dtype: A type of `RANGES`.
        takes: What operators take; by default, all of them take half precision throughout.
        keep_io_types: Whether inputs and outputs stay float32.
    """
    takes = takes or (lambda node: [True] * len(node.inputs))
    wide = _Places(graph, takes, keep_io_types).wide()
    halved = _Halving(dtype, takes, {id(graph[identifier]) for identifier in wide})
    rules: dict[str, RewriteRule] = {node.op_type: halved.operator for _, node in graph.nodes()}
    rules |= dict.fromkeys(LEAVES, halved.leaf)
    target = rewrite(graph, rules)
    for name, value in graph.outputs.items():
        if _is_single(value):
            found = target.outputs[name]
            build = Builder(target, scope=target.producer(found).scope)
            outside = DType.FLOAT32 if keep_io_types else dtype
            target.outputs[name] = halved.cast(build, found, outside)
    return target


class _Halving:
    """What to build for each node, with a cast of each value for all that read it so."""

    def __init__(self, dtype: DType, takes: Takes, wide: set[int]) -> None:
        self.dtype = dtype
        self.takes = takes
        self.wide = wide
        self.casts: dict[tuple[Value, DType], Value] = {}

    def leaf(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """An input or a parameter of the type that it is stored in; constants are rounded later."""
        if node.op_type == CONSTANT or id(node) in self.wide or not _is_single(node.outputs[0]):
            return None
        return build.graph.add(
            replace(node, outputs=(TensorType(self.dtype, node.outputs[0].shape),))
        )

    def operator(self, build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        """The operator on operands of the type that it computes in."""
        narrow = None if id(node) in self.wide else self.takes(node)
        given = tuple(
            value
            if value is None or old is None or not _is_single(old)
            else self.cast(build, value, self.dtype if narrow and narrow[i] else DType.FLOAT32)
            for i, (old, value) in enumerate(zip(node.inputs, operands, strict=True))
        )
        to = node.attributes.get("to")
        if narrow is not None and node.op_type == "Cast" and to is DType.FLOAT32:
            return build.again(replace(node, attributes={"to": self.dtype}), given)
        return copy(build, node, given)

    def cast(self, build: Builder, value: Value, dtype: DType) -> Value:
        """A value in a type; the same one for all that ask."""
        if value.dtype is dtype:
            return value
        if (value, dtype) not in self.casts:
            node = build.graph.producer(value)
            is_constant = node.op_type == CONSTANT
            self.casts[value, dtype] = (
                build.constant(within_range(node.attributes["value"], dtype), dtype)
                if is_constant
                else build.Cast(value, to=dtype)
            )
        return self.casts[value, dtype]


class _Places:
    """Which nodes stay in float32."""

    def __init__(self, graph: Graph, takes: Takes, keep_io_types: bool) -> None:
        self.graph = graph
        self.takes = takes
        self.keep = keep_io_types
        self.shown = {(value.node, value.output) for value in graph.outputs.values()}
        self.early = self._of_inputs()

    def wide(self) -> set[int]:
        """The nodes whose results are of float32."""
        settled = ((i, self._fixed(i, node)) for i, node in self.graph.nodes())
        fixed = {i: stays for i, stays in settled if stays is not None}
        could = dict(fixed)
        for identifier, node in self.graph.nodes():
            if identifier not in could:
                could[identifier] = all(could[value.node] for value in self._read(node))
        chosen = dict(fixed)
        for identifier, node in reversed(list(self.graph.nodes())):
            if identifier not in chosen:
                chosen[identifier] = self._costs_less(identifier, node, could, chosen)
        return {identifier for identifier, stays in chosen.items() if stays}

    def _fixed(self, identifier: int, node: Node) -> bool | None:
        """Whether a node is of float32 in any case, or of half precision, or either."""
        if node.op_type == INPUT:
            return self.keep
        if node.op_type == PARAMETER:
            return self._is_read_wide(identifier)
        if node.op_type == CONSTANT:
            return None
        if self._needs_full(identifier) or self.takes(node) is None:
            return True
        return False if row_of(node).precision is Precision.HALF else None

    def _needs_full(self, identifier: int) -> bool:
        node = self.graph[identifier]
        return row_of(node).precision is Precision.FULL or identifier in self.early

    def _is_read_wide(self, identifier: int) -> bool:
        """Whether only operators that need float32 read a parameter: its numbers stay exact."""
        value = Value(identifier, 0, self.graph[identifier].outputs[0])
        readers = self.graph.consumers(value)
        return bool(readers) and all(map(self._needs_full, readers)) and not self._is_shown(value)

    def _is_shown(self, value: Value) -> bool:
        return (value.node, value.output) in self.shown

    def _read(self, node: Node) -> set[Value]:
        """The values that would be cast: arguments of float32, but no constants."""
        return {v for v in _singles(node) if self.graph.producer(v).op_type != CONSTANT}

    def _costs_less(
        self, identifier: int, node: Node, could: Mapping[int, bool], chosen: Mapping[int, bool]
    ) -> bool:
        """Whether float32 takes fewer casts, or as many where rounding would add to a sum."""
        readers = set()
        for output, type in enumerate(node.outputs):
            value = Value(identifier, output, type)
            readers |= {chosen[reader] for reader in self.graph.consumers(value)}
            readers |= {self.keep} if self._is_shown(value) else set()
        read = [could[value.node] for value in self._read(node)]
        as_wide = read.count(False) + (False in readers)
        as_half = read.count(True) + (True in readers)
        if as_wide != as_half or node.op_type == CONSTANT:
            return as_wide < as_half
        return readers == {True} and row_of(node).moves is Moves.NONE

    def _of_inputs(self) -> set[int]:
        """The operators on numbers of inputs, constants and buffers, and none of weights."""
        free: set[int] = set()
        fed: set[int] = set()
        for identifier, node in self.graph.nodes():
            read = [value.node for value in _singles(node)]
            if node.op_type in LEAVES:
                is_fed = self.keep if node.op_type == INPUT else node.attributes.get("buffer")
                (fed if is_fed else free if node.op_type == CONSTANT else set()).add(identifier)
            elif all(source in free or source in fed for source in read):
                (fed if any(source in fed for source in read) else free).add(identifier)
        return {i for i in fed if self.graph[i].op_type not in LEAVES}


def within_range(tensor: Tensor, dtype: DType) -> Tensor:
    """A constant's numbers as they can be rounded: neither to an infinity nor, but for 0, to 0."""
    least, most = RANGES[dtype]

    def nearest(number: float) -> float:
        if not number or not isfinite(number):
            return number
        return copysign(min(max(abs(number), least), most), number)

    numbers: tuple[float, ...] = tensor.numbers() or ()
    fitted = tuple(map(nearest, numbers))
    if all(a == b or a != a for a, b in zip(numbers, fitted, strict=True)):
        return tensor
    return Tensor(DType.FLOAT64, tensor.shape, Tensor.of(fitted, DType.FLOAT64).data)


def _singles(node: Node) -> Iterator[Value]:
    return (value for value in node.inputs if value is not None and _is_single(value))


def _is_single(value: Value | TensorType) -> bool:
    type = value.type if isinstance(value, Value) else value
    return type.dtype is DType.FLOAT32 and not isinstance(type, HolderType)

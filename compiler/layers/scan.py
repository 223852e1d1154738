"""Runs a block along a sequence, each turn on what the one before handed on."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from ..expressions.arguments import (
    Keyword,
    Kind,
    Listed,
    Mismatch,
    PerAxis,
    Word,
    WordCall,
    kind_of,
)
from ..ir.builder import Builder
from ..ir.graph import INPUT, PARAMETER, Graph, Node, Value
from ..ir.types import TensorType, author_extents
from .layer_builder import LayerBuilder
from .layerdef import LAYERS, layer
from .source import channels_first_shape
from .spatial import describe

Yield = Literal["all", "last", "states"]
Values = Sequence[Value]

_SIZE = kind_of(PerAxis)


def _block(value: Any) -> WordCall:
    """The call of a block, which without arguments is its name."""
    if isinstance(value, Word):
        return WordCall(str(value), ())
    if not isinstance(value, WordCall):
        raise Mismatch
    return value


def _sizes(value: Any) -> Any:
    """A size, or a list of them."""
    if not isinstance(value, list):
        return _SIZE.convert(value)
    if not value:
        raise Mismatch
    return Listed(map(_SIZE.convert, value))


BlockCall = Annotated[WordCall, Kind("a block, such as `Cell(16)`", _block, takes_lists=True)]
Size = int | tuple[int, ...]
Sizes = Annotated[
    Size | Listed,
    Kind("a size such as `16` or `8x8x4`, or a list of sizes", _sizes, takes_lists=True),
]


@layer("SCAN", size="cell", choice="cell")
def scan(
    build: LayerBuilder,
    *xs: Value,
    cell: BlockCall,
    states: Sizes | None = None,
    return_: Yield = "all",
    direction: Literal["forward", "backward"] = "forward",
) -> Value | tuple[Value, ...]:
    """Calls a block for each element of a sequence (N, L, C), or frame of a volume (ONNX `Scan`).

    The block takes the element and states, `block Cell(n; x, h) { ... }`. It yields the next
    states, and on demand tensors behind them. Its weights are the same in all turns.

    Args:
        build: The builder.
        *xs: The sequence, and the first state of each kind; with `states`, sequences alone.
        cell: The block, with its arguments.
        states: The size of each state that starts at zero.
        return_: `all` yields what stands behind the states in each turn, or else the first state,
            as a sequence; `last` the first state after the last turn; `states` both, with all
            states after the last turn.
        direction: From the first element on, or from the last.
    """
    sequences, firsts = _operands(build, xs, cell, states)
    axes = [_axis(build, x) for x in sequences]
    elements = [_element(x, axis) for x, axis in zip(sequences, axes, strict=True)]
    turn = _turn(build, cell, elements, firsts)
    count = len(firsts)
    rows = [] if return_ == "last" else turn.yielded[count:] or turn.yielded[:1]
    backward = int(direction == "backward")
    turn.body.outputs = {f"y{i}": y for i, y in enumerate((*turn.yielded[:count], *rows))}
    values = build.op(
        "Scan",
        (*firsts, *sequences, *turn.captured),
        {
            "num_scan_inputs": len(sequences),
            "scan_input_axes": tuple(axes),
            "scan_input_directions": (backward,) * len(sequences),
            "scan_output_axes": tuple(map(_place, rows)),
            "scan_output_directions": (backward,) * len(rows),
        },
        outputs=count + len(rows),
        subgraphs={"body": turn.body},
    )
    if return_ == "last":
        return values[0]
    found = values[count:] if return_ == "all" else (*values[count:], *values[:count])
    return found if len(found) > 1 else found[0]


def _operands(
    build: LayerBuilder, xs: Values, block: WordCall, states: Size | Listed | None
) -> tuple[Values, Values]:
    """The sequences, and the first states.

    Raises:
        NetError: E105, there is no state.
    """
    if states is not None:
        return xs, [_zeros(build, xs[0], size) for size in _listed(states)]
    sequence, *firsts = xs
    if not firsts and block.name in LAYERS:
        message = f"calls a block, and `{block.name}` is a layer"
        raise build.fail("E101", message, help="define one: `block Cell(n; x, h) { ... }`")
    if not firsts:
        message = "needs `states=`, the size of what a turn hands on"
        raise build.fail("E105", message, help=_with_states(build, block))
    return (sequence,), [_for_each_sample(build, first, sequence) for first in firsts]


def _with_states(build: LayerBuilder, block: WordCall) -> str:
    """The help where no state is given: many cells take as many units as a state has numbers."""
    given = [item.value if isinstance(item, Keyword) else item for item in block.arguments]
    size = next((item for item in given if isinstance(item, int)), None)
    otherwise = "lead a first state to it, behind the sequence"
    if size is None:
        return f"give the size, or {otherwise}"
    written = f"{build.spelling}({block}, states={size})"
    return f"write `{written}` for a vector of {size}, or {otherwise}"


def _axis(build: LayerBuilder, x: Value) -> int:
    """The axis of a sequence along which its elements stand.

    Raises:
        NetError: E201, it is no sequence.
    """
    rank = x.type.rank
    if rank == 5:
        return 2
    if rank == 3 or (rank == 2 and not x.dtype.is_float):
        return 1
    help = None if rank < 4 else "`RESHAPE` makes a sequence, length x channels, of an image"
    raise build.fail("E201", f"needs a sequence, but its input is {describe(x)}", help=help)


def _place(x: Value) -> int:
    """The axis along which what turns yield is stacked: as `_axis` would find it."""
    return 2 if x.type.rank == 4 else 1


def _element(x: Value, axis: int) -> TensorType:
    return x.type.with_shape((*x.shape[:axis], *x.shape[axis + 1 :]))


def _listed(sizes: Size | Listed) -> Sequence[Size]:
    return sizes if isinstance(sizes, Listed) else [sizes]


def _zeros(build: LayerBuilder, x: Value, size: Size) -> Value:
    """Zeros of the author's size for each sample of x."""
    batch = build.Shape(x, start=0, end=1)
    extents = (size,) if isinstance(size, int) else size
    shape = build.index_constant(channels_first_shape(extents))
    return build.Expand(build.constant(0.0, build.dtype), build.Concat(batch, shape, axis=0))


def _for_each_sample(build: LayerBuilder, first: Value, x: Value) -> Value:
    """A first state, which of learned ones is the same for each sample of x."""
    if first.shape[:1] != (1,) or x.shape[0] == 1:
        return first
    batch = build.Shape(x, start=0, end=1)
    ones = build.index_constant((1,) * (first.type.rank - 1))
    return build.Expand(first, build.Concat(batch, ones, axis=0))


class Turn(NamedTuple):
    """What a turn does.

    Attributes:
        body: Its graph, whose inputs are states, elements and what it captures.
        yielded: What it yields, states first.
        captured: What of the outer graph it captures, in order.
    """

    body: Graph
    yielded: Values
    captured: Values


def _turn(
    build: LayerBuilder, block: WordCall, elements: Sequence[TensorType], firsts: Values
) -> Turn:
    """A block's body as a graph of its own.

    It is lowered where it stands, so that names mean what they do around it, and then cut out.
    """
    graph = build.graph
    types = [*elements, *(first.type for first in firsts)]
    start = len(graph)
    with graph.tentatively():
        # No label can have these names, which hold what no program can.
        taken = [build.input(f"{build.scope}\0{i}", type) for i, type in enumerate(types)]
        yielded = build.call_block(block, taken, at="cell")
        nodes = graph.records[start:]
    _check(build, block, yielded, firsts)
    count = len(elements)
    order = [*range(count, len(taken)), *range(count)]  # states first, as `Scan` wants them
    body = build.inner(block.name)
    moved = {taken[i]: body.input(f"x{i}", types[i]) for i in order}
    cut = _Cut(build, body, moved, len(types))
    for identifier, node in enumerate(nodes[len(types) :], start + len(types)):
        cut.move(identifier, node)
    return Turn(body.graph, [cut.inside(value) for value in yielded], list(cut.captured))


def _check(build: LayerBuilder, block: WordCall, yielded: Values, firsts: Values) -> None:
    """A turn hands on as many states as it takes, and the same.

    Raises:
        NetError: It does not.
    """
    if len(yielded) < len(firsts):
        message = f"hands on {len(firsts)} states, but `{block.name}` yields {len(yielded)} tensors"
        raise build.fail("E113", message.replace("1 tensors", "one tensor"), at="cell")
    for first, after in zip(firsts, yielded, strict=False):
        if first.type != after.type:
            made = f"`{block.name}` makes {describe(after)} of a state, {describe(first)}"
            message = f"hands on states as they are, but {made}"
            if len(firsts) > 1 or "states" not in build.bound.spans:
                raise build.fail("E202", message, at="cell")
            size = "x".join(map(str, author_extents(after.type)))
            raise build.fail("E202", message, at="states", help=f"write `states={size}`")


class _Cut:
    """Moves nodes into a body, which captures what stays outside.

    Attributes:
        captured: Values of the outer graph, by what stands for each in the body.
    """

    def __init__(
        self, build: LayerBuilder, body: Builder, moved: dict[Value, Value], own: int
    ) -> None:
        self.build = build
        self.body = body
        self.moved = moved
        self.own = own
        self.captured: dict[Value, Value] = {}

    def move(self, identifier: int, node: Node) -> None:
        """A node into the body; a parameter stays outside."""
        if node.op_type == INPUT:
            raise self.build.fail("E111", "cannot call a block with an `INPUT`", at="cell")
        values = [Value(identifier, i, type) for i, type in enumerate(node.outputs)]
        if node.op_type == PARAMETER:
            self.moved[values[0]] = self._capture(self._parameter(node))
            return
        inputs = tuple([None if x is None else self.inside(x) for x in node.inputs])
        self.moved.update(zip(values, self.body.graph.add(node.on(inputs)), strict=True))

    def inside(self, value: Value) -> Value:
        """What stands for a value in the body."""
        if value not in self.moved:
            self.moved[value] = self._capture(value)
        return self.moved[value]

    def _capture(self, value: Value) -> Value:
        if value not in self.captured:
            place = self.own + len(self.captured)
            self.captured[value] = self.body.capture(value, place)
        return self.captured[value]

    def _parameter(self, node: Node) -> Value:
        options = dict(node.attributes)
        trainable = options.pop("trainable") and not self.build.bound.frozen
        type = node.outputs[0]
        return self.build.parameter(
            options.pop("name"), type.shape, trainable=trainable, dtype=type.dtype, **options
        )

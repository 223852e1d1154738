"""LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014), and RNN (Elman 1990).

Weights have PyTorch's names, shapes and order of gates: for layer l `weight_ih_l{l}` (G H, C),
`weight_hh_l{l}` (G H, H), `bias_ih_l{l}` and `bias_hh_l{l}` (G H,), those of the direction from
the end with `_reverse` behind. The graph holds ONNX's operators, which want the gates in another
order.
"""

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Literal, NamedTuple

from ..expressions.arguments import Flag, Initializer, LabelName, Positive, Rate
from ..ir.graph import Value
from ..ir.initializers import AUTO, TORCH, Init
from ..ir.types import DType
from .layer_builder import LayerBuilder
from .layerdef import layer
from .sequence import sequence
from .spatial import describe

Direction = Literal["forward", "backward", "both"]
Yield = Literal["all", "last", "states"]

MOST_LAYERS = 100
SUFFIXES = {"forward": ("",), "backward": ("_reverse",), "both": ("", "_reverse")}
ONNX_DIRECTIONS = {"forward": "forward", "backward": "reverse", "both": "bidirectional"}


class Cell(NamedTuple):
    """A recurrent operator of ONNX.

    Attributes:
        name: Its name.
        gates: Where each gate of ONNX stands among those of PyTorch.
        states: How many states it carries.
        attributes: What makes it PyTorch's.
    """

    name: str
    gates: tuple[int, ...]
    states: int
    attributes: dict[str, object]


CELLS = {
    "LSTM": Cell("LSTM", (0, 3, 1, 2), 2, {}),  # i, o, f, g of i, f, g, o
    "GRU": Cell("GRU", (1, 0, 2), 1, {"linear_before_reset": 1}),  # z, r, n of r, z, n
    "RNN": Cell("RNN", (0,), 1, {}),
}


class Options(NamedTuple):
    """The arguments of a recurrent layer, see `lstm`."""

    hidden: int
    layers: int
    direction: Direction
    returns: Yield
    mask: str | None
    dropout: float
    bias: bool
    init: Init


@layer("LSTM", counts="hidden", choice="return")
def lstm(
    build: LayerBuilder,
    *xs: Value,
    hidden: Positive,
    layers: Positive = 1,
    direction: Direction = "forward",
    return_: Yield = "all",
    mask: LabelName | None = None,
    dropout: Rate = 0.0,
    bias: Flag = True,
    init: Initializer = AUTO,
) -> Value | tuple[Value, ...]:
    """Long short-term memory along a sequence (N, L, C), as `torch.nn.LSTM` (ONNX `LSTM`).

    It takes the sequence alone, or with its first states h and c, each a vector of layers x
    directions x hidden numbers.

    Args:
        build: The builder.
        *xs: The sequence, and on demand the first states, which are zero otherwise.
        hidden: The number H of units in each direction.
        layers: How many layers are stacked.
        direction: From the first element on, from the last, or both ways, D = 2.
        return_: `all` yields the top layer's h at each element, (N, L, D H); `last` the one after
            the last element, (N, D H), each direction's own; `states` both that sequence and the
            last h and c of all layers, (N, layers D H).
        mask: A label of integers (N, L): 1 where a sample has an element, 0 behind its end.
            Elements behind the end yield zeros, and the last state is the one before them.
        dropout: The rate of dropout on what one layer hands to the next.
        bias: Whether there are biases.
        init: The initial values of weights and biases, by default PyTorch's, uniform up to
            1 / sqrt(H).
    """
    options = Options(hidden, layers, direction, return_, mask, dropout, bias, init)
    return recurrent(build, CELLS["LSTM"], xs, options)


@layer("GRU", counts="hidden", choice="return")
def gru(
    build: LayerBuilder,
    *xs: Value,
    hidden: Positive,
    layers: Positive = 1,
    direction: Direction = "forward",
    return_: Yield = "all",
    mask: LabelName | None = None,
    dropout: Rate = 0.0,
    bias: Flag = True,
    init: Initializer = AUTO,
) -> Value | tuple[Value, ...]:
    """Gated recurrent units along a sequence, as `torch.nn.GRU` (ONNX `GRU`); see `lstm`.

    The reset gate acts on the product with the state: n = tanh(W x + b + r (R h + b')).
    """
    options = Options(hidden, layers, direction, return_, mask, dropout, bias, init)
    return recurrent(build, CELLS["GRU"], xs, options)


@layer("RNN", counts="hidden", choice="return")
def rnn(
    build: LayerBuilder,
    *xs: Value,
    hidden: Positive,
    layers: Positive = 1,
    direction: Direction = "forward",
    activation: Literal["tanh", "relu"] = "tanh",
    return_: Yield = "all",
    mask: LabelName | None = None,
    dropout: Rate = 0.0,
    bias: Flag = True,
    init: Initializer = AUTO,
) -> Value | tuple[Value, ...]:
    """h' = tanh(W x + b + R h + b') along a sequence, as `torch.nn.RNN` (ONNX `RNN`)."""
    options = Options(hidden, layers, direction, return_, mask, dropout, bias, init)
    functions = (activation.capitalize(),) * len(SUFFIXES[direction])
    cell = CELLS["RNN"]._replace(attributes={"activations": functions})
    return recurrent(build, cell, xs, options)


def recurrent(
    build: LayerBuilder, cell: Cell, xs: Sequence[Value], options: Options
) -> Value | tuple[Value, ...]:
    """A stack of recurrent layers.

    Raises:
        NetError: E404, there are too many layers; E113, there are more or fewer tensors than a
            sequence with its states; E201 or E202, one of them has another form; E101, there is no
            mask of that name.
    """
    if options.layers > MOST_LAYERS:
        message = f"stacks at most {MOST_LAYERS} layers"
        raise build.fail("E404", message, at="layers", help="repeat the layer: `[...]*n`")
    x, firsts = _operands(build, cell, xs, options)
    lengths = None if options.mask is None else _lengths(build, x, options.mask)
    directions = SUFFIXES[options.direction]
    attributes = {
        "direction": ONNX_DIRECTIONS[options.direction],
        "hidden_size": options.hidden,
        "layout": 1,
        **cell.attributes,
    }
    lasts: list[Sequence[Value]] = []
    for number in range(options.layers):
        if number and options.dropout:
            x = build.Dropout(x, build.constant(options.dropout, DType.FLOAT32))
        names = [f"l{number}{suffix}" for suffix in directions]
        states = [_part(build, first, number, len(directions), options) for first in firsts]
        given = (x, *_weights(build, cell, x, names, options), lengths, *states)
        y, *last = build.op(cell.name, given, attributes, outputs=1 + cell.states)
        x = _joined(build, y, 3)
        lasts.append(last)
    if options.returns == "all":
        return x
    if options.returns == "last":
        return _joined(build, lasts[-1][0], 2)
    stacked = (build.op("Concat", parts, {"axis": 1})[0] for parts in zip(*lasts, strict=True))
    return (x, *(_joined(build, state, 2) for state in stacked))


def _operands(
    build: LayerBuilder, cell: Cell, xs: Sequence[Value], options: Options
) -> tuple[Value, Sequence[Value]]:
    """The sequence and the first states, (N, layers D, H) each."""
    if len(xs) not in (1, 1 + cell.states):
        raise build.fail(
            "E113",
            f"takes a sequence, or {1 + cell.states} tensors, it and its first states, but"
            f" {len(xs)} branches lead to it",
            help="the sequence comes first, then its first states, a vector each",
        )
    x, *firsts = xs
    if x.type.rank != 3 and any(first.type.rank == 3 for first in firsts):
        message = f"takes the sequence before its first states, but gets {describe(x)} first"
        raise build.fail("E201", message, help="put the branch of the sequence first")
    sequence(build, x)
    count = options.layers * len(SUFFIXES[options.direction])
    for first in firsts:
        if first.type.rank != 2 or first.shape[1] != count * options.hidden:
            raise build.fail(
                "E202",
                f"needs first states of {count * options.hidden} numbers, but one is"
                f" {describe(first)}",
                help="a state holds the hidden units of each layer and direction",
            )
    shape = build.index_constant((0, count, options.hidden))
    return x, [build.Reshape(first, shape) for first in firsts]


def _part(
    build: LayerBuilder, first: Value, number: int, directions: int, options: Options
) -> Value:
    """One layer's first state, (N, D, H)."""
    if options.layers == 1:
        return first
    bounds = (build.index_constant((place * directions,)) for place in (number, number + 1))
    return build.Slice(first, *bounds, build.index_constant((1,)))


def _weights(
    build: LayerBuilder, cell: Cell, x: Value, names: Sequence[str], options: Options
) -> Iterator[Value | None]:
    """W, R and b as ONNX wants them, of PyTorch's parameters."""
    hidden = options.hidden
    (width,) = build.concrete(x, (2,))
    rows, count = len(cell.gates) * hidden, len(names)
    init = options.init
    if init in (AUTO, TORCH):
        init = Init("uniform", (1 / sqrt(hidden),))
    for kind, extent in (("ih", width), ("hh", hidden)):
        held = [build.weight((rows, extent), name=f"weight_{kind}_{n}", init=init) for n in names]
        parts = [part for weight in held for part in _gates(build, cell, weight)]
        yield _stacked(build, parts, (count, rows, extent))
    if not options.bias:
        yield None
        return
    kinds = [f"bias_{kind}_{name}" for name in names for kind in ("ih", "hh")]
    held = [build.weight((rows,), name=name, init=init) for name in kinds]
    parts = [part for bias in held for part in _gates(build, cell, bias)]
    yield _stacked(build, parts, (count, 2 * rows))


def _gates(build: LayerBuilder, cell: Cell, weight: Value) -> Sequence[Value]:
    """The gates of a weight in ONNX's order."""
    count = len(cell.gates)
    if count == 1:
        return (weight,)
    parts = build.op("Split", (weight,), {"axis": 0, "num_outputs": count}, outputs=count)
    return [parts[place] for place in cell.gates]


def _stacked(build: LayerBuilder, parts: Sequence[Value], shape: tuple[int, ...]) -> Value:
    """Parts one below the other, in another shape."""
    (whole,) = parts if len(parts) == 1 else build.op("Concat", parts, {"axis": 0})
    return build.Reshape(whole, build.index_constant(shape))


def _joined(build: LayerBuilder, x: Value, rank: int) -> Value:
    """(N, L, D, H) as (N, L, D H), or (N, D, H) as (N, D H)."""
    directions, hidden = x.shape[-2:]
    assert isinstance(directions, int)
    assert isinstance(hidden, int)
    kept = (0,) * (rank - 1)
    return build.Reshape(x, build.index_constant((*kept, directions * hidden)))


def _lengths(build: LayerBuilder, x: Value, label: str) -> Value:
    """How many elements each sample has, by a mask of them.

    Raises:
        NetError: There is no such value, or it does not fit.
    """
    mask = build.find(label)
    if mask is None:
        raise build.fail("E101", f"has no value `{label}` to mask with", at="mask")
    if mask.dtype.is_float or mask.type.rank != 2 or mask.shape[1] != x.shape[1]:
        count = x.shape[1]
        size = f"{count}" if isinstance(count, int) else f"({count},)"
        raise build.fail(
            "E202",
            f"cannot mask {count} elements with {describe(mask)}",
            at="mask",
            help=f"a mask is `INPUT({size}, dtype=int64)`: 1 for each element of a sample",
        )
    present = build.Cast(build.Cast(mask, to=DType.BOOL), to=DType.INT32)
    return build.ReduceSum(present, build.index_constant((1,)), keepdims=0)

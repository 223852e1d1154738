"""`SCAN` against loops of PyTorch over the same steps."""

from collections.abc import Callable
from typing import Any

from support.layers import LayerRow, Oracle

Step = Callable[..., tuple[Any, ...]]  # weights, elements, states => states, and what follows


def loop(step: Step, *zeros: Any, returns: str = "all", backward: bool = False) -> Oracle:
    """Runs a step along sequences; states start at zeros of these extents, or are given."""

    def oracle(given: Any, state: Any) -> Any:
        import torch

        sequences = given if isinstance(given, list) else [given]
        count = 1 if not zeros else len(sequences)
        firsts = sequences[count:]
        x = sequences[0]
        states = [x.new_zeros(len(x), *extents) for extents in zeros] or firsts
        axis = 2 if x.ndim == 5 else 1
        rows = []
        turns = range(x.shape[axis])
        for i in reversed(turns) if backward else turns:
            found = step(state, *(s.select(axis, i) for s in sequences[:count]), *states)
            states = list(found[: len(states)])
            rows.append(found[len(states)] if len(found) > len(states) else found[0])
        if returns == "last":
            return states[0]
        return torch.stack(rows[::-1] if backward else rows, axis)

    return oracle


def dense(state: Any, name: str, x: Any) -> Any:
    """A dense layer of the scan, without a bias where it has none."""
    import torch

    return torch.nn.functional.linear(x, state[f"l.{name}.weight"], state.get(f"l.{name}.bias"))


def elman(state: Any, x: Any, h: Any) -> tuple[Any, ...]:
    """h' = tanh(W x + b + R h) (Elman 1990)."""
    return ((dense(state, "a", x) + dense(state, "b", h)).tanh(),)


def long_short_term(state: Any, x: Any, h: Any, c: Any) -> tuple[Any, ...]:
    """An LSTM's step (Hochreiter and Schmidhuber 1997)."""
    i, f, o, g = (dense(state, f"x{j}", x) + dense(state, f"h{j}", h) for j in range(4))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def convolutional(state: Any, x: Any, h: Any) -> tuple[Any, ...]:
    """A recurrence of convolutions on frames, as in ConvLSTM (Shi et al. 2015)."""
    from torch.nn.functional import conv2d

    found = conv2d(x, state["l.a.weight"], state["l.a.bias"], padding=1)
    return ((found + conv2d(h, state["l.b.weight"], padding=1)).tanh(),)


def decaying(state: Any, x: Any, h: Any) -> tuple[Any, ...]:
    """A running sum, and what a dense layer makes of it."""
    h = h * 0.5 + x
    return h, dense(state, "a", h)


def learned(step: Step) -> Oracle:
    """As `loop`, from a first state that is a parameter."""

    def oracle(x: Any, state: Any) -> Any:
        return loop(step)([x, state["start"].expand(len(x), -1)], state)

    return oracle


ELMAN = "block Cell(n; x, h) { ( x -> FC(n) as a | h -> FC(n, bias=no) as b ) -> ADD -> TANH }\n"
LSTM = """block Cell(n; x, h, c) {
  for j in range(4) { g{j} = ( x -> FC(n) as x{j} | h -> FC(n) as h{j} ) -> ADD }
  kept = ( g1 -> SIGMOID | c ) -> MUL
  added = ( g0 -> SIGMOID | g3 -> TANH ) -> MUL
  next = ( kept | added ) -> ADD
  y = ( g2 -> SIGMOID | next -> TANH ) -> MUL
  ( y | next )
}
"""
FRAMES = """block Cell(n; x, h) {
  ( x -> CONV(3x3, n) as a | h -> CONV(3x3, n, bias=no) as b ) -> ADD -> TANH
}
"""
DECAYING = """block Sum(n; x, h) {
  s = CONST(0.5)
  half = ( h | s ) -> MUL
  next = ( half | x ) -> ADD
  ( next | next -> FC(n) as a )
}
"""
TWO = "block Cell(; x, y, h) { ( ( x | y ) -> MUL | h ) -> ADD -> TANH }\n"
SMALL = 3 * 5 + 3 + 3 * 3


def product(state: Any, x: Any, y: Any, h: Any) -> tuple[Any, ...]:
    """tanh(x y + h)."""
    return ((x * y + h).tanh(),)


ROWS = [
    *(
        LayerRow(
            f"{ELMAN}INPUT(6x5, sequence) -> SCAN(Cell(3), states=3{given}) as l",
            shape,
            SMALL,
            6 * (SMALL - 3),
            torch=loop(elman, (3,), **options),
        )
        for given, shape, options in (
            ("", "6x3", {}),
            (", return=last", "3", {"returns": "last"}),
            (", direction=backward", "6x3", {"backward": True}),
        )
    ),
    *(
        LayerRow(
            f"{ELMAN}{first}\n( x | h ) -> SCAN(Cell(n=3)) as l",
            "6x3",
            SMALL,
            6 * (SMALL - 3),
            torch=oracle,
        )
        for first, oracle in (
            ("x = INPUT(6x5, sequence)\nh = INPUT(3)", loop(elman)),
            ("h = PARAM(3) as start\nx = INPUT(6x5, sequence)", learned(elman)),
        )
    ),
    LayerRow(  # labels of numbers, within and beside
        "block Cell(n; x, h) { ( x -> FC(n) as 0 | h ) -> ADD }\n"
        "INPUT(6x5, sequence) -> LINEAR(5) as l.1 -> SCAN(Cell(3), states=3) as l",
        "6x3",
        3 * 5 + 3,
        6 * 3 * 5,
    ),
    LayerRow(
        f"{LSTM}INPUT(6x5, sequence) -> SCAN(Cell(3), states=[3, 3]) as l",
        "6x3",
        4 * (SMALL + 3),
        6 * 4 * (SMALL - 3),
        torch=loop(long_short_term, (3,), (3,)),
    ),
    LayerRow(
        f"{FRAMES}INPUT(4x5x6x2) -> SCAN(Cell(3), states=5x6x3) as l",
        "4x5x6x3",
        9 * 2 * 3 + 3 + 9 * 3 * 3,
        4 * 5 * 6 * 9 * (2 * 3 + 3 * 3),
        torch=loop(convolutional, (3, 5, 6)),
    ),
    LayerRow(
        f"{DECAYING}INPUT(6x5, sequence) -> SCAN(Sum(2), states=5) as l",
        "6x2",
        2 * 5 + 2,
        6 * 2 * 5,
        torch=loop(decaying, (5,)),
    ),
    LayerRow(
        f"{TWO}x = INPUT(6x5, sequence)\ny = INPUT(6x5, sequence)\n"
        "( x | y ) -> SCAN(Cell, states=5) as l",
        "6x5",
        torch=loop(product, (5,)),
    ),
]

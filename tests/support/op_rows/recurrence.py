"""LSTM, GRU and RNN, and their gradients."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from netc.runtime.kerneldef import Array
from support.ops import Argument, OpRow, Random, op_row

EXTENTS, SMALL = (4, 2, 3), (2, 1, 2)  # elements, inputs and units
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}

Curve = Callable[[Any, float, float], Any]
# The functions with the numbers that they take where none are given, by ONNX's definitions; of
# complex numbers, too, which have their sign from the real part.
CURVES: Mapping[str, tuple[Curve, str, float, float]] = {
    "Affine": (lambda x, a, b: a * x + b, "ab", 1, 0),
    "Elu": (lambda x, a, b: np.where(x.real < 0, a * (np.exp(x) - 1), x), "a", 1, 0),
    "HardSigmoid": (
        lambda x, a, b: np.where(a * x.real + b < 0, 0, np.where(a * x.real + b > 1, 1, a * x + b)),
        *("ab", 0.2, 0.5),
    ),
    "LeakyRelu": (lambda x, a, b: np.where(x.real < 0, a * x, x), "a", 0.01, 0),
    "Relu": (lambda x, a, b: np.where(x.real < 0, 0, x), "", 0, 0),
    "ScaledTanh": (lambda x, a, b: a * np.tanh(b * x), "ab", 1, 1),
    "Sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), "", 0, 0),
    "Softplus": (lambda x, a, b: np.log(np.exp(x) + 1), "", 0, 0),
    "Softsign": (lambda x, a, b: x / (1 + np.where(x.real < 0, -x, x)), "", 0, 0),
    "Tanh": (lambda x, a, b: np.tanh(x), "", 0, 0),
    "ThresholdedRelu": (lambda x, a, b: np.where(x.real > a, x, 0), "a", 1, 0),
}


def curves(op_type: str, directions: int, given: Mapping[str, Any]) -> list[Callable[[Any], Any]]:
    """The functions of all directions, one after the other, behind the clip."""
    names = given.get("activations") or FUNCTIONS[op_type] * directions
    alphas, betas = (list(given.get(f"activation_{w}") or ()) for w in ("alpha", "beta"))
    found = []
    for place, name in enumerate(names):
        curve, taken, alpha, beta = CURVES[name]
        alpha = alphas.pop(0) if "a" in taken and alphas else alpha
        beta = betas.pop(0) if "b" in taken and betas else beta
        # onnxruntime does not clip c, which is no gate.
        most = None if op_type == "LSTM" and place % 3 == 2 else given.get("clip")
        found.append(_clipped(curve, alpha, beta, most))
    return found


def _clipped(curve: Curve, alpha: float, beta: float, most: float | None) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        x = np.asarray(x)
        if most is not None:
            x = np.where(np.abs(x.real) > most, np.sign(x.real) * most, x)
        return curve(x, alpha, beta)

    return apply


def one_step(
    op_type: str, z: Any, r: Any, rb: Any, p: Any, h: Any, c: Any, fs: Any, given: Any
) -> Any:
    """One step of one sample, by ONNX's equations; z is W x + Wb."""
    if op_type == "RNN":
        return fs[0](z + r @ h + rb), c
    if op_type == "GRU":
        (zu, zr, zh), (ru, rr, rh), (bu, br, bh) = (np.split(v, 3) for v in (z, r, rb))
        update, reset = fs[0](zu + ru @ h + bu), fs[0](zr + rr @ h + br)
        before = (
            reset * (rh @ h + bh) if given.get("linear_before_reset") else rh @ (reset * h) + bh
        )
        return (1 - update) * fs[1](zh + before) + update * h, c
    i, o, f, g = np.split(z + r @ h + rb, 4)
    pi, po, pf = np.split(p, 3)
    i = fs[0](i + pi * c)
    f = 1 - i if given.get("input_forget") else fs[0](f + pf * c)
    c = f * c + i * fs[1](g)
    return fs[0](o + po * c) * fs[2](c), c


def recurrent(op_type: str) -> Callable[..., tuple[Array, ...]]:
    """The operator, sample by sample and step by step."""

    def formula(x: Any, w: Any, r: Any, *rest: Any, **given: Any) -> tuple[Any, ...]:
        b, lengths, h0, c0, p = (*rest, *(None,) * 5)[:5]
        layout, directions = given.get("layout", 0), len(w)
        x = np.swapaxes(x, 0, 1) if layout else x
        length, batch, hidden = len(x), x.shape[1], r.shape[2]
        shape = (directions, batch, hidden)
        kind = np.result_type(*(a for a in (x, w, r, b, h0, c0, p) if a is not None))
        b = np.zeros((directions, 2 * r.shape[1])) if b is None else b
        p = np.zeros((directions, 3 * hidden)) if p is None else p
        h, c = (
            np.zeros(shape) if v is None else np.swapaxes(v, 0, 1) if layout else v
            for v in (h0, c0)
        )
        h, c, y = h.astype(kind), c.astype(kind), np.zeros((length, *shape), kind)
        fs = curves(op_type, directions, given)
        each = len(fs) // directions
        for d, n in product(range(directions), range(batch)):
            steps = range(length if lengths is None else min(int(lengths[n]), length))
            if given.get("direction") == "reverse" or d:
                steps = steps[::-1]
            wb, rb = np.split(b[d], 2)
            for t in steps:
                own = fs[d * each : (d + 1) * each]
                z = w[d] @ x[t, n] + wb
                h[d, n], c[d, n] = one_step(
                    op_type, z, r[d], rb, p[d], h[d, n], c[d, n], own, given
                )
                y[t, d, n] = h[d, n]
        if layout:
            y, h, c = y.transpose(2, 0, 1, 3), np.swapaxes(h, 0, 1), np.swapaxes(c, 0, 1)
        return (y, h, c) if op_type == "LSTM" else (y, h)

    return formula


def gradient(op_type: str, count: int) -> Callable[..., Any]:
    """The gradients by complex steps: Im f(x + i h) / h, without a difference (Squire 1998)."""
    inputs = 8 if op_type == "LSTM" else 6
    forward, step = recurrent(op_type), 1e-30

    def formula(*arrays: Any, **given: Any) -> Any:
        taken, arrived = list(arrays[:inputs]), arrays[inputs:]
        found = []
        for position in [0, 1, 2, 3, 5, 6, 7][:count]:
            place = taken[position].astype(complex)
            slopes = np.zeros(place.size)
            for number in range(place.size):
                moved = place.copy()
                moved.flat[number] += 1j * step
                results = forward(*taken[:position], moved, *taken[position + 1 :], **given)
                slopes[number] = sum(
                    (dy * y.imag).sum() / step
                    for dy, y in zip(arrived, results, strict=True)
                    if dy is not None
                )
            found.append(slopes.reshape(place.shape))
        return tuple(found) if count > 1 else found[0]

    return formula


def arguments(
    op_type: str,
    *,
    directions: int = 1,
    layout: int = 0,
    without: str = "",
    extents: tuple[int, int, int] = EXTENTS,
) -> list[Argument | None]:
    """Random arguments; those that `without` names by a letter are left out."""
    length, inputs, hidden = extents
    rows = GATES[op_type] * hidden
    x = (None, length, inputs) if layout else (length, None, inputs)
    state = (None, directions, hidden) if layout else (directions, None, hidden)
    named: dict[str, Argument] = {
        "x": Random(x),
        "w": Random((directions, rows, inputs)),
        "r": Random((directions, rows, hidden)),
        "b": Random((directions, 2 * rows)),
        "l": Random((None,), 1, length + 1, "int32"),
        "h": Random(state),
    }
    if op_type == "LSTM":
        named |= {"c": Random(state), "p": Random((directions, 3 * hidden))}
    return [None if name in without else value for name, value in named.items()]


def arrivals(
    op_type: str,
    *,
    directions: int = 1,
    layout: int = 0,
    without: str = "",
    extents: tuple[int, int, int] = EXTENTS,
) -> list[Argument | None]:
    """Random gradients of outputs: `y`, `h` and `c`."""
    length, _, hidden = extents
    y = (None, length, directions, hidden) if layout else (length, directions, None, hidden)
    state = (None, directions, hidden) if layout else (directions, None, hidden)
    named = {"y": Random(y), "h": Random(state), "c": Random(state)}
    names = "yhc" if op_type == "LSTM" else "yh"
    return [None if name in without else named[name] for name in names]


ELSEWHERE = "it is that of the operator's steps, which small rows compare"
THREE = ("ScaledTanh", "Affine", "Softsign")
# What each row sets, and which arguments it leaves out.
SETTINGS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("LSTM", "blhcp", {}),
    ("LSTM", "lp", {}),
    ("LSTM", "lhc", {"direction": "reverse"}),
    ("LSTM", "", {"direction": "bidirectional"}),
    ("LSTM", "bh", {"direction": "reverse", "clip": 0.4}),
    ("LSTM", "lp", {"clip": 0.3}),
    ("LSTM", "l", {"input_forget": 1}),
    ("LSTM", "lp", {"layout": 1, "direction": "bidirectional"}),
    ("LSTM", "lp", {"activations": ("HardSigmoid", "Softsign", "Softplus")}),
    (
        "LSTM",
        "lc",
        {
            "activations": ("Sigmoid", "Elu", "Relu", *THREE),
            "activation_alpha": (0.7, 1.2, 0.8),
            "activation_beta": (0.6, 0.1),
            "direction": "bidirectional",
        },
    ),
    ("GRU", "blh", {}),
    ("GRU", "l", {"linear_before_reset": 1}),
    ("GRU", "", {"direction": "bidirectional"}),
    ("GRU", "", {"direction": "bidirectional", "linear_before_reset": 1, "clip": 0.5}),
    ("GRU", "bl", {"direction": "reverse", "linear_before_reset": 1}),
    ("GRU", "l", {"layout": 1, "clip": 0.3}),
    (
        "GRU",
        "l",
        {"activations": ("HardSigmoid", "ThresholdedRelu"), "activation_alpha": (0.3, 0.1)},
    ),
    ("RNN", "blh", {}),
    ("RNN", "", {"direction": "bidirectional"}),
    ("RNN", "l", {"direction": "reverse", "layout": 1}),
    ("RNN", "h", {"activations": ("LeakyRelu",), "activation_alpha": (0.2,), "clip": 0.9}),
    (
        "RNN",
        "lh",
        {"activations": ("Affine",), "activation_alpha": (0.4,), "activation_beta": (0.3,)},
    ),
)


def rows() -> Iterator[OpRow]:
    """Rows of operators, of their gradients, and of those by fewer outputs."""
    for op_type, without, settings in SETTINGS:
        layout = settings.get("layout", 0)
        lacks = "it has layout 0 only" if layout else ""
        if "l" in without:
            lacks = "it wants to be told `hidden_size`, as exported models tell it"
        directions = 2 if settings.get("direction") == "bidirectional" else 1
        given = arguments(op_type, directions=directions, layout=layout, without=without)
        yield op_row(
            op_type,
            *given,
            outputs=3 if op_type == "LSTM" else 2,
            formula=recurrent(op_type),
            no_engine=lacks,
            hidden_size=None if "l" in without else EXTENTS[2],
            **settings,
        )
        for left_out in ("", "hc") if settings == {} else ("",):
            arrived = arrivals(op_type, directions=directions, layout=layout, without=left_out)
            yield gradient_row(op_type, given, arrived, settings, ELSEWHERE)


def gradient_row(
    op_type: str,
    given: Sequence[Argument | None],
    arrived: Sequence[Argument | None],
    settings: Mapping[str, Any],
    no_gradient: str,
) -> OpRow:
    """A row of an operator's gradient, by as many arguments as are there."""
    real = [given[i] for i in (0, 1, 2, 3, 5, 6, 7) if i < len(given)]
    count = real.index(None) if None in real else len(real)
    return op_row(
        f"netc.{op_type}Grad",
        *(*given, *arrived),
        outputs=count,
        formula=gradient(op_type, count),
        no_engine="an operator of our own",
        no_gradient=no_gradient,
        **settings,
    )


def small_rows() -> Iterator[OpRow]:
    """Rows of gradients that are differentiated in turn, twice."""
    for op_type, settings in (("LSTM", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {})):
        given = arguments(op_type, without="l", extents=SMALL)
        yield gradient_row(op_type, given, arrivals(op_type, extents=SMALL), settings, "")


ROWS = [*rows(), *small_rows()]

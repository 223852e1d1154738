"""One step of an LSTM, a GRU and an RNN, forwards and backwards, on rows of a batch.

A step takes z (N, G H), the products with W, and the states; it turns z into what its gates are.
What a step backwards needs is noted in a `Note`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kerneldef import Array
from .recurrent_functions import Active

States = tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """One direction's weights and settings.

    Attributes:
        r: (G H, H).
        reset: The bias (H) that a GRU resets; zeros where there is none.
        peepholes: For i, o and f (H) each; empty where there are none.
        active: The activation functions.
        attributes: The operator's attributes.
    """

    r: Array
    reset: Array
    peepholes: Sequence[Array]
    active: Sequence[Active]
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Note:
    """What is known of a step.

    Attributes:
        before: The states that it took.
        inputs: The arguments of functions, in the order of gates.
        gates: What these yield, (N, G H).
        inner: Of an LSTM the last function of c; of a GRU r h or, with the product first, R h + b.
        after: The states that it yields.
    """

    before: States
    inputs: Array
    gates: Array
    inner: Array
    after: States


class Lstm:
    """Gates i, o, f and g: c <- f c + i g and h <- o tanh c."""

    def __init__(self, weights: Weights) -> None:
        self.w = weights
        self.transposed = weights.r.T

    def forward(self, z: Array, states: States, note: bool) -> tuple[States, Note | None]:
        """A step; z becomes the gates."""
        (h, c), w = states, self.w
        z += h @ self.transposed
        size = h.shape[1]
        i, o, f, g = (z[:, k * size : (k + 1) * size] for k in range(4))
        if w.peepholes:
            i += w.peepholes[0] * c
            f += w.peepholes[2] * c
        inputs = z.copy() if note else z
        gate, candidate, last = w.active
        if w.peepholes:
            gate.apply(i)
            gate.apply(f)
        else:
            gate.apply(z[:, : 3 * size])
        candidate.apply(g)
        if w.attributes["input_forget"]:
            np.subtract(1, i, out=f)
        new = f * c
        new += i * g
        if w.peepholes:
            o += w.peepholes[1] * new
            if note:
                inputs[:, size : 2 * size] = o
            gate.apply(o)
        inner = new.copy()
        last.apply(inner)
        after = (o * inner, new)
        return after, Note(states, inputs, z, inner, after) if note else None

    def backward(self, note: Note, arrived: States, dz: Array) -> tuple[States, Array]:
        """What arrives at the states after => at those before, at z, and at R h."""
        (dh, dc), w, size = arrived, self.w, arrived[0].shape[1]
        columns = [slice(k * size, (k + 1) * size) for k in range(4)]
        i, o, f, g = (note.gates[:, part] for part in columns)
        before = note.before[1]
        gate, candidate, last = w.active
        do = dz[:, columns[1]]
        np.multiply(dh, note.inner, out=do)
        gate.back(do, note.inputs[:, columns[1]], o)
        through = dh * o
        last.back(through, note.after[1], note.inner)
        dc = dc + through
        if w.peepholes:
            dc += do * w.peepholes[1]
        di, df, dg = (dz[:, columns[k]] for k in (0, 2, 3))
        np.multiply(dc, g, out=di)
        np.multiply(dc, before, out=df)
        np.multiply(dc, i, out=dg)
        if w.attributes["input_forget"]:
            di -= df
            df[...] = 0
        else:
            gate.back(df, note.inputs[:, columns[2]], f)
        gate.back(di, note.inputs[:, columns[0]], i)
        candidate.back(dg, note.inputs[:, columns[3]], g)
        dc *= f
        if w.peepholes:
            dc += di * w.peepholes[0]
            dc += df * w.peepholes[2]
        return (dz @ w.r, dc), dz


class Gru:
    """Gates z, r and g: h <- (1 - z) g + z h."""

    def __init__(self, weights: Weights) -> None:
        self.w = weights
        size = weights.r.shape[1]
        self.outer, self.inner = weights.r[: 2 * size], weights.r[2 * size :]

    def forward(self, z: Array, states: States, note: bool) -> tuple[States, Note | None]:
        """A step; z becomes the gates."""
        (h,), w = states, self.w
        size = h.shape[1]
        gate, candidate = w.active
        pair, g = z[:, : 2 * size], z[:, 2 * size :]
        pair += h @ self.outer.T
        inputs = z.copy() if note else z
        gate.apply(pair)
        update, reset = pair[:, :size], pair[:, size:]
        if w.attributes["linear_before_reset"]:
            inner = h @ self.inner.T
            inner += w.reset
            g += reset * inner
        else:
            inner = reset * h
            g += inner @ self.inner.T
        if note:
            inputs[:, 2 * size :] = g
        candidate.apply(g)
        new = h - g
        new *= update
        new += g
        return (new,), Note(states, inputs, z, inner, (new,)) if note else None

    def backward(self, note: Note, arrived: States, dz: Array) -> tuple[States, Array]:
        """What arrives at the states after => at those before, at z, and at R h."""
        (dh,), w, (h,) = arrived, self.w, note.before
        size = h.shape[1]
        columns = [slice(k * size, (k + 1) * size) for k in range(3)]
        update, reset, g = (note.gates[:, part] for part in columns)
        gate, candidate = w.active
        du, dr, dg = (dz[:, part] for part in columns)
        np.multiply(dh, 1 - update, out=dg)
        candidate.back(dg, note.inputs[:, columns[2]], g)
        np.multiply(dh, h - g, out=du)
        gate.back(du, note.inputs[:, columns[0]], update)
        before = dh * update
        product = dz
        if w.attributes["linear_before_reset"]:
            np.multiply(dg, note.inner, out=dr)
            product = dz.copy()
            product[:, columns[2]] *= reset
            before += product[:, columns[2]] @ self.inner
        else:
            through = dg @ self.inner
            np.multiply(through, h, out=dr)
            before += through * reset
        gate.back(dr, note.inputs[:, columns[1]], reset)
        product[:, columns[1]] = dr
        before += dz[:, : 2 * size] @ self.outer
        return (before,), product


class Rnn:
    """h <- f(z + R h)."""

    def __init__(self, weights: Weights) -> None:
        self.w = weights

    def forward(self, z: Array, states: States, note: bool) -> tuple[States, Note | None]:
        """A step; z becomes the gates."""
        (h,), (active,) = states, self.w.active
        z += h @ self.w.r.T
        inputs = z.copy() if note else z
        active.apply(z)
        after = (z.copy(),)
        return after, Note(states, inputs, z, z, after) if note else None

    def backward(self, note: Note, arrived: States, dz: Array) -> tuple[States, Array]:
        """What arrives at the states after => at those before, at z, and at R h."""
        (dh,), (active,) = arrived, self.w.active
        dz[...] = dh
        active.back(dz, note.inputs, note.gates)
        return (dz @ self.w.r,), dz


Cell = Lstm | Gru | Rnn
CELLS: Mapping[str, Callable[[Weights], Cell]] = {"LSTM": Lstm, "GRU": Gru, "RNN": Rnn}

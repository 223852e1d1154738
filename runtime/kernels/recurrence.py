"""LSTM, GRU and RNN, and their gradients: backpropagation through time.

The products of all elements of all sequences with W are one; the steps follow one another. So do
the gradients: dz of all steps is known first, and what comes of it are products of all steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ...compiler.ops.recurrent_kinds import (
    BIAS,
    DIRECTIONS,
    GATE_FUNCTIONS,
    GRADIENT,
    KINDS,
    LENGTHS,
    OURS,
    PEEPHOLES,
    STATE,
    Kind,
    R,
    W,
    X,
    functions_of,
)
from ..kerneldef import Array, kernel
from .linear import product
from .recurrent_cells import CELLS, Cell, Note, States, Weights
from .recurrent_functions import Active


@dataclass(slots=True)
class Direction:
    """One direction of an operator, on x (S, N, I).

    Attributes:
        kind: The operator.
        cell: What computes a step.
        x: The elements, (S, N, I).
        w: (G H, I).
        bias: What is added to the products with W, (G H).
        order: The steps in the order in which they are taken.
        within: Whether elements of sequences are some, (S, N, 1); None where all are.
        notes: What steps left for the way back.
    """

    kind: Kind
    cell: Cell
    x: Array
    w: Array
    bias: Array
    order: range
    within: Array | None
    notes: list[Note] = field(default_factory=list)

    def forward(self, states: States, *, note: bool = False) -> tuple[Array, States]:
        """y (S, N, H), zeros beyond the ends of sequences, and the last states."""
        length, batch, inputs = self.x.shape
        z = product(self.x.reshape(length * batch, inputs), self.w.T, None)
        z = (z + self.bias).reshape(length, batch, len(self.w))
        y = np.empty((length, *states[0].shape), z.dtype)
        for step in self.order:
            after, noted = self.cell.forward(z[step], states, note)
            if noted is not None:
                self.notes.append(noted)
            if self.within is None:
                y[step] = after[0]
                states = after
            else:
                mask = self.within[step]
                y[step] = np.where(mask, after[0], 0)
                states = _where(mask, after, states)
        return y, states

    def backward(self, dy: Array | None, arrived: States) -> tuple[Array, Array, States]:
        """dz and what arrives at R h, both (S, N, G H), and at the first states."""
        length, batch, _ = self.x.shape
        dz = np.empty((length, batch, len(self.w)), self.x.dtype)
        products = dz if self.kind.name != "GRU" else np.empty_like(dz)
        for step, note in zip(reversed(self.order), reversed(self.notes), strict=True):
            if dy is not None:
                here = dy[step] if self.within is None else np.where(self.within[step], dy[step], 0)
                arrived = (arrived[0] + here, *arrived[1:])
            passed = arrived
            if self.within is not None:
                mask = self.within[step]
                arrived = tuple(np.where(mask, each, 0) for each in arrived)
            before, at_product = self.cell.backward(note, arrived, dz[step])
            if products is not dz:
                products[step] = at_product
            if self.within is not None:
                before = _where(mask, before, passed)
            arrived = before
        return dz, products, arrived


def _where(mask: Array, inside: States, outside: States) -> States:
    """States of sequences that go on, and of those that have ended."""
    return tuple(np.where(mask, a, b) for a, b in zip(inside, outside, strict=True))


def _directions(
    kind: Kind, arrays: Sequence[Array | None], attributes: Mapping[str, Any]
) -> list[Direction]:
    """Each direction of an operator, with its part of the weights."""
    given = (*arrays, *(None,) * (PEEPHOLES + 1 - len(arrays)))
    x, w, r, b, p = (given[i] for i in (X, W, R, BIAS, PEEPHOLES))
    assert x is not None
    assert w is not None
    assert r is not None
    x = _batch_second(x, attributes)
    lengths, within = given[LENGTHS], None
    if lengths is not None and (lengths < len(x)).any():
        within = np.arange(len(x))[:, None, None] < lengths[:, None]
    found = []
    functions, most = functions_of(kind, attributes), attributes["clip"]
    for number, backwards in enumerate(DIRECTIONS[attributes["direction"]]):
        rows, hidden = r[number].shape
        bias = np.zeros(2 * rows, x.dtype) if b is None else b[number].copy()
        reset = bias[2 * rows - hidden :].copy()
        if attributes.get("linear_before_reset"):
            bias[2 * rows - hidden :] = 0
        weights = Weights(
            r[number],
            reset,
            [] if p is None else [*p[number].reshape(kind.peepholes, hidden)],
            [
                Active(f, None if i >= GATE_FUNCTIONS else most)
                for i, f in enumerate(functions[number])
            ],
            attributes,
        )
        order = range(len(x))[:: -1 if backwards else 1]
        total = bias[:rows] + bias[rows:]
        cell = CELLS[kind.name](weights)
        found.append(Direction(kind, cell, x, w[number], total, order, within))
    return found


def _batch_second(x: Array, attributes: Mapping[str, Any]) -> Array:
    """With the first two axes in the order that kernels take, or back."""
    return x.swapaxes(0, 1) if attributes["layout"] else x


def _states(
    kind: Kind,
    given: Sequence[Array | None],
    like: Direction,
    number: int,
    attributes: Mapping[str, Any],
) -> States:
    """States (N, H) of a direction; zeros where none are given."""
    shape = like.x.shape[1], len(like.w) // kind.gates
    return tuple(
        np.zeros(shape, like.x.dtype) if each is None else _batch_second(each, attributes)[number]
        for each in (*given, *(None,) * kind.states)[: kind.states]
    )


def run(
    kind: Kind, *arrays: Array | None, outputs: int = 1, **attributes: Any
) -> Array | tuple[Array, ...]:
    """The operator: y and the last states."""
    ys, lasts = [], []
    for number, each in enumerate(_directions(kind, arrays, attributes)):
        y, last = each.forward(_states(kind, arrays[STATE:], each, number, attributes))
        ys.append(y)
        lasts.append(last)
    states = (_batch_second(np.stack(each), attributes) for each in zip(*lasts, strict=True))
    y = np.stack(ys, 1)
    results = (y.transpose(2, 0, 1, 3) if attributes["layout"] else y, *states)[:outputs]
    return results if outputs > 1 else results[0]


def back(
    kind: Kind, *arrays: Array | None, outputs: int = 1, **attributes: Any
) -> Array | tuple[Array, ...]:
    """The gradients of x, W, R, b, the first states, and peepholes, as many as are asked for."""
    given, (dy, *arrived) = arrays[: kind.inputs], arrays[kind.inputs :]
    if dy is not None:
        dy = dy.transpose(1, 2, 0, 3) if attributes["layout"] else dy
    found = []
    for number, each in enumerate(_directions(kind, given, attributes)):
        each.forward(_states(kind, given[STATE:], each, number, attributes), note=True)
        ends = _states(kind, arrived, each, number, attributes)
        dz, products, first = each.backward(None if dy is None else dy[:, number], ends)
        found.append(_gathered(each, dz, products, first))
    dx, *weights = zip(*found, strict=True)
    total = dx[0] if len(dx) == 1 else dx[0] + dx[1]
    dw, dr, db, *rest = map(np.stack, weights)
    states = (_batch_second(each, attributes) for each in rest[: kind.states])
    results = (_batch_second(total, attributes), dw, dr, db, *states, *rest[kind.states :])
    return results[:outputs] if outputs > 1 else results[0]


def _gathered(turns: Direction, dz: Array, products: Array, first: States) -> list[Array]:
    """The gradients of all steps together, for one direction."""
    kind, (length, batch, inputs) = turns.kind, turns.x.shape
    notes = turns.notes[:: turns.order.step]
    rows, hidden = dz.shape[2], first[0].shape[1]
    flat, at_product = (each.reshape(length * batch, rows) for each in (dz, products))
    x = turns.x.reshape(length * batch, inputs)
    h = _flat([note.before[0] for note in notes], first[0])
    if kind.name == "GRU" and not turns.cell.w.attributes["linear_before_reset"]:
        inner = _flat([note.inner for note in notes], first[0])
        outer = at_product[:, : 2 * hidden].T @ h
        dr = np.concatenate((outer, at_product[:, 2 * hidden :].T @ inner))
    else:
        dr = product(at_product.T, h, None)
    db = np.concatenate((flat.sum(0), at_product.sum(0)))
    dx = product(flat, turns.w, None).reshape(turns.x.shape)
    found = [dx, product(flat.T, x, None), dr, db, *first]
    if kind.peepholes:
        before, after = ([s[1] for s in each] for each in _both(notes))
        gates = [dz[:, :, k * hidden : (k + 1) * hidden] for k in range(kind.peepholes)]
        seen = (before, after, before)
        sums = (np.einsum("snh,snh->h", g, np.stack(c)) for g, c in zip(gates, seen, strict=True))
        found.append(np.concatenate(list(sums)))
    return found


def _both(notes: Sequence[Note]) -> tuple[list[States], list[States]]:
    """The states before and after steps."""
    return [note.before for note in notes], [note.after for note in notes]


def _flat(rows: Sequence[Array], like: Array) -> Array:
    """Rows of all steps as one matrix; of no steps, without rows."""
    return np.concatenate(rows) if rows else like[:0]


def _entered(compute: Callable[..., Any], kind: Kind, op_type: str) -> None:
    kernel(op_type, counts_outputs=True, spreads=True)(partial(compute, kind))


for each in KINDS:
    _entered(run, each, each.name)
    _entered(back, each, f"{OURS}{each.name}{GRADIENT}")

"""Operators that run subgraphs: If, Loop and Scan."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..kerneldef import Array, OperandError, kernel


class Body(Protocol):
    """A subgraph that is ready to run on what it captures."""

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        """Its outputs, which share no memory with its inputs."""

    def nothing(self, *arrays: Array) -> tuple[Array, ...]:
        """No rows of each output, (0, *extents), of extents that inputs determine; else of 0."""


@kernel("If")
def choose(condition: Array, *, then_branch: Body, else_branch: Body) -> tuple[Array, ...]:
    """What the branch yields that one truth value chooses."""
    if condition.size != 1:
        raise OperandError(f"needs one truth value, not {condition.size}")
    return (then_branch if condition.item() else else_branch)()


@kernel("Loop")
def loop(most: Array | None, going: Array | None, *states: Array, body: Body) -> tuple[Array, ...]:
    """The last states, and each further output of all turns, stacked.

    There are as many turns as `most` says, until the body yields no more `going`.
    """
    goes = going is None or bool(going.item())
    turns: list[tuple[Array, ...]] = []
    current = states
    while goes and (most is None or len(turns) < most.item()):
        goes_on, *found = body(np.array(len(turns)), np.array(True), *current)
        goes = bool(goes_on.item())
        current = tuple(found[: len(states)])
        turns.append(tuple(found[len(states) :]))
    if turns:
        return (*current, *_stacked(turns))
    _, *rows = body.nothing(np.array(0), np.array(True), *states)
    return (*map(_own, states), *rows[len(states) :])


@kernel("Scan")
def scan(
    *arrays: Array,
    body: Body,
    num_scan_inputs: int,
    scan_input_axes: Sequence[int] | None,
    scan_input_directions: Sequence[int] | None,
    scan_output_axes: Sequence[int] | None,
    scan_output_directions: Sequence[int] | None,
) -> tuple[Array, ...]:
    """The last states, and each further output of all elements of the sequences, stacked.

    A direction of 1 goes from the last element to the first one.
    """
    carried = len(arrays) - num_scan_inputs
    states, sequences = arrays[:carried], arrays[carried:]
    axes = scan_input_axes or (0,) * num_scan_inputs
    directions = scan_input_directions or (0,) * num_scan_inputs
    ordered = [
        _turned(np.moveaxis(x, axis, 0), direction)
        for x, axis, direction in zip(sequences, axes, directions, strict=True)
    ]
    lengths = sorted({len(x) for x in ordered})
    if len(lengths) > 1:
        raise OperandError(f"needs sequences of one length, not {' and '.join(map(str, lengths))}")
    current, turns = states, list[tuple[Array, ...]]()
    for element in range(lengths[0]):
        found = body(*current, *(x[element, ...] for x in ordered))
        current = found[:carried]
        turns.append(found[carried:])
    if turns:
        rows = _stacked(turns)
    else:
        current = tuple(map(_own, states))
        rows = body.nothing(*states, *(np.empty(x.shape[1:], x.dtype) for x in ordered))[carried:]
    axes = scan_output_axes or (0,) * len(rows)
    directions = scan_output_directions or (0,) * len(rows)
    placed = zip(rows, axes, directions, strict=True)
    return (*current, *(np.moveaxis(_turned(y, way), 0, axis) for y, axis, way in placed))


def _own(state: Array) -> Array:
    """A copy of a state as it was; of an optional value there may be none."""
    return state if state is None else state.copy()


def _turned(x: Array, direction: int) -> Array:
    return x[::-1] if direction else x


def _stacked(turns: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    """A row of each turn for each output."""
    try:
        return tuple(np.stack(rows) for rows in zip(*turns, strict=True))
    except ValueError:
        raise OperandError("yields rows of different extents in its turns") from None

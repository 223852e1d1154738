"""Steps -> steps, of which chains of elementwise operators are one: computed block by block.

Each operator of a chain passes over a block while it is in the cache; what no later step reads
is never written to memory. A chain behind a convolution is computed with it, on each part of the
result as soon as that is there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..kerneldef import Array, Function, Kernel, Layout, Part
from ..kernels.parts import blocks, part_of
from ..kernels.scratch import scratch_like
from ..kernels.workers import spread
from .calls import KernelCall

RESULT, LAST = -1, 0  # see `Chain.registers`


@dataclass(frozen=True, slots=True)
class Chain:
    """Elementwise operators, one after the other.

    Attributes:
        calls: The operators; their slots number the values of the plan.
        arguments: The slots of what comes from outside.
        results: The slots of what later steps read.
        registers: For each operator what it writes a block of: `RESULT`, its own; `LAST`, the
            place of the last result, which is written last; or scratch memory of this number.
        operands: For each operator what it reads: arguments by their number, and after these
            the operators' results; None where an optional operand is left out.
    """

    calls: tuple[KernelCall, ...]
    arguments: tuple[int, ...]
    results: tuple[int, ...]
    registers: tuple[int, ...]
    operands: tuple[tuple[int | None, ...], ...]


def fused(
    steps: Sequence[KernelCall], shapes: Mapping[int, object], last_read: Mapping[int, int]
) -> tuple[list[KernelCall], list[int]]:
    """The steps with chains as one, and for each of the steps given, where it is now.

    Args:
        steps: The steps of a plan.
        shapes: The type of each slot; a chain computes arrays of one shape.
        last_read: For each slot the last step that reads it; the number of steps where it leaves.
    """
    found: list[KernelCall] = []
    places: list[int] = []
    group: list[KernelCall] = []

    def end() -> None:
        if group[1:]:
            found.append(_joined(group, len(places), last_read))
        elif group:
            found.append(_alone(group[0]) if _is_elementwise(group[0]) else group[0])
        group.clear()

    for step in steps:
        if not (group and _continues(group, step, shapes)):
            end()
        places.append(len(found))
        if _is_elementwise(step) or step.kernel.finishes:
            group.append(step)
        else:
            found.append(step)
    end()
    return found, places


def _is_elementwise(step: KernelCall) -> bool:
    """Whether it computes numbers, or truth values, each from those at its place alone."""
    return step.kernel.elementwise and all(dtype.kind in "fb" for dtype in step.dtypes)


def _continues(group: Sequence[KernelCall], step: KernelCall, shapes: Mapping[int, object]) -> bool:
    """Whether a step goes on with a chain, or with what a convolution has computed."""
    (slot, *_), first = step.outputs, group[0]
    alike = _is_elementwise(step) and shapes[slot] == shapes[first.outputs[0]]
    return alike and (len(group) > 1 or not first.kernel.finishes or _reads(step, first))


def _reads(step: KernelCall, earlier: KernelCall) -> bool:
    return earlier.outputs[0] in step.arguments and earlier.dtypes == step.dtypes


def _joined(group: Sequence[KernelCall], position: int, last_read: Mapping[int, int]) -> KernelCall:
    """One step for a group that ends before a position."""
    first, last = group[0], group[-1]
    calls = group[1:] if first.kernel.finishes else group
    apart = first.kernel.finishes and not _takes_place(last, first)
    results = tuple(
        call.outputs[0]
        for call in group
        if last_read[call.outputs[0]] >= position or (call is first and apart)
    )
    inside = {call.outputs[0] for call in calls}
    before = [] if first in calls or first.outputs[0] in results else first.outputs
    arguments = tuple(slot for slot in _read(calls) if slot not in inside)
    number: dict[int | None, int | None] = {slot: i for i, slot in enumerate(arguments)}
    number |= {call.outputs[0]: i for i, call in enumerate(calls, len(arguments))} | {None: None}
    chain = Chain(
        tuple(calls),
        arguments,
        tuple(slot for slot in results if slot in inside),
        _registers(calls, results, before),
        tuple(tuple(number[slot] for slot in call.arguments) for call in calls),
    )
    function = partial(run_chain, chain)
    if first.kernel.finishes:
        function = partial(run_finished, Finished(first, chain, results))
    dtypes = {call.outputs[0]: call.dtypes[0] for call in group}
    inside.add(first.outputs[0])
    return replace(
        first,
        kernel=Kernel(
            " ".join(call.kernel.op_type for call in group),
            function,
            outs=True,
            spreads=True,
            layout=first.kernel.layout if first.kernel.finishes else Layout.AS_ARGUMENT,
        ),
        arguments=tuple(slot for slot in _read(group) if slot not in inside),
        outputs=results,
        dtypes=tuple(dtypes[slot] for slot in results),
        attributes={},
        loads=tuple(load for call in group for load in call.loads),
        reuse=None,
        release=tuple(slot for call in group for slot in call.release),
        node=first.node if first.kernel.finishes else last.node,
    )


def _alone(step: KernelCall) -> KernelCall:
    """A step for an operator without neighbours: block by block, in memory that it may reuse."""
    function = partial(run_alone, step.kernel.function)
    return replace(step, kernel=replace(step.kernel, function=function, spreads=True))


def _takes_place(step: KernelCall, earlier: KernelCall) -> bool:
    """Whether a step may write its result where an earlier one has."""
    reads = earlier.outputs[0] in step.arguments
    return step.dtypes == earlier.dtypes and (step.kernel.inplace or not reads)


def _read(calls: Sequence[KernelCall]) -> list[int]:
    """The slots of all arguments, each once."""
    return list(dict.fromkeys(s for call in calls for s in call.arguments if s is not None))


def _registers(
    calls: Sequence[KernelCall], results: Sequence[int], before: Iterable[int]
) -> tuple[int, ...]:
    """Which register each operator writes: as few as there can be, so that they stay in the cache.

    Args:
        calls: The operators of a chain.
        results: The slots of what later steps read.
        before: The slot of what lies in the last result's place from the start, if any.
    """
    last = {slot: number for number, call in enumerate(calls) for slot in call.arguments}
    held: dict[int | None, int] = dict.fromkeys(before, LAST)
    dtypes = [calls[-1].dtypes[0]]
    free: dict[np.dtype[np.generic], list[int]] = defaultdict(list)
    # The last operator writes there: what it reads may lie there if it is one that allows that.
    taken = () if calls[-1].kernel.inplace else (LAST,)
    if not taken and not held:
        free[dtypes[LAST]].append(LAST)
    found = []
    for number, call in enumerate(calls):
        (slot,), (dtype,) = call.outputs, call.dtypes
        dying = dict.fromkeys(s for s in call.arguments if s in held and last[s] == number)
        registers = [register for s in dying if (register := held.pop(s)) not in taken]
        own = RESULT
        if slot not in results:
            ready = [r for r in registers if dtypes[r] == dtype and call.kernel.inplace]
            ready = ready or free[dtype]
            own = held[slot] = ready.pop() if ready else len(dtypes)
            dtypes += [dtype] * (own == len(dtypes))
        for register in registers:
            if register != own:
                free[dtypes[register]].append(register)
        found.append(own)
    return tuple(found)


def run_chain(chain: Chain, *arrays: Array, outs: Sequence[Array | None]) -> tuple[Array, ...]:
    """Compute a chain on arrays that broadcast to one shape, block by block."""
    shape = outs[0].shape if outs[0] is not None else _shape(arrays)
    dtypes = {call.outputs[0]: call.dtypes[0] for call in chain.calls}
    targets = {
        slot: np.empty(shape, dtypes[slot]) if out is None else out
        for slot, out in zip(chain.results, outs, strict=True)
    }
    whole = next(iter(targets.values()))
    compute = partial(_compute, chain, arrays, targets, shape)
    spread(compute, blocks(whole), whole.nbytes * len(chain.calls))
    return tuple(targets[slot] for slot in chain.results)


def run_alone(
    function: Function,
    *arrays: Array | None,
    out: Array | None = None,
    **attributes: Any,
) -> Array:
    """Compute an elementwise operator on arrays that broadcast to one shape, block by block."""
    if out is None or len(found := blocks(out)) == 1:
        return np.asarray(function(*arrays, **attributes, out=out))

    def compute(part: Part) -> None:
        operands = (None if a is None else part_of(a, part, out.shape) for a in arrays)
        function(*operands, **attributes, out=out[part])

    spread(compute, found, out.nbytes)
    return out


def _compute(
    chain: Chain,
    arrays: Sequence[Array],
    targets: Mapping[int, Array],
    shape: tuple[int, ...],
    part: Part,
) -> None:
    """Compute a part of a chain's results, which are of this shape."""
    values = [part_of(array, part, shape) for array in arrays] if part else list(arrays)
    last = part_of(targets[chain.results[-1]], part, shape)
    registers = {LAST: last}
    for call, operands, register in zip(chain.calls, chain.operands, chain.registers, strict=True):
        if register == RESULT:
            out = part_of(targets[call.outputs[0]], part, shape)
        elif register in registers:
            out = registers[register]
        else:
            out = registers[register] = scratch_like(last, f"chain {register}", call.dtypes[0])
        read = [None if number is None else values[number] for number in operands]
        values.append(call.kernel.function(*read, **call.attributes, out=out))


@dataclass(frozen=True, slots=True)
class Finished:
    """A convolution, and a chain that reads it.

    Attributes:
        call: The convolution.
        chain: What is computed from it.
        results: The slots of what later steps read.
    """

    call: KernelCall
    chain: Chain
    results: tuple[int, ...]

    @property
    def arguments(self) -> list[int]:
        """The slots of all that is read, each once."""
        inside = {call.outputs[0] for call in (self.call, *self.chain.calls)}
        return [s for s in _read((self.call, *self.chain.calls)) if s not in inside]

    @property
    def place(self) -> int:
        """The slot whose memory the convolution is written to: its own, or the chain's last one.

        That is written last, and by then the convolution is read at its place alone.
        """
        (own,) = self.call.outputs
        return own if own in self.results else self.results[-1]


def run_finished(step: Finished, *arrays: Array, outs: Sequence[Array | None]) -> tuple[Array, ...]:
    """Compute a convolution, and a chain on each part of it that is done."""
    values = dict(zip(step.arguments, arrays, strict=True))
    call, chain, (own,) = step.call, step.chain, step.call.outputs
    operands = [None if slot is None else values[slot] for slot in call.arguments]
    targets = {s: out for s, out in zip(step.results, outs, strict=True) if out is not None}
    if len(targets) < len(outs):
        values[own] = call.kernel.function(*operands, **call.attributes)
        read = (values[slot] for slot in chain.arguments)
        found = run_chain(chain, *read, outs=[targets.get(slot) for slot in chain.results])
        values.update(zip(chain.results, found, strict=True))
        return tuple(values[slot] for slot in step.results)
    y = values[own] = targets[step.place]
    given = [values[slot] for slot in chain.arguments]
    finish = partial(_compute, chain, given, targets, y.shape)
    call.kernel.function(*operands, **call.attributes, out=y, finish=finish)
    return tuple(targets[slot] for slot in step.results)


def _shape(arrays: Sequence[Array]) -> tuple[int, ...]:
    return np.broadcast_shapes(*(array.shape for array in arrays))

"""Plan -> text: for each step what it computes, in which layout, where, and on how many threads."""

from collections.abc import Mapping

from ...compiler.analysis.counts import node_cost
from ..kernels.slabs import is_batch_innermost
from ..kernels.workers import of_product, threads_for
from .calls import KernelCall
from .memory import Memory, Result
from .plan import Plan

HEADER = ("step", "operators", "result", "layout", "memory", "threads")


def plan_text(plan: Plan, symbols: Mapping[str, int]) -> str:
    """A table of a plan's steps with given extents, such as `{"N": 32}`, a line per result.

    `arena + 1,024` is a place in the arena, in bytes; `x3's` is the memory of another step's
    result; what `leaves` is an array of its own; what is written to no given memory is `a view`
    or `the kernel's`.
    """
    memory = Memory(plan.memories.results, symbols)
    slots = {slot: position for position, step in enumerate(plan.steps) for slot in step.outputs}
    rows = [HEADER]
    for position, (step, results) in enumerate(zip(plan.steps, plan.memories.results, strict=True)):
        arrays = memory.arrays(position)
        for result, array in zip(results, arrays, strict=True):
            layout = "" if array is None else "row-major"
            if array is not None and is_batch_innermost(array):
                layout = "batch innermost"
            if array is None and step.reuse is not None:
                where = f"{slots[step.reuse]}'s"
            elif array is None:
                where = "a view" if step.kernel.view else "the kernel's"
            elif result.lives_until == len(plan.steps):
                where = "leaves"
            else:
                where = f"arena + {array.ctypes.data - memory.arena.ctypes.data:,}"
            shape = result.type.bind(symbols)
            rows.append(
                (
                    str(position),
                    step.kernel.op_type,
                    str(shape),
                    layout,
                    where,
                    str(_threads(plan, step, result, symbols)) if step.kernel.spreads else "1",
                )
            )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", f"arena: {memory.arena.size:,} bytes"])


def _threads(plan: Plan, step: KernelCall, result: Result, symbols: Mapping[str, int]) -> int:
    """On how many threads a step is computed at most, by its multiplications or else its bytes."""
    macs = node_cost(plan.graph, plan.graph[step.node], symbols).macs
    products = of_product(macs) if isinstance(macs, int) else 0
    work = products or result.type.bind(symbols).bytes
    return threads_for(work) if isinstance(work, int) else 1

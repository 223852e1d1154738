"""Tensors that flow from step to step -> the program that says so: chains, bindings, merges."""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from ..lexing.lexer import keywords

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FUNCTIONS = frozenset(
    "relu max min abs sum len range zip round sqrt same valid avg mean all none".split()
)


@dataclass(eq=False, slots=True)
class Flow:
    """A tensor: the result of a step on other tensors, or an input where there are none.

    Attributes:
        step: The step, in netc's words; empty for an input that nothing is known of yet.
        inputs: The tensors that meet it.
        name: What its author calls it.
    """

    step: str
    inputs: tuple["Flow", ...] = ()
    name: str = ""


def spelled(outputs: Sequence[Flow]) -> str:
    """The program that yields some tensors."""
    flows = list(_sorted(outputs))
    uses = Counter(flow for user in flows for flow in user.inputs)
    uses.update(outputs)
    merges = any(len(flow.inputs) > 1 for flow in flows)
    inner = {id(end) for user in flows if len(user.inputs) > 1 for end in map(_start, user.inputs)}
    bound = [
        flow
        for flow in flows
        if (uses[flow] > 1 or id(flow) in inner or (merges and not flow.inputs))
        and (len(outputs) > 1 or flow is not outputs[0])
    ]
    names = _names(bound)
    lines = [f"{names[flow]} = {_chain(flow, names)}" for flow in bound]
    if len(outputs) == 1:
        lines.append(_chain(outputs[0], names))
    else:
        lines += [f"output {each}" for each in _outputs(outputs, names)]
    return "\n".join(lines)


def _outputs(outputs: Sequence[Flow], names: dict[Flow, str]) -> Iterator[str]:
    """Several outputs, each with a name and its chain."""
    taken = set(names.values())
    for number, flow in enumerate(outputs, 1):
        chain = names[flow] if flow in names else _chain(flow, names)
        name = flow.name if _is_free(flow.name, taken) else f"out{number}"
        taken.add(name)
        yield f"{name} = {chain}"


def _sorted(outputs: Sequence[Flow]) -> Iterator[Flow]:
    """All tensors that lead to the outputs, each after those that it needs."""
    seen: set[int] = set()
    waiting = [(flow, False) for flow in reversed(outputs)]
    while waiting:
        flow, is_ready = waiting.pop()
        if is_ready:
            yield flow
        elif id(flow) not in seen:
            seen.add(id(flow))
            waiting.append((flow, True))
            waiting += [(each, False) for each in reversed(flow.inputs)]


def _start(flow: Flow) -> Flow:
    """Where the chain that ends in a tensor starts: an input, or a merge."""
    while len(flow.inputs) == 1:
        flow = flow.inputs[0]
    return flow


def _names(bound: Sequence[Flow]) -> dict[Flow, str]:
    """A name for each tensor, its author's where that is free."""
    names: dict[Flow, str] = {}
    taken: set[str] = set()
    for flow in bound:
        stem = flow.name if _is_free(flow.name) else "x"
        numbered = (f"{stem}{number}" for number in range(2, len(bound) + 3))
        names[flow] = stem if stem not in taken else next(n for n in numbered if n not in taken)
        taken.add(names[flow])
    return names


def _is_free(name: str, taken: Container[str] = ()) -> bool:
    is_ours = name in keywords() or name in _FUNCTIONS
    return _NAME.fullmatch(name) is not None and name not in taken and not is_ours


def _chain(flow: Flow, names: dict[Flow, str]) -> str:
    """The chain that ends in a tensor, from the tensors that have names on."""
    steps = [flow.step]
    while len(flow.inputs) == 1 and flow.inputs[0] not in names:
        flow = flow.inputs[0]
        steps.append(flow.step)
    if len(flow.inputs) == 1:
        steps.append(names[flow.inputs[0]])
    elif flow.inputs:
        branches = (names[each] if each in names else _chain(each, names) for each in flow.inputs)
        steps.append(f"( {' | '.join(branches)} )")
    return " -> ".join(reversed(steps))

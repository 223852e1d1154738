"""Statements -> blocks and statements: scopes of one structure as a block, series as loops."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from ..layers.layerdef import LAYERS
from .alignment import aligned, template_of
from .loops import with_loops
from .spelling import is_name, is_reference
from .tree import (
    Argument,
    Block,
    Call,
    Chain,
    Group,
    Loop,
    Reference,
    Statement,
    Step,
    Text,
    calls_in,
    inner_chains,
    references_in,
    with_chains,
)

LEAST_CALLS = 3  # of layers alone that are worth a block


def folded(
    statements: Sequence[Statement], taken: set[str], loose: Container[str]
) -> tuple[list[Block], list[Statement]]:
    """The same program with blocks and loops, deepest scopes first.

    Args:
        statements: The statements, each call with its label and its path.
        taken: Names that no block may have.
        loose: Labels that only name values, and no weights.
    """
    program = [statement.chain for statement in statements]
    blocks: list[Block] = []
    labels = [c.label for chain in program for c in calls_in(chain) if c.label is not None]
    scopes = list(dict.fromkeys(scope for label in labels for scope in _scopes_of(label)))
    for depth in sorted({scope.count(".") for scope in scopes}, reverse=True):
        found = [scope for scope in scopes if scope.count(".") == depth]
        program = _with_blocks(program, found, blocks, taken, loose)
        program = [with_loops(chain) for chain in program]
    program = [with_loops(chain) for chain in program]
    return blocks, [replace(s, chain=c) for s, c in zip(statements, program, strict=True)]


def _scopes_of(label: str) -> Iterator[str]:
    """The scopes that a label is in, outermost first."""
    parts = label.split(".")
    yield from (".".join(parts[:count]) for count in range(1, len(parts)))


def _with_blocks(
    program: list[Chain],
    scopes: Sequence[str],
    blocks: list[Block],
    taken: set[str],
    loose: Container[str],
) -> list[Chain]:
    """The program with calls of blocks for scopes that share a structure."""
    bodies: dict[str, Chain] = {}
    for scope in scopes:
        body = next(filter(None, (_segment(chain, scope) for chain in program)), None)
        if body is not None and _is_worth_it(body, blocks):
            bodies[scope] = _without_last_label(body, scope, loose)
    clusters: list[list[str]] = []
    for scope in bodies:
        for cluster in clusters:
            if all(aligned(bodies[other], bodies[scope]) for other in cluster):
                cluster.append(scope)
                break
        else:
            clusters.append([scope])
    for cluster in clusters:
        if len(cluster) < 2:
            continue
        template = template_of([bodies[scope] for scope in cluster])
        same = (template.parameters(), template.body)
        known = next((b.name for b in blocks if (b.parameters, b.body) == same), None)
        name = known or _block_name(cluster[0], taken)
        if known is None:
            blocks.append(Block(name, *same))
        for scope, arguments in zip(cluster, template.calls(), strict=True):
            call = Call(name, arguments, scope, scope)
            last = _last_label(program, scope)
            program = [_replaced(chain, scope, call) for chain in program]
            if last in loose:
                program = [_renamed(chain, last, scope) for chain in program]
    return program


def _without_last_label(body: Chain, scope: str, loose: Container[str]) -> Chain:
    """A scope's chain whose end is called by the scope's name, where its label names no weights."""
    last = body[-1]
    if isinstance(last, Call) and f"{scope}.{last.label}" in loose:
        return (*body[:-1], replace(last, label=None))
    return body


def _last_label(program: Sequence[Chain], scope: str) -> str:
    """The full label of a scope's last step; empty where it has none."""
    body = next(filter(None, (_segment(chain, scope) for chain in program)), ())
    label = getattr(body[-1], "label", None) if body else None
    return f"{scope}.{label}" if label is not None else ""


def _renamed(chain: Chain, old: str, new: str) -> Chain:
    """The chain with another name of a value."""
    return tuple(
        Reference(new)
        if step == Reference(old)
        else with_chains(step, tuple(_renamed(inner, old, new) for inner in inner_chains(step)))
        for step in chain
    )


def _is_worth_it(body: Chain, blocks: Sequence[Block]) -> bool:
    """Whether a chain says more than a few layers do."""
    calls = list(calls_in(body))
    names = {block.name for block in blocks}
    return len(calls) >= LEAST_CALLS or (len(calls) > 1 and any(c.kind in names for c in calls))


def _block_name(scope: str, taken: set[str]) -> str:
    """A name in the language's manner: `Layer` for `layer1`, `Block` for `layer1.0`."""
    last = scope.rpartition(".")[2]
    words = re.findall(r"[A-Za-z]+", last)
    stem = "".join(word[:1].upper() + word[1:] for word in words) or "Block"
    stem = stem if is_name(stem) and stem not in LAYERS and not stem.isupper() else "Block"
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}{count}"
    taken.add(name)
    return name


def _segment(chain: Chain, scope: str) -> Chain | None:
    """The steps that a scope is, with names relative to it, if it is a part of one chain."""
    place = _place(chain, scope)
    if place is None:
        for step in chain:
            for inner in inner_chains(step):
                if (found := _segment(inner, scope)) is not None:
                    return found
        return None
    first, last = place
    return _relative(chain[first:last], scope)


def _place(chain: Chain, scope: str) -> tuple[int, int] | None:
    """Where a scope begins and ends in a chain that holds all of it; None if it does not."""
    inside = [i for i, step in enumerate(chain) if _labels(step, scope)[0]]
    if not inside:
        return None
    first, last = inside[0], inside[-1] + 1
    if len(inside) == 1 and isinstance(chain[first], Group | Loop):
        inner = [c for c in inner_chains(chain[first]) if any(_labels(s, scope)[0] for s in c)]
        if len(inner) == 1 and not (last < len(chain) and _is_within(chain[last], scope)):
            return None  # one branch may hold it alone
    while last < len(chain) and _is_within(chain[last], scope):
        last += 1
    if isinstance(chain[last - 1], Group):
        return None
    if first and isinstance(chain[first - 1], Group):
        return None
    return (first, last) if not any(_labels(s, scope)[1] for s in chain[first:last]) else None


def _labels(step: Step, scope: str) -> tuple[bool, bool]:
    """Whether a step has labels within a scope, and whether it has others."""
    calls = calls_in((step,))
    within = [c.label.startswith(f"{scope}.") for c in calls if c.label is not None]
    return any(within), not all(within)


def _is_within(step: Step, scope: str) -> bool:
    """Whether a step without labels belongs to a scope by the paths of its layers."""
    calls = list(calls_in((step,)))
    if any(call.label is not None for call in calls) or next(references_in((step,)), None):
        return False
    return all(call.path.startswith(f"{scope}.") for call in calls)


def _relative(chain: Chain, scope: str) -> Chain | None:
    """A chain with names relative to a scope; None where it uses what lies outside."""
    steps: list[Step] = []
    for step in chain:
        inner = [_relative(branch, scope) for branch in inner_chains(step)]
        if any(branch is None for branch in inner):
            return None
        if isinstance(step, Call):
            made = _relative_call(step, scope)
            if made is None:
                return None
            steps.append(made)
        elif isinstance(step, Reference):
            name = step.name.removeprefix(f"{scope}.")
            if name == step.name or not is_reference(name):
                return None
            steps.append(Reference(name))
        else:
            steps.append(with_chains(step, tuple(b for b in inner if b is not None)))
    return tuple(steps)


def _relative_call(call: Call, scope: str) -> Call | None:
    prefix = f"{scope}."
    if call.kind == "INPUT":
        return None
    arguments: list[Argument] = []
    for argument in call.arguments:
        if argument.name == "share":
            assert isinstance(argument.value, Text)
            own = argument.value.text.strip('"')
            if not own.startswith(prefix) or not is_reference(own.removeprefix(prefix)):
                return None
            argument = replace(argument, value=Text(own.removeprefix(prefix)))
        arguments.append(argument)
    label = None if call.label is None else call.label.removeprefix(prefix)
    return replace(
        call, arguments=tuple(arguments), path=call.path.removeprefix(prefix), label=label
    )


def _replaced(chain: Chain, scope: str, call: Call) -> Chain:
    """The chain with a call of a block in the place of a scope."""
    place = _place(chain, scope)
    if place is not None:
        return (*chain[: place[0]], call, *chain[place[1] :])
    return tuple(
        with_chains(step, tuple(_replaced(inner, scope, call) for inner in inner_chains(step)))
        for step in chain
    )

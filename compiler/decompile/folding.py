"""Statements -> blocks and statements: scopes of one structure as a block, series as loops."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..layers.layerdef import LAYERS
from .alignment import aligned, channels_into, template_of
from .automatic import without_automatic, without_automatic_names
from .repetition import WORTH_IN_BLOCKS, outermost_first, with_repetitions
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
from .writing import chain_text

# Names of modules that say nothing of what is in them.
VAGUE = frozenset(
    {"Block", "Feature", "Module", "Model", "Net", "Seq", "Sequential", "Op", "Sub", "Part"}
)
SHORT = 180  # characters of a block that is written where it is called
LEAST_CALLS = 3  # of layers alone that are worth a block


def folded(
    statements: Sequence[Statement],
    taken: Iterable[str],
    loose: Container[str],
    *,
    with_labels: bool = False,
) -> tuple[list[Block], list[Statement]]:
    """The same program with blocks and loops, deepest scopes first.

    Args:
        statements: The statements, each call with its label and its path.
        taken: Names that no block may have.
        loose: Labels that only name values, and no weights.
        with_labels: Whether labels stay that are automatic names.
    """
    names = {*taken}
    program = [statement.chain for statement in statements]
    blocks: list[Block] = []
    labels = [c.label for chain in program for c in calls_in(chain) if c.label is not None]
    scopes = list(dict.fromkeys(scope for label in labels for scope in _scopes_of(label)))
    for depth in sorted({scope.count(".") for scope in scopes}, reverse=True):
        found = [scope for scope in scopes if scope.count(".") == depth]
        program = _with_blocks(program, found, blocks, names, loose, with_labels)
    named = {name for s in statements for name in re.findall(r"\w+", s.target)}
    if not with_labels:
        program = [*without_automatic_names(tuple(program), named)]
    program = [with_repetitions(chain) for chain in program]
    blocks, program = _with_bodies(blocks, program)
    blocks = [replace(block, body=outermost_first(block.body)) for block in blocks]
    program = [outermost_first(chain) for chain in program]
    return blocks, [replace(s, chain=c) for s, c in zip(statements, program, strict=True)]


def _with_bodies(blocks: Sequence[Block], program: list[Chain]) -> tuple[list[Block], list[Chain]]:
    """The program with short blocks in their place that one repetition alone calls."""
    kept: list[Block] = []
    for place, block in enumerate(blocks):
        text = chain_text(block.body)
        chains = [*program, *(b.body for b in blocks[place + 1 :])]
        calls = [call for chain in chains for call in calls_in(chain) if call.kind == block.name]
        if block.parameters or len(calls) > 1 or len(text) > SHORT or "in." in text:
            kept.append(block)
            continue
        inside = [_with_body(chain, block) for chain in program]
        kept += [block] if inside == program else []
        program = inside
    return kept, program


def _with_body(chain: Chain, block: Block) -> Chain:
    """The chain with a block's body in a repetition of its call."""
    steps: list[Step] = []
    for step in chain:
        inner = tuple(_with_body(branch, block) for branch in inner_chains(step))
        call = step.body[0] if isinstance(step, Loop) else None
        if isinstance(step, Loop) and isinstance(call, Call) and len(step.body) == 1:
            scope = (call.label or "").removesuffix(f".{{{step.variable}}}")
            if (
                call.kind == block.name
                and (step.head, step.start) == ("", 0)
                and scope != call.label
            ):
                steps.append(Loop(block.body, 0, step.stop, "", scope))
                continue
        steps.append(with_chains(step, inner))
    return tuple(steps)


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
    with_labels: bool,
) -> list[Chain]:
    """The program with calls of blocks for scopes that share a structure."""
    plain: dict[str, Chain] = {}
    for scope in scopes:
        body = next(filter(None, (_segment(chain, scope) for chain in program)), None)
        if body is not None and _is_long_enough(body, blocks) and _is_whole(body, scope, program):
            body = _without_last_label(body, scope, loose)
            used = _read_of(scope, program)
            plain[scope] = body if with_labels else without_automatic(body, used)
    looped = {scope: with_repetitions(body, WORTH_IN_BLOCKS) for scope, body in plain.items()}
    for cluster, bodies in _clusters((looped, plain)):
        template = template_of([bodies[scope] for scope in cluster])
        same = (template.parameters(), template.body)
        known = next((b.name for b in blocks if (b.parameters, b.body) == same), None)
        name = known or _block_name(cluster[0], template.body, taken)
        if known is None:
            blocks.append(Block(name, *same))
        for scope, arguments in zip(cluster, template.calls(), strict=True):
            call = Call(name, arguments, scope, scope, channels_into(bodies[scope]))
            last = _last_label(program, scope)
            program = [_replaced(chain, scope, call) for chain in program]
            if last in loose:
                program = [_renamed(chain, last, scope) for chain in program]
    return program


def _is_whole(body: Chain, scope: str, program: Sequence[Chain]) -> bool:
    """Whether a chain holds all labels of a scope."""
    calls = [call for chain in program for call in calls_in(chain)]
    labels = [c.label for c in calls if c.label is not None and c.label.startswith(f"{scope}.")]
    return len(labels) == sum(call.label is not None for call in calls_in(body))


def _read_of(scope: str, program: Sequence[Chain]) -> set[str]:
    """What is read of a scope by name, relative to it."""
    names = {r.name for chain in program for r in references_in(chain)}
    return {n.removeprefix(f"{scope}.") for n in names if n.startswith(f"{scope}.")}


def _clusters(
    forms: Sequence[Mapping[str, Chain]],
) -> Iterator[tuple[list[str], Mapping[str, Chain]]]:
    """Scopes of one structure, in the first form of their bodies in which they are that."""
    clusters: list[list[str]] = []

    def form(scopes: Sequence[str]) -> Mapping[str, Chain] | None:
        first = scopes[0]
        alike = (f for f in forms if all(aligned(f[first], f[other]) for other in scopes))
        return next(alike, None)

    for scope in forms[0]:
        for cluster in clusters:
            if form([scope, *cluster]) is not None:
                cluster.append(scope)
                break
        else:
            clusters.append([scope])
    for cluster in clusters:
        found = form(cluster)
        if len(cluster) > 1 and found is not None:
            yield cluster, found


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


def _is_long_enough(body: Chain, blocks: Sequence[Block]) -> bool:
    """Whether a chain says more than a few layers do."""
    calls = list(calls_in(body))
    names = {block.name for block in blocks}
    return len(calls) >= LEAST_CALLS or (len(calls) > 1 and any(c.kind in names for c in calls))


def _block_name(scope: str, body: Chain, taken: set[str]) -> str:
    """A name in the language's manner: `Stage` for `stage1`, `Layer` for `layers.0`."""
    parts = [part for part in scope.split(".") if not part.isdigit()]
    is_index = scope.rpartition(".")[2].isdigit()
    words = re.findall(r"[A-Za-z]{3,}", parts[-1]) if parts else []
    if is_index and words:
        words = [words[-1].removesuffix("s")] if words[-1].endswith("s") else []
    stem = "".join(word[:1].upper() + word[1:] for word in words)
    if not is_name(stem) or stem in LAYERS or stem.isupper() or stem in VAGUE:
        stem = _idea(body)
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}{count}"
    taken.add(name)
    return name


def _idea(body: Chain) -> str:
    """What a chain is called in papers."""
    kinds = {call.kind for call in calls_in(body)}
    merges = [step.kind for step in body if isinstance(step, Call) and step.kind in ("ADD", "MUL")]
    if "ATTENTION" in kinds:
        return "Encoder"
    if merges[-1:] == ["MUL"] and kinds & {"GAP", "ADAPTIVEPOOL"}:
        return "SqueezeExcite"
    if merges[-1:] == ["ADD"]:
        return "Residual"
    if kinds.isdisjoint(LAYERS):
        return "Stage"
    first = next(calls_in(body))
    is_narrow = first.kind == "CONV" and Text("1x1") in [a.value for a in first.arguments]
    return "InvertedResidual" if is_narrow and "DWCONV" in kinds else "Block"


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
    while first and _is_within(chain[first - 1], scope):
        first -= 1
    before = chain[first - 1] if first else None
    if isinstance(before, Group) or (isinstance(before, Call) and before.yields > 1):
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

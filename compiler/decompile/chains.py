"""Items -> statements: straight runs as chains, forks and merges as groups, the rest by name."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .items import Item, Key, readers
from .spelling import is_name, is_reference, spelled
from .tree import (
    Call,
    Chain,
    Group,
    Reference,
    Statement,
    Step,
    Text,
    calls_in,
    inner_chains,
    named_by,
    with_chains,
)

LONG = 12  # steps: a longer branch is written as a chain of its own
DEEP = 2  # groups within each other
SHORT = 3  # steps of a branch beside one that is written as the chain

# Where a chain begins: it goes on from what comes in, from a value that is there, with a call that
# takes nothing, or with a group of branches that begin so.
Start = Key | Item | Group | None


@dataclass(eq=False)
class Chains:
    """Writes items as statements.

    Attributes:
        items: The items.
        outputs: What the program yields, by name.
        bound: Values that statements of their own bind, with their names: layers of several
            tensors, and what has no label that a chain can start with.
        statements: What was written so far.
        referred: Values that chains start with by name.
    """

    items: Sequence[Item]
    outputs: Mapping[str, Key] = field(default_factory=dict)
    bound: dict[Key, str] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    referred: set[Key] = field(default_factory=set)
    written: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.by_key = {key: item for item in self.items for key in item.results}
        self.readers = readers(self.items)
        self.yielded = set(self.outputs.values())
        self.sizes: dict[tuple[Key, Key | None], tuple[int, int]] = {}
        # Values of items that yield several, all of which go into a group: what stands for them.
        many = [item for item in self.items if len(item.results) > 1]
        self.spread: dict[Key, Key] = {
            key: ("all", place) for place, item in enumerate(many) for key in item.results
        }
        self.forks = _forks(self.items, self.by_key, self.spread)
        merged = {
            self.forks[item.results[0]]: item for item in self.items if len(item.operands) > 1
        }
        self.spread = {
            key: whole
            for key, whole in self.spread.items()
            if whole in merged and self._is_spread(self.by_key[key], merged[whole], whole)
        }
        self.forks = _forks(self.items, self.by_key, self.spread)
        self.by_key |= {whole: self.by_key[key] for key, whole in self.spread.items()}
        self.taken = {item.call.path for item in self.items}
        for item in self.items:
            if not item.call.path:
                name = self.free_name(spelled(item.call.arguments[0].value))
                item.call = replace(item.call, path=name)
        for item in self.items:
            if len(item.results) > 1 and item.results[0] not in self.spread:
                for place, key in enumerate(item.results, start=1):
                    self.bound[key] = self.free_name(f"{item.call.path}_{place}")

    def _is_spread(self, item: Item, merge: Item, whole: Key) -> bool:
        """Whether the tensors that an item yields are those that a merge's branches begin with."""
        if any(self.readers.get(key) != 1 or key in self.yielded for key in item.results):
            return False
        return [self._begins(operand, whole) for operand in merge.operands] == [*item.results]

    def _begins(self, key: Key | None, whole: Key) -> Key | None:
        """The tensor of several that a branch begins with, unless it begins with all of others."""
        while key is not None and self.spread.get(key) != whole:
            if key not in self.by_key:
                return None
            operands = self.by_key[key].operands
            key = operands[0] if len(operands) == 1 else self.forks.get(key) if operands else None
        return key

    def free_name(self, wanted: str) -> str:
        """A name for a value that nothing else has."""
        stem = re.sub(r"\W", "_", wanted.strip('"'))
        stem = stem if is_name(stem) else f"x{stem}".rstrip("_")
        name, count = stem, 1
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        return name

    def write(self, *, inputs_first: bool = False, lenders_first: bool = False) -> None:
        """Write all that the outputs need, inputs that nothing reads, and what is only named.

        Args:
            inputs_first: Whether statements of their own begin with the inputs.
            lenders_first: Whether layers whose weights others share come before all these.
        """
        for item in self.inputs:
            if inputs_first or not any(self.readers.get(key) for key in item.results):
                self.statement(item.results[0])
        for item in self._only_named():
            self.statement(item.results[0])
        lenders = {text for item in self.items for text in _lenders(item.call)}
        for item in self.items if lenders_first else ():
            if item.call.path in lenders and item.results[0] not in self.written:
                self.statement(item.results[0])
                self.referred.add(item.results[0])
        for item in self.items:
            if any(key in self.bound for key in item.results):
                self._bind(item)
        for name, key in self.outputs.items():
            self._output(name, key, alone=len(self.outputs) == 1)

    def _only_named(self) -> list[Item]:
        """Items that arguments name, such as masks, and that no chain to an output contains."""
        named = {text for item in self.items for text in named_by(item.call)}
        needed = {*self.yielded}
        for item in reversed(self.items):
            if needed.intersection(item.results):
                needed.update(item.operands)
        return [
            item
            for item in self.items
            if item.call.path in named
            and not needed.intersection(item.results)
            and item.results[0] not in self.written
        ]

    @property
    def inputs(self) -> list[Item]:
        """The inputs, in the order of the graph."""
        return [item for item in self.items if item.call.kind == "INPUT"]

    def has_inputs_in_order(self) -> bool:
        """Whether the program names the inputs in the order of the graph."""
        calls = (call for statement in self.statements for call in calls_in(statement.chain))
        found = [call.path for call in calls if call.kind == "INPUT"]
        return found == [item.call.path for item in self.inputs]

    def has_lenders_in_order(self) -> bool:
        """Whether layers that share weights come after those that have them."""
        known: set[str] = set()
        for call in (call for statement in self.statements for call in calls_in(statement.chain)):
            if not known.issuperset(_lenders(call)):
                return False
            known.add(call.path)
        return True

    def _output(self, name: str, key: Key, *, alone: bool) -> None:
        known = self.name(key)
        if name == known or (alone and name == "output"):
            if key not in self.written:
                self.statement(key)
            elif name != known:
                self.statements.append(Statement((self.reference(key),)))
            if name == known:
                self.referred.add(key)
                self.statements.append(Statement((), f"output {name}"))
        elif key in self.written:
            self.statements.append(Statement((self.reference(key),), f"output {name} = "))
        else:
            self.statement(key, f"output {name} = ")

    def _bind(self, item: Item) -> None:
        names = [self.bound[key] for key in item.results]
        target = f"({', '.join(names)})" if len(names) > 1 else names[0]
        self.statement(item.results[0], f"{target} = ")

    def statement(self, key: Key, target: str = "") -> None:
        """Write the chain that ends with a value, after what it begins with."""
        while True:
            spine, start = self._spine(key, None)
            if not isinstance(start, Group):
                break
            waiting = [o for o in spine[-1].operands if self._is_long(o)]
            if not waiting:
                break
            for operand in waiting:
                if operand not in self.written:
                    self.statement(operand)
                    self.referred.add(operand)
        chain = self.chain(key, None)
        self.statements.append(Statement(chain, target))

    def _is_long(self, key: Key) -> bool:
        return key not in self.written and self.size(key, None)[0] > 1

    def name(self, key: Key) -> str:
        """What a value is called where a chain starts with it."""
        return self.bound.get(key) or self.by_key[key].call.path

    def reference(self, key: Key) -> Reference:
        """A value by its name."""
        self.referred.add(key)
        return Reference(self.name(key))

    def unnamed(self) -> list[Key]:
        """Values that chains start with and that have no name that can stand there."""
        return [
            key for key in self.by_key if key in self.referred and not is_reference(self.name(key))
        ]

    def _spine(self, end: Key, stop: Key | None) -> tuple[list[Item], Start]:
        """The items of a chain from its end to its start, without those of branches."""
        spine: list[Item] = []
        key = end
        while key != stop and (stop is None or self.spread.get(key) != stop):
            if key in self.written:
                return spine, key
            item = self.by_key[key]
            if not item.operands:
                return spine, item
            spine.append(item)
            if len(item.operands) == 1:
                key = item.operands[0]
                continue
            main, fork = self.main_branch(item), self.forks[item.results[0]]
            if main is not None:
                key = item.operands[main]
            elif fork is None:
                return spine, Group(())
            else:
                key = fork
        return spine, None

    def main_branch(self, item: Item) -> int | None:
        """The branch of a merge that the chain follows, where it is too long for a group."""
        fork = self.forks[item.results[0]]
        if fork is None or self._is_scope(item, fork):
            return None
        sizes = [self.size(operand, fork) for operand in item.operands]
        main = max(range(len(sizes)), key=lambda place: sizes[place][0])
        steps, depth = sizes[main]
        others = [size for place, size in enumerate(sizes) if place != main]
        if (steps > LONG or depth >= DEEP) and all(size[0] <= SHORT for size in others):
            return main
        return None

    def _is_scope(self, item: Item, fork: Key) -> bool:
        """Whether a merge's branches are in its scope and begin with what comes into that.

        Such scopes become blocks, in which branches of any length are easy to read.
        """
        scope = item.call.path.rpartition(".")[0]
        if not scope or self.by_key[fork].call.path.startswith(f"{scope}."):
            return False
        pending, seen = [*item.operands], {fork}
        while pending:
            key = pending.pop()
            if key not in seen:
                seen.add(key)
                if not self.by_key[key].call.path.startswith(f"{scope}."):
                    return False
                pending += self.by_key[key].operands
        return True

    def size(self, end: Key, stop: Key | None) -> tuple[int, int]:
        """How many steps a branch has, and how many groups deep it is; beyond limits, no matter."""
        if (end, stop) in self.sizes:
            return self.sizes[end, stop]
        steps, depth, key = 0, 0, end
        while key != stop and steps <= LONG and depth < DEEP:
            if stop is not None and self.spread.get(key) == stop:
                break
            item = self.by_key[key]
            steps += 1
            if not item.operands:
                break
            if len(item.operands) == 1:
                key = item.operands[0]
                continue
            fork = self.forks[item.results[0]]
            for operand in item.operands:
                inner = self.size(operand, fork)
                steps, depth = steps + inner[0], max(depth, inner[1] + 1)
                if steps > LONG:
                    break
            if fork is None:
                break
            key = fork
        self.sizes[end, stop] = steps, depth
        return steps, depth

    def chain(self, end: Key, stop: Key | None) -> Chain:
        """The chain from a value, or from a start of its own, to a value."""
        spine, start = self._spine(end, stop)
        steps: list[Step] = []
        if isinstance(start, Item):
            steps.append(self._call(start))
        elif start is not None and not isinstance(start, Group):
            steps.append(self.reference(start))
        for item in reversed(spine):
            if len(item.operands) > 1:
                group = self._group(item)
                if all(map(starts, group.branches)):
                    steps = []
                # What yields several tensors hands them on as they are.
                if any(group.branches) or self.forks[item.results[0]] not in self.spread.values():
                    steps.append(group)
            steps.append(self._call(item))
        return tuple(steps)

    def _group(self, item: Item) -> Group:
        main, fork = self.main_branch(item), self.forks[item.results[0]]
        branches: list[Chain] = []
        for place, operand in enumerate(item.operands):
            if main is None:
                branches.append(self.chain(operand, fork))
            else:
                branches.append(() if place == main else self.chain(operand, None))
        return Group(tuple(branches))

    def _call(self, item: Item) -> Call:
        self.written |= {*item.results, *(self.spread[k] for k in item.results if k in self.spread)}
        return item.call


def _lenders(call: Call) -> list[str]:
    """The layers whose weights a call shares."""
    shared = (a.value for a in call.arguments if a.name == "share")
    return [value.text.strip('"') for value in shared if isinstance(value, Text)]


def starts(chain: Chain) -> bool:
    """Whether a chain starts by itself, and does not go on from what comes in."""
    if not chain:
        return False
    first = chain[0]
    if isinstance(first, Group):
        return all(map(starts, first.branches))
    if isinstance(first, Call):
        constant = first.kind == "op" and first.arguments[0].value == Text('"Constant"')
        return first.kind in ("INPUT", "PARAM", "CONST") or constant
    return isinstance(first, Reference)


def _forks(
    items: Sequence[Item], by_key: Mapping[Key, Item], spread: Mapping[Key, Key]
) -> dict[Key, Key | None]:
    """For each value the nearest one that all ways from inputs to it pass; None where none is.

    Values that `spread` knows come from one that stands for all of their item.

    Nearest common ancestors in the tree of dominators. What depends on no input forks nothing.
    """
    above: dict[Key, Key | None] = {}
    depth: dict[Key | None, int] = {None: 0}
    for item in items:
        bound = [o for o in dict.fromkeys(item.operands) if o in above]
        if not bound and item.call.kind != "INPUT":
            continue
        fork: Key | None = bound[0] if bound else None
        for other in bound[1:]:
            fork = _common(fork, other, above, depth)
        whole = spread.get(item.results[0])
        if whole is not None:
            above[whole], depth[whole] = fork, depth[fork] + 1
            fork = whole
        for key in item.results:
            above[key] = fork
            depth[key] = depth[fork] + 1
    return {key: above.get(key) for key in by_key}


def _common(
    a: Key | None,
    b: Key | None,
    above: Mapping[Key, Key | None],
    depth: Mapping[Key | None, int],
) -> Key | None:
    while a != b:
        if depth[a] >= depth[b]:
            assert a is not None
            a = above[a]
        else:
            assert b is not None
            b = above[b]
    return a


def with_labels(chain: Chain, labels: Mapping[str, str], named: Container[str]) -> Chain:
    """A chain whose calls are labelled as a table says, by the paths of their layers.

    `named` are the paths of those that arguments name.
    """
    found: list[Step] = []
    for step in chain:
        if isinstance(step, Call):
            label = labels.get(step.path)
            found.append(replace(step, label=label, named=step.path in named))
            continue
        inner = tuple(with_labels(branch, labels, named) for branch in inner_chains(step))
        found.append(with_chains(step, inner))
    return tuple(found)

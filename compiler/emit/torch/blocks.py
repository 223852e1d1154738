"""Steps -> a tree of blocks: which scopes become classes, which chains, and which neither."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import takewhile

from .code import Code, Ref, call, operand
from .names import MOST_GAPS, is_place
from .sharing import Flow, with_shared_scopes
from .steps import Key, Path, Step, Steps, path_of


@dataclass(slots=True)
class Unit:
    """What a block computes at once: a step, or another block."""

    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    step: Step | None = None
    block: "Block | None" = None


@dataclass(slots=True)
class Block:
    """A scope that is called as a whole.

    Attributes:
        path: Its path.
        units: What it computes, in order.
        inputs, outputs: What it takes and gives.
        chain: Of a chain, the modules by place; None of a class.
        names: Of a chain, what its modules are called, where these are no numbers.
    """

    path: Path
    units: list[Unit]
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    chain: list[Unit | None] | None = None
    names: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator["Block"]:
        """All blocks in it and itself, inner ones first."""
        for unit in self.units:
            if unit.block is not None:
                yield from unit.block.blocks()
        yield self


@dataclass(slots=True)
class _Group:
    """Steps of one scope at a level; a single step has no path."""

    indices: list[int]
    path: Path | None = None


def root_block(found: Steps) -> Block:
    """The tree of a network's blocks."""
    steps, called = with_shared_scopes(found)
    root = _Tree(steps).root()
    blocks = {".".join(block.path): (block.inputs, block.outputs) for block in root.blocks()}
    if any(blocks.get(path) != ends for path, ends in called.items()):
        return _Tree(found).root()  # a scope that others share is not called as a whole
    return root


class _Tree:
    def __init__(self, found: Steps) -> None:
        self.found = found
        self.steps = found.steps
        flow = Flow.of(found)
        self.producer, self.readers, self.fetched = flow.producer, flow.readers, flow.fetched
        self._ends = flow.ends
        self.learned = {
            ref
            for step in found.steps
            for ref in step.refs
            if step.learned or ref not in found.modules
        }
        scopes = {path_of(ref)[:end] for ref in self.learned for end in range(ref.count(".") + 1)}
        self.places = [_within(step.place, scopes) for step in found.steps]

    def root(self) -> Block:
        """The block of the whole network."""
        inputs, outputs = (tuple(t.values()) for t in (self.found.inputs, self.found.outputs))
        return self.block((), list(range(len(self.steps))), inputs, outputs)

    def block(
        self, path: Path, indices: list[int], inputs: tuple[Key, ...], outputs: tuple[Key, ...]
    ) -> Block:
        """The block of a scope."""
        units = self._ordered(self._level(path, indices))
        return Block(path, units, inputs, outputs)

    def _level(self, path: Path, indices: list[int]) -> list[_Group]:
        """The steps of a scope, those that are called together as one."""
        groups = self._split(path, indices)
        pending = [group for group in groups if group.path is not None]
        while pending:
            group = pending.pop(0)
            assert group.path is not None
            self._absorb(group, groups)
            if not self._is_called(group, groups):
                place = groups.index(group)
                inner = self._split(group.path, group.indices)
                groups[place : place + 1] = inner
                pending = [*(g for g in inner if g.path is not None), *pending]
        return groups

    def _split(self, path: Path, indices: list[int]) -> list[_Group]:
        groups: dict[Path | int, _Group] = {}
        depth = len(path)
        for i in indices:
            place = self.places[i]
            if len(place) > depth and place[:depth] == path:
                inner = place[: depth + 1]
                groups.setdefault(inner, _Group([], inner)).indices.append(i)
            else:
                groups[i] = _Group([i])
        return list(groups.values())

    def _is_called(self, group: _Group, groups: list[_Group]) -> bool:
        """Whether a scope is a block of its own."""
        assert group.path is not None
        named = [r for i in group.indices for r in self.steps[i].refs if self._is_learned(r)]
        if not named or self._between(group, groups):
            return False
        inputs, outputs = self._ends(group.indices)
        if not inputs or not outputs:
            return False
        labels = self._labels(group)
        if all(map(is_place, labels)):
            return self._chained(group, inputs, outputs) is not None
        alone = len(group.indices) == 1 and len(labels) == 1
        return not (alone and self.steps[group.indices[0]].learned)

    def _is_learned(self, ref: str) -> bool:
        return ref in self.learned

    def _labels(self, group: _Group) -> list[str]:
        """What is directly in a scope by name, in order."""
        assert group.path is not None
        depth = len(group.path)
        found: dict[str, None] = {}
        for i in group.indices:
            for ref in self.steps[i].refs:
                path = path_of(ref)
                if path[:depth] == group.path and len(path) > depth and self._is_learned(ref):
                    found[path[depth]] = None
        return list(found)

    def _between(self, group: _Group, groups: list[_Group]) -> list[_Group]:
        """The groups on paths that leave a group and come back."""
        owner = {i: g for g in groups for i in g.indices}
        after = self._closure(group, owner, forward=True)
        before = self._closure(group, owner, forward=False)
        ids = {id(g) for g in before}
        return [g for g in after if id(g) in ids and g is not group]

    def _closure(self, group: _Group, owner: Mapping[int, _Group], forward: bool) -> list[_Group]:
        found: dict[int, _Group] = {}
        pending = [group]
        while pending:
            current = pending.pop()
            for other in self._neighbours(current, owner, forward):
                if id(other) not in found and other is not group:
                    found[id(other)] = other
                    pending.append(other)
        return list(found.values())

    def _neighbours(
        self, group: _Group, owner: Mapping[int, _Group], forward: bool
    ) -> Iterator[_Group]:
        for i in group.indices:
            if forward:
                others = [r for key in self.steps[i].outputs for r in self.readers[key]]
            else:
                others = [self.producer[k] for k in self.steps[i].inputs if k in self.producer]
            for other in others:
                if other in owner and owner[other] is not group:
                    yield owner[other]

    def _absorb(self, group: _Group, groups: list[_Group]) -> None:
        """Take steps without weights into a scope that they lie within, or at the ends of."""
        between = self._between(group, groups)
        if between and all(self._is_free(g, group) for g in between):
            for other in between:
                self._take(group, other, groups)
        labels = self._labels(group)
        if not labels or not all(map(is_place, labels)):
            return
        self._shed(group, groups, int(labels[0]))
        for _ in range(int(labels[0]) - self._leading(group)):
            if (preceding := self._preceding(group, groups)) is not None:
                self._take(group, preceding, groups)
        while (following := self._following(group, groups)) is not None:
            self._take(group, following, groups)

    def _is_free(self, other: _Group, group: _Group) -> bool:
        """Whether a group can move into a scope: it has nothing with a name."""
        assert group.path is not None
        return all(
            self.places[i] == group.path[:-1]
            and not self.steps[i].learned
            and not any(ref not in self.found.modules for ref in self.steps[i].refs)
            for i in other.indices
        )

    def _following(self, group: _Group, groups: list[_Group]) -> _Group | None:
        """The activation, or the like, that alone follows a chain."""
        _, outputs = self._ends(group.indices)
        if len(outputs) != 1 or outputs[0] in self.fetched:
            return None
        readers = [r for r in self.readers[outputs[0]] if r not in group.indices]
        if len(readers) != 1 or any(r in group.indices for r in self.readers[outputs[0]]):
            return None
        step = self.steps[readers[0]]
        owner = next((g for g in groups if g.path is None and readers[0] in g.indices), None)
        is_free = owner is not None and self._is_free(owner, group)
        return owner if is_free and step.follows and len(step.inputs) == 1 else None

    def _leading(self, group: _Group) -> int:
        """How many steps without names a scope starts with."""
        return sum(1 for _ in takewhile(partial(self._is_direct, group.path), group.indices))

    def _is_direct(self, path: Path | None, i: int) -> bool:
        """Whether a step without names is right in a scope."""
        named = any(self._is_learned(ref) for ref in self.steps[i].refs)
        return self.places[i] == path and not named

    def _shed(self, group: _Group, groups: list[_Group], room: int) -> None:
        """Leave the steps before a chain's first module outside, as far as it has no room."""
        assert group.path is not None
        while self._leading(group) > room or (
            self._leading(group) and self.steps[group.indices[0]].definition is None
        ):
            first = group.indices.pop(0)
            self.places[first] = group.path[:-1]
            groups.append(_Group([first]))

    def _preceding(self, group: _Group, groups: list[_Group]) -> _Group | None:
        """What alone leads to a chain, and may be a part of it."""
        inputs, _ = self._ends(group.indices)
        if len(inputs) != 1 or inputs[0] not in self.producer or inputs[0] in self.fetched:
            return None
        source = self.producer[inputs[0]]
        if any(r not in group.indices for r in self.readers[inputs[0]]):
            return None
        owner = next((g for g in groups if g.path is None and source in g.indices), None)
        step = self.steps[source]
        is_free = owner is not None and self._is_free(owner, group)
        return owner if is_free and step.follows and len(step.inputs) == 1 else None

    def _take(self, group: _Group, other: _Group, groups: list[_Group]) -> None:
        assert group.path is not None
        groups.remove(other)
        group.indices = sorted([*group.indices, *other.indices])
        for i in other.indices:
            self.places[i] = group.path

    def _chained(
        self, group: _Group, inputs: tuple[Key, ...], outputs: tuple[Key, ...]
    ) -> Block | None:
        """The block of a scope with numbers for names, if it is a chain."""
        assert group.path is not None
        kept = list(self.places)
        block = self.block(group.path, group.indices, inputs, outputs)
        self._number(block)
        if block.chain is None:
            self.places = kept
            return None
        return block

    def _number(self, block: Block) -> None:
        """Find the places of a chain's modules, with gaps where numbers are left out."""
        if not self._is_chain(block):
            return
        depth = len(block.path)
        chain: list[Unit | None] = []
        labels = [self._label(unit, depth) for unit in block.units]
        for place, (unit, label) in enumerate(zip(block.units, labels, strict=True)):
            if label is None:
                following = next((n for n in labels[place:] if n is not None), None)
                if following is not None and len(chain) >= int(following):
                    return
            elif not is_place(label) or not 0 <= int(label) - len(chain) <= MOST_GAPS:
                return
            else:
                # What has no weights comes right after what it follows, gaps after it.
                chain += [None] * (int(label) - len(chain))
            chain.append(unit)
        block.chain = chain

    def _label(self, unit: Unit, depth: int) -> str | None:
        """What a unit is called in its scope; None where it has no weights."""
        if unit.block is not None:
            return unit.block.path[depth] if len(unit.block.path) == depth + 1 else "?"
        assert unit.step is not None
        if not unit.step.learned:
            return None
        path = path_of(unit.step.refs[0])
        return path[depth] if len(path) == depth + 1 else "?"

    def _is_chain(self, block: Block) -> bool:
        """Whether each unit is a module of what comes before it alone."""
        if len(block.inputs) != 1 or len(block.outputs) != 1:
            return False
        key = block.inputs[0]
        for unit in block.units:
            if unit.inputs != (key,) or len(unit.outputs) != 1 or not _is_module(unit):
                return False
            key = unit.outputs[0]
        return key == block.outputs[0]

    def _named(self, block: Block) -> None:
        """A chain of modules that are all called by one word and a number is one, too."""
        if block.chain is not None or not block.path or not self._is_chain(block):
            return
        depth = len(block.path)
        labels = [self._label(unit, depth) for unit in block.units]
        names = [label for label in labels if label is not None]
        words = {name.rstrip("0123456789") for name in names}
        numbers = [name[len(name.rstrip("0123456789")) :] for name in names]
        if len(names) < max(len(labels), 2) or len(words) != 1 or not all(numbers):
            return
        if all(unit.block is not None for unit in block.units):
            block.chain, block.names = list(block.units), names

    def _ordered(self, groups: list[_Group]) -> list[Unit]:
        """Units in an order in which each comes after what it takes, else as in the graph."""
        owner = {i: place for place, g in enumerate(groups) for i in g.indices}
        before: list[set[int]] = [set() for _ in groups]
        after: list[set[int]] = [set() for _ in groups]
        for place, group in enumerate(groups):
            for i in group.indices:
                for key in self.steps[i].inputs:
                    source = owner.get(self.producer.get(key, -1))
                    if source is not None and source != place:
                        before[place].add(source)
                        after[source].add(place)
        ready = [(min(g.indices), n) for n, g in enumerate(groups) if not before[n]]
        heapify(ready)
        units: list[Unit] = []
        while ready:
            _, place = heappop(ready)
            units.append(self._unit(groups[place]))
            for other in after[place]:
                before[other].discard(place)
                if not before[other]:
                    heappush(ready, (min(groups[other].indices), other))
        assert len(units) == len(groups), "scopes that are called are convex"
        return units

    def _unit(self, group: _Group) -> Unit:
        if group.path is None:
            (i,) = group.indices
            return Unit(self.steps[i].inputs, self.steps[i].outputs, step=self.steps[i])
        inputs, outputs = self._ends(group.indices)
        block = self.block(group.path, group.indices, inputs, outputs)
        labels = self._labels(group)
        if all(map(is_place, labels)):
            self._number(block)
        else:
            self._named(block)
        return Unit(inputs, outputs, block=block)


def _within(place: Path, scopes: set[Path]) -> Path:
    """The innermost scope around a step that holds something with a name."""
    while place and place not in scopes:
        place = place[:-1]
    return place


def _is_module(unit: Unit) -> bool:
    """Whether a unit is a module of one tensor."""
    if unit.block is not None:
        return True
    step = unit.step
    assert step is not None
    if step.definition is None:
        return False
    if not step.learned:
        return True
    return step.expression == call(Code((Ref(step.refs[0]),)), operand(0))

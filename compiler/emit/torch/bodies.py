"""A block as the body of a class: its members by name, and what `forward` computes with them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .blocks import Block, Unit
from .code import Code, Group, Keyword, Number, Part, Ref, call, code, listed, mapped, operand, walk
from .names import numbered
from .steps import Path, Steps, path_of

Local = tuple[int, int]  # a line and which of its results; line -1 is an argument
ARGUMENT = -1
Change = Callable[[Part], Code | None]  # what stands in the place of a part; None leaves it


@dataclass(frozen=True, slots=True)
class Member:
    """What a class holds: `module`, `parameter`, `state`, `buffer` or `series`, by its path."""

    path: Path
    kind: str
    construction: Code


@dataclass(frozen=True, slots=True)
class Line:
    """What `forward` computes at once, of local values."""

    expression: Code
    inputs: tuple[Local, ...]
    results: int
    heavy: bool
    layer: str


@dataclass(slots=True)
class Body:
    """The body of a class.

    Attributes:
        members: In the order of their use.
        lines: In order.
        arguments: How many tensors `forward` takes.
        outputs: What it returns.
    """

    members: list[Member] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    arguments: int = 1
    outputs: tuple[Local, ...] = ()

    @property
    def is_series(self) -> bool:
        """Whether the lines are one turn of a loop over all members."""
        return any(member.kind == "series" for member in self.members)

    def skeleton(self) -> tuple[object, ...]:
        """What classes of one structure share: all but the numbers."""
        return (
            tuple((m.path, m.kind, masked(m.construction)) for m in self.members),
            tuple((masked(line.expression), line.inputs, line.results) for line in self.lines),
            self.arguments,
            self.outputs,
        )

    def codes(self) -> Iterator[Code]:
        """All expressions, constructions first."""
        for member in self.members:
            yield member.construction
        for line in self.lines:
            yield line.expression

    def numbers(self) -> list[Number]:
        """All numbers that may differ, in order."""
        return [n for expression in self.codes() for n in numbers_of(expression)]

    def mapped(self, in_members: Change, in_lines: Change) -> "Body":
        """The body with parts of its expressions replaced."""
        members = [
            replace(m, construction=mapped(m.construction, in_members)) for m in self.members
        ]
        lines = [replace(o, expression=mapped(o.expression, in_lines)) for o in self.lines]
        return replace(self, members=members, lines=lines)

    def without(self, place: int) -> "Body | None":
        """The body without a member that one line alone calls: its result is its operand."""
        member = self.members[place]
        name = ".".join(member.path)
        users = [
            i
            for i, line in enumerate(self.lines)
            if any(isinstance(p, Ref) and p.path == name for p in walk(line.expression))
        ]
        if member.kind != "module" or len(users) != 1:
            return None
        (gone,) = users
        line = self.lines[gone]
        if line.expression != call(Code((Ref(name),)), operand(0)) or line.results != 1:
            return None
        (source,) = line.inputs

        def moved(local: Local) -> Local:
            if local == (gone, 0):
                local = source
            return (local[0] - (local[0] > gone), local[1])

        lines = [
            replace(o, inputs=tuple(map(moved, o.inputs)))
            for i, o in enumerate(self.lines)
            if i != gone
        ]
        members = [m for i, m in enumerate(self.members) if i != place]
        return Body(members, lines, self.arguments, tuple(map(moved, self.outputs)))


def numbers_of(expression: Code) -> Iterator[Number]:
    """The numbers of an expression, in order."""
    for part in walk(expression):
        if isinstance(part, Number):
            yield part
        elif isinstance(part, Keyword):
            yield part.value


def masked(expression: Code) -> Code:
    """An expression without its numbers."""

    def change(part: Part) -> Code | None:
        if isinstance(part, Number):
            return Code((Number(None, ""),))
        if isinstance(part, Keyword):
            return Code((Keyword(part.name, Number(None, ""), None),))
        return None

    return mapped(expression, change)


class Constructions:
    """How the modules of a network are constructed, once the classes of inner blocks are known."""

    def __init__(self, found: Steps) -> None:
        self.found = found
        self.calls: dict[Path, Code] = {}  # of classes, by the block's path

    def of_block(self, block: Block) -> Code:
        """A block's construction."""
        if block.chain is None:
            return self.calls[block.path]
        items = [
            call("nn.Identity") if unit is None else self._of_unit(unit) for unit in block.chain
        ]
        if block.names:
            return _named_chain(block.names, items)
        return Code(("nn.Sequential", Group(tuple(repeated(items)))))

    def _of_unit(self, unit: Unit) -> Code:
        if unit.block is not None:
            return self.of_block(unit.block)
        assert unit.step is not None
        assert unit.step.definition is not None
        return unit.step.definition

    def body(self, block: Block) -> Body:
        """The body of the class of a block."""
        return _BodyBuilder(self, block).built()


class _BodyBuilder:
    def __init__(self, constructions: Constructions, block: Block) -> None:
        self.constructions, self.block = constructions, block
        self.found = constructions.found
        self.body = Body(arguments=len(block.inputs))
        self.inner = {u.block.path: u.block for u in block.units if u.block is not None}
        self.held: set[Path] = set()
        depth = len(block.path)
        self.taken: set[str] = {p[depth] for p in self._learned_paths()}

    def _learned_paths(self) -> Iterator[Path]:
        for unit in self.block.units:
            if unit.block is not None:
                yield unit.block.path
            elif unit.step is not None:
                for ref in unit.step.refs:
                    if unit.step.learned or ref not in self.found.modules:
                        yield path_of(ref)

    def built(self) -> Body:
        """The body."""
        places = {key: (ARGUMENT, i) for i, key in enumerate(self.block.inputs)}
        for number, unit in enumerate(self.block.units):
            expression = self._expression(unit)
            inputs = tuple(places[key] for key in unit.inputs)
            places |= {key: (number, i) for i, key in enumerate(unit.outputs)}
            heavy = unit.block is not None or (unit.step is not None and unit.step.heavy)
            layer = (
                ".".join(unit.block.path) if unit.block else unit.step.layer if unit.step else ""
            )
            self.body.lines.append(Line(expression, inputs, len(unit.outputs), heavy, layer))
        self.body.outputs = tuple(places[key] for key in self.block.outputs)
        return self.body

    def _expression(self, unit: Unit) -> Code:
        """What a unit computes, with members named by their paths in the class."""
        depth = len(self.block.path)
        if unit.block is not None:
            name = ".".join(unit.block.path[depth:])
            self._hold(unit.block.path, "module", self.constructions.of_block(unit.block))
            return call(Code((Ref(name),)), *map(operand, range(len(unit.inputs))))
        assert unit.step is not None
        step = unit.step

        def change(part: Part) -> Code | None:
            return (
                Code((Ref(self._member(part.path, step.learned)),))
                if isinstance(part, Ref)
                else None
            )

        return mapped(step.expression, change)

    def _member(self, ref: str, learned: bool) -> str:
        """What a module or tensor is called in the class, which holds it from now on."""
        depth, path = len(self.block.path), path_of(ref)
        if not learned and ref in self.found.modules:
            return self._nameless(ref)
        for end in range(depth + 1, len(path) + 1):
            if path[:end] in self.inner:
                return ".".join(path[depth:])
        owner = next(
            (
                path[:end]
                for end in range(depth + 1, len(path) + 1)
                if ".".join(path[:end]) in self.found.modules
            ),
            None,
        )
        if owner is None:
            kind, construction = self.found.tensors[ref]
            self._hold(path, kind, construction)
        else:
            self._hold(owner, "module", self.found.modules[".".join(owner)])
        return ".".join(path[depth:])

    def _nameless(self, ref: str) -> str:
        """What a module without weights is called: after its kind, numbered where it has to be."""
        stem = path_of(ref)[-1].rstrip("0123456789")
        name = next(n for n in numbered(stem) if n not in self.taken and n)
        self.taken.add(name)
        self._hold((*self.block.path, name), "module", self.found.modules[ref])
        return name

    def _hold(self, path: Path, kind: str, construction: Code) -> None:
        if path not in self.held:
            self.held.add(path)
            member = Member(path[len(self.block.path) :], kind, construction)
            self.body.members.append(member)


def repeated(items: Sequence[Code]) -> list[Code]:
    """Items of a chain, with three and more that are the same as a repetition."""
    found: list[Code] = []
    place = 0
    while place < len(items):
        count = 1
        while place + count < len(items) and items[place + count] == items[place]:
            count += 1
        if count > 2:
            found.append(repetition(items[place], count))
        else:
            found += items[place : place + count]
        place += count
    return found


def repetition(item: Code, count: int) -> Code:
    """`*(item for _ in range(count))`."""
    each = (item, code(f"for _ in range({count})"))
    return Code(("*", Group(each, "()", "generator")))


def _named_chain(names: Sequence[str], items: Sequence[Code]) -> Code:
    """A chain whose modules have names."""
    word = names[0].rstrip("0123456789")
    first = int(names[0][len(word) :])
    in_order = all(name == f"{word}{first + i}" for i, name in enumerate(names))
    if in_order and len(set(items)) == 1:
        count = f"range({len(names)})" if not first else f"range({first}, {first + len(names)})"
        pair = Code((Group((code(f'f"{word}{{i}}"'), items[0]), "()", "list"),))
        each = Code((Group((pair, code(f"for i in {count}")), "()", "generator"),))
        return call("nn.Sequential", Code(("OrderedDict", *each.parts)))
    pairs = [
        Code((Group((code(f'"{name}"'), item), "()", "list"),))
        for name, item in zip(names, items, strict=True)
    ]
    return call("nn.Sequential", call("OrderedDict", listed(pairs)))

"""Scopes of names: automatic names of layers, labels, bindings, and `let`s."""

import re
from collections import ChainMap, Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import PurePath
from typing import Any, NamedTuple

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, Pointer
from ...grammar.files import read_source
from ...grammar.records import record
from ...grammar.source import Source, Span
from ..ir.graph import Graph, Layer, Value
from .budget import Budget
from .recovery import POISON

Let = ast.LetStatement | ast.FunctionStatement
Named = ast.Target | ast.Label

DOT = r"\."
MOST_LOST = 100  # names that an error takes along, which each unknown name is compared with


@record
class Block:
    """A block's definition, the file that it is in, and the labels that its body gives."""

    statement: ast.BlockStatement
    home: "Home"
    labels: frozenset[str]

    @property
    def start(self) -> int:
        """Where it stands: the file's defaults hold in it that were set before."""
        return self.statement.span.start


@record
class Default:
    """What a `default` statement sets for a layer: arguments by name, and where it stands.

    `r.CONV` is the layer in the blocks of an import.
    """

    layer: str
    arguments: Mapping[str, Any]
    start: int


class Passage(NamedTuple):
    """What comes into a step, what comes out of it, and the layers that it adds, in their order."""

    came: tuple[Value, ...]
    went: tuple[Value, ...]
    layers: range


@dataclass(eq=False)
class Home:
    """What a file defines for its own statements and blocks.

    Attributes:
        source: The file's text.
        lets: Compile-time values of the top level, imported ones among them.
        blocks: Blocks, imported ones among them.
        defaults: What `default` statements set, in order.
        merged: The merged regions by layer, place and number of statements, as far as was asked.
        sizes: How many layers each block has at least, as far as that was computed.
        budget: How many items of lists may be computed, in all files of the program.
        files: The program's imported files by path, each read once.
        places: Where each `let` was given, in this file or the one that it comes from.
        warnings: What was found in all files of the program.
        graph: What the program was lowered to so far, with the tensors that labels name.
        lost: Patterns of the names that errors kept the program from giving.
        trace: What each step of the program did, each time, by its place; None if unused.
        read: Reads an imported file; editors have texts that are not saved yet.
    """

    source: Source
    lets: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    defaults: list[Default] = field(default_factory=list)
    merged: dict[tuple[str, int | None, int], dict[str, Any]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    files: "dict[str, Home]" = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)
    graph: Graph = field(default_factory=lambda: Graph(""))
    lost: dict[str, re.Pattern[str]] = field(default_factory=dict)
    trace: dict[Span, list[Passage]] | None = None
    read: Callable[[str], Source] = read_source

    def lose(self, patterns: Iterable[str]) -> None:
        """Let names stand for what was not computed, so that uses of them are not reported."""
        for each in patterns:
            if each not in self.lost and len(self.lost) <= MOST_LOST:
                self.lost[each] = re.compile(each)

    def lacks(self, name: str) -> bool:
        """Whether an error kept the program from giving a name, as any name after many."""
        many = len(self.lost) > MOST_LOST
        return many or any(pattern.fullmatch(name) for pattern in self.lost.values())

    def warn_of_hidden(self, name: str, kind: str, *, kept: Span, hidden: Span) -> None:
        """Warn that a name of an import means something else here, unless both are the same."""
        if kept != hidden and not is_private(name):
            file = PurePath(hidden.source.name).stem
            self.warnings.append(
                Diagnostic(
                    "W109",
                    f"the {kind} `{name}` hides another {kind} of that name",
                    kept,
                    also=(Pointer(hidden, "which is hidden"),),
                    help=f"import its file with `as {file}`, and it is `{file}.{name}`",
                )
            )


@dataclass(eq=False)
class Scope:
    """A region of names: the top level, a block's call, a turn of a labelled repetition.

    Attributes:
        prefix: What precedes names in here: empty, or `layer1.0.`.
        parent: The region around, whose names are visible in here, too; a block's call has none.
        reserved: Labels, which automatic names skip.
        home: The file whose `let`s and blocks are visible.
        defaults_before: In a block, where it starts: defaults that are set later do not hold.
        counts: How many automatic names of each kind were given.
        lets: Compile-time values.
        bindings: Values that `x = chain` bound, and what comes in.
        is_turn: Whether it is a turn of a repetition that opens no scope.
    """

    prefix: str
    parent: "Scope | None"
    reserved: frozenset[str]
    home: Home
    defaults_before: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    lets: dict[str, Any] = field(default_factory=dict)
    bindings: dict[str, Value] = field(default_factory=dict)
    is_turn: bool = False

    @property
    def recurs(self) -> bool:
        """Whether what stands here would give the same names in each turn of a repetition."""
        same = takewhile(lambda region: region.prefix == self.prefix, self.outwards())
        return any(region.is_turn for region in same)

    @property
    def path(self) -> str:
        """The path of what opened the region; empty at the top level."""
        return self.prefix.removesuffix(".")

    def child(self, name: str) -> "Scope":
        """The region that a labelled turn opens: names in it start with its label."""
        prefix = f"{self.prefix}{name}."
        return Scope(prefix, self, self.reserved, self.home, self.defaults_before)

    def region(self, *, is_turn: bool = False) -> "Scope":
        """A region for its own `let`s, whose layers are named as those around it."""
        around = self.reserved, self.home, self.defaults_before, self.counts
        return Scope(self.prefix, self, *around, is_turn=is_turn)

    def carry(self, values: Sequence[Value]) -> None:
        """Let `in` be the tensor that comes into the region, where it is one."""
        if len(values) == 1:
            self.bindings["in"] = values[0]

    def automatic_name(self, kind: str, taken: Container[str]) -> str:
        """The next path for an unlabelled layer that no label has: `conv1`; inputs start bare."""
        while True:
            self.counts[kind] += 1
            count = self.counts[kind]
            name = kind if kind == "input" and count == 1 else f"{kind}{count}"
            path = self.prefix + name
            if name not in self.reserved and path not in taken:
                return path

    def outwards(self) -> Iterator["Scope"]:
        """This region and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def visible_names(self) -> Mapping[str, Any]:
        """What names mean in expressions: compile-time values and tensors; inner ones first."""
        regions = [names for scope in self.outwards() for names in (scope.lets, scope.bindings)]
        return ChainMap(*regions, self.home.lets)

    def find(self, name: str, span: Span | None = None) -> Value | None:
        """The tensor that a name means here, or None.

        With the place where it is used, an automatic name is warned of.
        """
        graph = self.home.graph
        for region in self.outwards():
            path = region.prefix + name
            value = region.bindings.get(name, graph.labels.get(path))
            if value is None:
                continue
            layer = graph.layers.get(path)
            unlabelled = layer is not None and not layer.labelled and name not in region.bindings
            if layer is not None and unlabelled and span is not None:
                self.home.warnings.append(automatic_name_used(name, layer, span))
            return value
        return POISON if self.home.lacks(name) else None

    def defaults(self, layer: str) -> Mapping[str, Any]:
        """Arguments of a layer that `default` statements set for what stands here.

        The same object where the same statements hold.
        """
        known, kept = self.home.defaults, self.home.merged
        key = (layer, self.defaults_before, len(known))
        if key not in kept:
            values: dict[str, Any] = {}
            for default in known:
                holds = self.defaults_before is None or default.start < self.defaults_before
                if default.layer == layer and holds:
                    values.update(default.arguments)
            kept[key] = values
        return kept[key]


def is_private(name: str) -> bool:
    """Whether a name is not for others: it may be unused, and stays in its file."""
    return name.startswith("_")


def labels_in(statements: Iterable[ast.Statement]) -> frozenset[str]:
    """All labels without holes, and all names of values, that statements give at any depth."""
    found: list[Named] = []
    _name_steps(_chains_of(statements, found), found)
    return frozenset(name for named in found for name, _ in target_names(named))


def given_by(step: ast.Step) -> Iterator[str]:
    """Patterns of the names that a step gives at any depth, and of those that start with them."""
    found: list[Named] = []
    _name_steps([ast.Chain((step,), span=step.item.span)], found)
    yield from map(pattern_of, found)


def pattern_of(named: Named) -> str:
    """The pattern of a label, computed or not, wherever it stands, and of what is below it."""
    if isinstance(named, ast.Label):
        parts = [_part_pattern(part) for part in named.parts]
    else:
        parts = ["|".join(re.escape(name) for name, _ in target_names(named))]
    return rf"(?:.*\.)?(?:{DOT.join(parts)})(?:\..*)?"


def _part_pattern(part: Sequence[str | ast.Expression]) -> str:
    """A part of a label: what is written before its first hole, and behind the last one.

    One wildcard alone stands for the rest, so that no name takes long to be compared.
    """
    holes = [place for place, piece in enumerate(part) if not isinstance(piece, str)]
    if not holes:
        return re.escape("".join(map(str, part)))
    before, behind = part[: holes[0]], part[holes[-1] + 1 :]
    return rf"{re.escape(''.join(map(str, before)))}\w*{re.escape(''.join(map(str, behind)))}"


def _name_steps(chains: list[ast.Chain], found: list[Named]) -> None:
    """Add what the steps of some chains name, at any depth."""
    while chains:
        for step in chains.pop().steps:
            if step.label is not None:
                found.append(step.label)
            match step.item:
                case ast.Group(branches):
                    chains.extend(branch.chain for branch in branches)
                case ast.Repeat(chain):
                    chains.append(chain)
                case ast.For(_, _, body):
                    chains.extend(_chains_of(body, found))
                case ast.If(_, then, otherwise):
                    chains.extend(_chains_of((*then, *(otherwise or ())), found))


def _chains_of(statements: Iterable[ast.Statement], found: list[Named]) -> list[ast.Chain]:
    """The chains of statements; the names that these give to values join those found."""
    chains: list[ast.Chain] = []
    for statement in statements:
        match statement:
            case ast.BindStatement(target, chain):
                found.append(target)
                chains.append(chain)
            case ast.OutputStatement(name, chain) if chain is not None:
                found.append(name)
                chains.append(chain)
            case ast.ChainStatement(chain):
                chains.append(chain)
    return chains


def let_names(statement: Let) -> Iterator[tuple[str, Span]]:
    """The names that a `let` gives, and where each stands."""
    if isinstance(statement, ast.FunctionStatement):
        yield statement.name, statement.name_span
    else:
        yield from target_names(statement.target)


def target_names(target: ast.Target | ast.Label) -> Iterator[tuple[str, Span]]:
    """The names that a binding gives, computed ones apart, and where each stands."""
    if isinstance(target, ast.NameTarget):
        yield target.id, target.span
    elif isinstance(target, ast.TupleTarget):
        for item in target.items:
            yield from target_names(item)
    elif target.literal is not None:
        yield target.literal, target.span


def automatic_name_used(name: str, layer: Layer, span: Span) -> Diagnostic:
    """A warning about a reference to a layer by a name that it did not get from the author."""
    own = name.rsplit(".", 1)[-1]
    assert layer.span is not None
    advice = f"label the layer: `{layer.span.text} as {own}`"
    return Diagnostic(
        "W102",
        f"`{name}` is an automatic name, and shifts when a layer is inserted",
        span,
        also=(Pointer(layer.span, "this layer"),),
        # A label within a repetition would be given twice.
        help="label the layer, and the repetition around it" if layer.turns else advice,
    )

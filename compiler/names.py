"""Scopes of names: automatic names of layers, labels, bindings, and `let`s."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..grammar import ast
from .graph import Value


@dataclass(eq=False)
class Scope:
    """A region of names: the top level, or one turn of a labelled repetition.

    Attributes:
        prefix: What stands before names in here: empty, or `layer1.0.`.
        parent: The region around, whose names are visible in here, too.
        reserved: Labels, which automatic names skip.
        lets: Compile-time values.
        bindings: Values that `x = chain` bound.
    """

    prefix: str
    parent: "Scope | None"
    reserved: frozenset[str]
    counts: Counter[str] = field(default_factory=Counter)
    lets: dict[str, Any] = field(default_factory=dict)
    bindings: dict[str, Value] = field(default_factory=dict)

    def child(self, name: str) -> "Scope":
        """The region that a labelled turn opens."""
        return Scope(f"{self.prefix}{name}.", self, self.reserved)

    def automatic_name(self, kind: str) -> str:
        """The next free path for an unlabelled layer: `conv1`, `conv2`; inputs start bare."""
        while True:
            self.counts[kind] += 1
            count = self.counts[kind]
            name = kind if kind == "input" and count == 1 else f"{kind}{count}"
            if name not in self.reserved:
                return self.prefix + name

    def outwards(self) -> Iterator["Scope"]:
        """This region and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def visible_lets(self) -> dict[str, Any]:
        """All compile-time values in reach; inner ones hide outer ones."""
        values: dict[str, Any] = {}
        for scope in reversed(list(self.outwards())):
            values.update(scope.lets)
        return values


def labels_in(statements: Iterable[ast.Statement]) -> frozenset[str]:
    """All labels without holes that statements give, at any depth."""
    found: set[str] = set()
    chains = [s.chain for s in statements if isinstance(s, _CHAINED) and s.chain is not None]
    while chains:
        for step in chains.pop().steps:
            if step.label is not None and step.label.literal is not None:
                found.add(step.label.literal)
            match step.item:
                case ast.Group(branches):
                    chains.extend(branches)
                case ast.Repeat(chain):
                    chains.append(chain)
    return frozenset(found)


_CHAINED = (ast.ChainStatement, ast.BindStatement, ast.OutputStatement)

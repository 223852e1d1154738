"""The paths of layers, from the names of their weights and operators."""

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ..ir.graph import Graph
from .recognition.recurrent import RESULT
from .recognition.trail import Weight, is_view
from .recognize import Recognized
from .roles import MADE_UP

_WEIGHT = re.compile(r"(.+)[./](weight|kernel|gamma|embeddings)(:\d+)?\Z")


@dataclass(eq=False)
class Paths:
    """Gives each layer a path of its own.

    Attributes:
        scopes: The path of the module that each operator is in, by what the model says.
        whole: The modules that are one layer.
    """

    scopes: Mapping[int, str]
    whole: frozenset[str]
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    taken: set[str] = field(default_factory=set)
    given: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, found: Recognized, needed: Container[int]) -> "Paths":
        """The paths of a graph whose layers are recognized, of those that are needed."""
        scopes: dict[int, str] = {}
        lenders: set[str] = set()  # the modules whose weights a layer has
        around: dict[int, list[str]] = {}
        for identifier, last in found.inside.items():
            around.setdefault(last, []).append(graph[identifier].scope)
        for identifier, node in graph.nodes():
            if node.row is None or identifier in found.inside or is_view(graph, identifier):
                continue
            match = found.get(identifier)
            named = None
            weight = match and match.weights.get("weight")
            if isinstance(weight, Weight):
                held = graph.producer(weight.value)
                named = _module(held.attributes["name"])
                if named in lenders:  # a layer that shares them is elsewhere
                    named = node.scope if node.scope not in lenders else named.rpartition(".")[0]
                elif named is not None:
                    lenders.add(named)
            if match is not None and named is None:
                named = _common([node.scope, *around.get(identifier, ())])
            scopes[identifier] = named or node.scope
        # What only moves axes is a layer nowhere, or a layer beside the one that it is for.
        users = Counter(
            scope
            for identifier, scope in scopes.items()
            if identifier in needed and graph[identifier].op_type not in ("Transpose", RESULT)
        )
        outer = {
            ".".join(parts[:count])
            for scope in users
            for parts in [scope.split(".")]
            for count in range(1, len(parts))
        }
        whole = frozenset(s for s, count in users.items() if s and count == 1 and s not in outer)
        return cls(scopes, whole, taken=set(graph.inputs))

    def path(self, identifier: int, kind: str) -> str:
        """The path of a layer; the same each time that it is asked for."""
        scope = self.scopes.get(identifier, "")
        if identifier not in self.given:
            if scope in self.whole and scope not in self.taken:
                self.taken.add(scope)
                self.given[identifier] = scope
            else:
                self.given[identifier] = self.fresh(kind, scope, inside=True)
        return self.given[identifier]

    def is_named(self, identifier: int) -> bool:
        """Whether the model names the layer."""
        return self.given.get(identifier) == self.scopes.get(identifier)

    def fresh(self, kind: str, scope: str, *, inside: bool = False) -> str:
        """An automatic path within a module, or beside a layer."""
        prefix = scope if inside else scope.rpartition(".")[0]
        while True:
            self.counts[prefix, kind] += 1
            name = f"{kind.lower()}{self.counts[prefix, kind]}"
            path = f"{prefix}.{name}" if prefix else name
            if path not in self.taken:
                self.taken.add(path)
                return path

    def of_parameter(self, name: str, identifier: int) -> str:
        """The path of a parameter that is a layer itself."""
        clean = ".".join(re.sub(r"\W", "_", part) or "_" for part in name.split("."))
        if MADE_UP.match(name) or clean in self.taken:
            return self.fresh("param", self.scopes.get(identifier, ""), inside=True)
        self.taken.add(clean)
        return clean


def _common(scopes: Sequence[str]) -> str:
    """The module that several are in."""
    paths = [scope.split(".") for scope in scopes]
    alike = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
    return ".".join(parts[0] for parts in alike)


def _module(name: str) -> str | None:
    """The module that a weight's name says it is of: `layer1.0.conv1`."""
    found = _WEIGHT.match(name)
    if found is None or MADE_UP.match(name):
        return None
    parts = re.split(r"[./]", found[1])
    return ".".join(re.sub(r"\W", "_", part) or "_" for part in parts)

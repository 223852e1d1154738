"""How much lists may hold in all, counted when they are computed."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...grammar import ast
from ...grammar.diagnostics import error
from ...grammar.limits import MAX_NESTING

MOST_ITEMS = 1_000_000
MOST_REMEMBERED = 10_000  # values of calls


class Content(NamedTuple):
    """How many items a list or size has, those of lists in it included, and how deep it nests."""

    items: int
    levels: int


@dataclass(eq=False)
class Budget:
    """How many items of lists and sizes a program may still compute.

    Lists that hold a list twice, and that twice, are small in memory and huge to walk, so each
    list counts with everything in it.

    Attributes:
        items: How many are left.
        measured: Lists of lists by identity, each with its content: it is held here, for an
            identity is free again when a list is gone.
        remembered: What calls of the program's functions yielded, by the identity of the function
            and its arguments; each with the function, for the same reason.
    """

    items: int = MOST_ITEMS
    measured: dict[int, tuple[Any, Content]] = field(default_factory=dict)
    remembered: dict[Hashable, tuple[Any, Any]] = field(default_factory=dict)

    def covers(self, items: int) -> bool:
        """Count the items of something that is computed; whether that many were left."""
        self.items -= items
        return self.items >= 0

    def spend(self, value: Any, blame: ast.Expression) -> Any:
        """Count a list or size that was computed or is walked, and return it.

        Raises:
            NetError: It nests too deep, or too many items were computed.
        """
        if not isinstance(value, list | tuple):
            return value
        content = self._measure(value)
        self.items -= content.items
        if content.levels > MAX_NESTING:
            message = f"a list nested more than {MAX_NESTING} levels deep"
            raise error("E402", message, blame.span)
        if self.items < 0:
            raise error("E404", "the lists of this program have too many items", blame.span)
        return value

    def work(self, effort: int, blame: ast.Expression) -> None:
        """Count what takes as long to compute as `effort` items of a list.

        Raises:
            NetError: E404, nothing is left.
        """
        if not self.covers(effort):
            raise error("E404", "the expressions of this program take too long", blame.span)

    def _measure(self, value: Any) -> Content:
        """What a list holds, in as many steps as it has items that no other list has."""
        found = self.measured.get(id(value))
        if found is not None:
            return found[1]
        nesting = {kind for kind in set(map(type, value)) if issubclass(kind, list | tuple)}
        if not nesting:
            return Content(len(value), 1)
        inner = [self._measure(item) for item in value if type(item) in nesting]
        items = len(value) + sum(content.items for content in inner)
        content = Content(items, 1 + max(content.levels for content in inner))
        self.measured[id(value)] = (value, content)
        return content

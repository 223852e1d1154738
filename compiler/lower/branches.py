"""`( a | b )`: parallel branches, as many as their clauses and conditions say."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ..expressions.checks import items_of, truth_of
from ..expressions.names import Scope
from ..expressions.recovery import POISON, poisoned
from ..ir.graph import Value
from .arity import MERGE
from .bindings import bind_target
from .items import evaluate_in, item, lower_chain
from .starts import starts_itself
from .state import Lowering, Site, Tensors


class _Turn(NamedTuple):
    """A branch in one turn of its clauses.

    Attributes:
        branch: The branch.
        scope: What names mean in it.
        place: Which turn of how many it is; None where it has no clause.
    """

    branch: ast.Branch
    scope: Scope
    place: tuple[int, int] | None

    def located(self, failure: NetError) -> NetError:
        """An error in it, with the branch that it is in."""
        first, *rest = failure.diagnostics
        if self.place is None or first.label:
            return failure
        index, count = self.place
        return NetError([replace(first, label=f"in branch {index + 1} of {count}"), *rest])


@item(ast.Group)
def group(state: Lowering, item: ast.Group, site: Site) -> Tensors:
    """Parallel branches: one tensor goes to each, or several go to one each.

    Raises:
        NetError: There are not as many branches as tensors, or none at all.
    """
    branches, current = item.branches, site.current
    if len(branches) == 1 and not item.is_computed:
        return lower_chain(state, branches[0].chain, current, site.scope, may_start=site.starts)
    turns = [turn for branch in branches for turn in _turns(state, branch, site.scope)]
    if poisoned(current):
        current = (POISON,)
    own = (starts_itself(turn.branch.chain, turn.scope.home) for turn in turns)
    if len(current) not in (1, len(turns)) and site.starts and all(own):
        current = current[:1]
    if len(current) > 1 and len(current) != len(turns):
        message = f"{len(current)} tensors meet {len(turns)} branches"
        raise error("E113", message, item.span, help=MERGE)
    dealt = [(value,) for value in current] if len(current) > 1 else [current] * len(turns)
    ends: list[Value] = []
    is_empty = True
    for turn, incoming in zip(turns, dealt, strict=True):
        test = turn.branch.condition
        if test is not None and not truth_of(evaluate_in(turn.scope, test), test):
            continue
        is_empty = False
        frames = state.frames
        state.frames = (*frames, turn.located)
        ends.extend(lower_chain(state, turn.branch.chain, incoming, turn.scope))
        state.frames = frames
    if is_empty:
        help = "`ID` is the branch that does nothing"
        raise error("E113", "no branch is left here", item.span, help=help)
    return tuple(ends)


def _turns(state: Lowering, branch: ast.Branch, scope: Scope) -> Iterator[_Turn]:
    """A branch for each turn of its clauses; later ones turn within earlier ones."""
    scopes = [scope]
    for clause in branch.clauses:
        scopes = [inner for outer in scopes for inner in _regions(state, clause, outer)]
    for index, inner in enumerate(scopes):
        yield _Turn(branch, inner, (index, len(scopes)) if branch.clauses else None)


def _regions(state: Lowering, clause: ast.Clause, scope: Scope) -> Sequence[Scope]:
    """The region of each turn of a clause whose conditions hold; its names have their values."""
    found = []
    for value in items_of(evaluate_in(scope, clause.iterable), clause.iterable):
        state.spend(clause.span)
        inner = scope.region(is_turn=True)
        bind_target(clause.target, value, inner.lets.__setitem__, clause.iterable)
        if all(truth_of(evaluate_in(inner, test), test) for test in clause.conditions):
            found.append(inner)
    return found

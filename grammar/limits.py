"""Limits against hostile or mistaken text, and the walks that hold a syntax tree to them.

Everything after the parser may recurse over a tree, so no tree may be deep. Brackets are counted
as its tokens are read (`lexing/`). What nests without brackets is counted here: the
operators of an expression (`1 + 1 + ...` is a tree as deep as it is long) and `else if`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from .ast import (
    Apply,
    Attribute,
    Binary,
    Choice,
    Clause,
    Comparison,
    Comprehension,
    Expression,
    For,
    Group,
    If,
    Index,
    Item,
    ListOf,
    Repeat,
    Slice,
    Statement,
    Template,
    TupleOf,
    Unary,
)
from .diagnostics import error

MAX_TEXT = 10 * 2**20  # bytes
MAX_TOKENS = 200_000  # comments apart; more where more layers are allowed
TOKENS_PER_LAYER = 20
MAX_STRING = 10_000  # characters
MAX_LINES = 500_000  # comments and empty ones included
MAX_NESTING = 100  # levels, of brackets, of an expression's tree, and of `else if`
MAX_CLAUSES = 10  # of a comprehension
MAX_CALL_LEVELS = 50  # of the expressions in calls of functions that call functions
MAX_INTEGER = 2**63 - 1  # what an int64 holds, and with it every extent and count


def _computed(clause: Clause) -> tuple[Expression, ...]:
    return (clause.iterable, *clause.conditions)


_OPERANDS: dict[type, Callable[[Any], Iterable[Expression]]] = {
    Unary: lambda e: (e.operand,),
    Binary: lambda e: (e.left, e.right),
    Comparison: lambda e: e.operands,
    Choice: lambda e: (e.condition, e.then, e.otherwise),
    Attribute: lambda e: (e.value,),
    Index: lambda e: (e.value, e.index),
    Slice: lambda e: (part for part in (e.value, e.start, e.stop) if part is not None),
    Apply: lambda e: (argument.value for argument in e.arguments),
    TupleOf: lambda e: e.items,
    ListOf: lambda e: e.items,
    Comprehension: lambda e: (e.item, *(part for c in e.clauses for part in _computed(c))),
    Template: lambda e: (part for part in e.parts if not isinstance(part, str)),
}


def check_expression(expression: Expression) -> None:
    """Refuse a whole expression whose tree is deeper than `MAX_NESTING`.

    Raises:
        NetError: E402.
    """
    if levels_of(expression) > MAX_NESTING:
        raise error(
            "E402",
            f"an expression of more than {MAX_NESTING} levels",
            expression.span,
            notes=["each operator of a chain such as `1 + 1 + 1` adds a level of nesting"],
            help="name a part of it with `let`, or use `sum([...])`",
        )


def levels_of(expression: Expression) -> int:
    """How deep an expression's tree is, counted up to the first level beyond `MAX_NESTING`."""
    deepest = 0
    pending = [(expression, 1)] if type(expression) in _OPERANDS else []
    while pending and deepest <= MAX_NESTING:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        below = depth + 1
        for operand in _OPERANDS[type(node)](node):
            if type(operand) in _OPERANDS:
                pending.append((operand, below))
    return deepest


def check_statements(statements: Iterable[Statement]) -> None:
    """Refuse statements in which brackets and `else if` together nest deeper than `MAX_NESTING`.

    Raises:
        NetError: E402.
    """
    pending = [(item, 1) for item in _items(statements)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_NESTING:
            raise error(
                "E402",
                f"steps nested more than {MAX_NESTING} levels deep",
                item.span,
                notes=["each `else if` adds a level of nesting"],
                help="move the inner steps to a block, or select from a list by an index",
            )
        below = depth + 1
        pending.extend((inner, below) for inner in _inner(item))


def _items(statements: Iterable[Statement]) -> Iterable[Item]:
    """The items of all chains in the statements, those of blocks' bodies included."""
    for statement in statements:
        yield from _items(getattr(statement, "body", ()))
        chain = getattr(statement, "chain", None)
        if chain is not None:
            yield from (step.item for step in chain.steps)


def _inner(item: Item) -> Iterable[Item]:
    """The items one level below an item."""
    match item:
        case Group(branches):
            return (step.item for branch in branches for step in branch.chain.steps)
        case Repeat(chain):
            return (step.item for step in chain.steps)
        case For(_, _, body):
            return _items(body)
        case If(_, then, otherwise):
            return _items((*then, *(otherwise or ())))
    return ()

"""A module's `assert` statements and its graph to diagnostics that name both sides' values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError
from ..expressions.arguments import spell
from ..expressions.evaluate import Environment, evaluate
from ..ir.graph import Graph
from .quantities import Quantities

# operator -> (how it fails to hold, the operator with its sides swapped)
COMPARISON_SIGNS: Mapping[str, tuple[str, str]] = {
    "==": ("not {0}", "=="),
    "!=": ("which it must not be", "!="),
    "<": ("not less than {0}", ">"),
    "<=": ("not at most {0}", ">="),
    ">": ("not more than {0}", "<"),
    ">=": ("not at least {0}", "<="),
}

LITERALS = (ast.Number, ast.Size, ast.String, ast.Boolean)


def check_assertions(
    module: ast.Module, graph: Graph, lets: Mapping[str, Any]
) -> tuple[Diagnostic, ...]:
    """Check all assertions of a module against its graph.

    Args:
        module: The syntax tree.
        graph: What it was lowered to, unoptimised.
        lets: Its compile-time values; they hide quantities of the same name.

    Returns:
        Warnings about the labels that assertions use.

    Raises:
        NetError: Assertions that do not hold or cannot be computed, all of them together.
    """
    network = Quantities(graph)
    environment = network.environment(lets)
    findings: list[Diagnostic] = []
    for statement in module.statements:
        if isinstance(statement, ast.AssertStatement):
            try:
                findings += _check(statement.condition, environment)
            except NetError as failure:
                findings += failure.diagnostics
    if findings:
        raise NetError(findings)
    return tuple(network.warnings)


def _check(condition: ast.Expression, environment: Environment) -> list[Diagnostic]:
    """Nothing where a condition holds, else what the smallest part says that does not."""
    if isinstance(condition, ast.Binary) and condition.operator == "and":
        left = _check(condition.left, environment)
        return left or _check(condition.right, environment)
    if isinstance(condition, ast.Comparison):
        for link in _links(condition):
            if not evaluate(link, environment):
                return [_unequal(link, condition, environment)]
        return []
    # `not` insists on a truth value, in the words of every other condition.
    negated = ast.Unary("not", condition, span=condition.span)
    if evaluate(negated, environment):
        return [Diagnostic("E301", f"{_source(condition)} does not hold", condition.span)]
    return []


def _links(chain: ast.Comparison) -> list[ast.Comparison]:
    """`a < b <= c` as `a < b` and `b <= c`."""
    return [
        replace(chain, operators=(sign,), operands=chain.operands[i : i + 2])
        for i, sign in enumerate(chain.operators)
    ]


def _unequal(
    link: ast.Comparison, condition: ast.Comparison, environment: Environment
) -> Diagnostic:
    """`params is 61_750, not 61_706 (44 more)`: a literal on the left changes sides."""
    (sign,), (subject, other) = link.operators, link.operands
    if isinstance(subject, LITERALS) and not isinstance(other, LITERALS):
        subject, other, sign = other, subject, COMPARISON_SIGNS[sign][1]
    found, wanted = evaluate(subject, environment), evaluate(other, environment)
    failing = COMPARISON_SIGNS[sign][0].format(shown(wanted))
    difference = _difference(found, wanted) if sign == "==" else ""
    message = f"{_source(subject)} is {shown(found)}, {failing}{difference}"
    return Diagnostic("E301", message, condition.span)


def shown(value: Any) -> str:
    """A value as messages show it: `61_706`, `28x28x6`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}"
    if isinstance(value, tuple) and len(value) > 1 and not all(isinstance(v, int) for v in value):
        return " x ".join(map(str, value))
    return spell(value)


def _difference(found: Any, wanted: Any) -> str:
    numbers = (found, wanted)
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        return ""
    return f" ({found - wanted:_} more)" if found > wanted else f" ({wanted - found:_} fewer)"


def _source(expression: ast.Expression) -> str:
    """An expression as the program spells it, on one line."""
    return " ".join(expression.span.text.split())

"""The table of regularizers: penalties on the weights of a graph that training adds to the loss."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY

from ...grammar.records import record
from ..expressions.arguments import Flag, NonNegativeReal
from ..ir.builder import Builder
from ..ir.graph import Value
from .lossdef import Formula
from .terms import Term, TermDef, TermTable
from .weights import regularized


@record
class RegularizerDef(TermDef):
    """A row of the table of regularizers.

    Its function is `function(build, weights, **arguments)`, the penalty on all weights as a scalar;
    of the arguments, `biases` is none of its own.

    Attributes:
        formula: How lectures write it and its derivative, by its arguments.
    """

    _: KW_ONLY
    formula: Callable[..., Formula]

    def written(self, term: Term) -> Formula:
        """The penalty of a term, as lectures write it."""
        return self.formula(**self.settled(term.arguments))


def _of_all(*, biases: Flag = False) -> None:
    """What every regularizer takes: whether it is about biases, too."""


REGULARIZERS = TermTable("regularize", "regularizer", RegularizerDef, common=_of_all)


@REGULARIZERS.enter(
    "l1",
    numbers=("strength",),
    formula=lambda strength, **_: Formula(f"{strength:g} ∑ |w|", f"{strength:g} sign w"),
)
def l1(build: Builder, weights: Sequence[Value], *, strength: NonNegativeReal) -> Value:
    """Strength times the sum of |w|; its subgradient at 0 is 0."""
    sums = [build.ReduceSum(build.Abs(weight), keepdims=0) for weight in weights]
    return _scaled(build, sums, strength)


@REGULARIZERS.enter(
    "l2",
    numbers=("strength",),
    formula=lambda strength, **_: Formula(f"{strength:g}/2 ∑ w²", f"{strength:g} w"),
)
def l2(build: Builder, weights: Sequence[Value], *, strength: NonNegativeReal) -> Value:
    """Strength / 2 times the sum of w^2: under SGD PyTorch's `weight_decay` on these weights."""
    sums = [build.ReduceSum(build.Mul(weight, weight), keepdims=0) for weight in weights]
    return _scaled(build, sums, strength / 2)


def penalty(build: Builder, terms: Sequence[Term]) -> Value | None:
    """The sum of the penalties on the trainable weights of the builder's graph, as a scalar.

    Biases and the scales and shifts of normalizations are left alone where a term does not say
    `biases=yes`. The operators of each term have a scope of their own. None where there is no term,
    or no weight that one is about.
    """
    found: list[Value] = []
    scope = build.scope
    for number, term in enumerate(terms):
        build.scope = penalty_scope(scope, number)
        rule = REGULARIZERS[term.name]
        arguments = rule.settled(term.arguments)
        weights = regularized(build.graph, biases=arguments.pop("biases"))
        if weights:
            found.append(rule.function(build, list(weights.values()), **arguments))
    build.scope = scope
    if not found:
        return None
    return found[0] if len(found) == 1 else build.Sum(*found)


def penalty_scope(scope: str, number: int) -> str:
    """The scope of a penalty's operators, by its place among the terms."""
    return f"{scope}.regularize.{number}"


def _scaled(build: Builder, sums: Sequence[Value], factor: float) -> Value:
    """The sum of scalars times a factor."""
    total = sums[0] if len(sums) == 1 else build.Sum(*sums)
    return build.Mul(build.constant(factor, total.dtype), total)

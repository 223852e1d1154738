"""The table of regularizers: penalties on the weights of a graph that training adds to the loss."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from ..expressions.arguments import Flag, Kind, NonNegativeReal, kind_of
from ..ir.builder import Builder
from ..ir.graph import Value
from .lossdef import Formula
from .terms import Term
from .weights import regularized

Penalty = Callable[..., Value]


@dataclass(frozen=True, slots=True)
class RegularizerDef:
    """A row of the table of regularizers.

    Attributes:
        name: Its name in the language.
        function: `function(build, weights, **arguments)`, the penalty on all weights as a scalar;
            of the arguments, `biases` is none of its own.
        kinds: What each argument accepts, `biases` included.
        defaults: The arguments that may be left out.
        number: Which argument takes a positional number.
        formula: How lectures write it and its derivative, by its arguments.
    """

    name: str
    function: Penalty
    kinds: Mapping[str, Kind]
    defaults: Mapping[str, Any]
    number: str
    formula: Callable[..., Formula]

    def written(self, term: Term) -> Formula:
        """The penalty of a term, as lectures write it."""
        return self.formula(**{**self.defaults, **term.arguments})


REGULARIZERS: dict[str, RegularizerDef] = {}


def regularizer(
    name: str, *, number: str, formula: Callable[..., Formula]
) -> Callable[[Penalty], Penalty]:
    """Enter the decorated function into the table of regularizers."""

    def register(function: Penalty) -> Penalty:
        if name in REGULARIZERS:
            raise ValueError(f"regularizer {name} is defined twice")
        hints = get_type_hints(function, include_extras=True)
        signature = inspect.signature(function).parameters.values()
        arguments = [p for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY]
        kinds = {p.name: kind_of(hints[p.name]) for p in arguments}
        defaults = {p.name: p.default for p in arguments if p.default is not p.empty}
        REGULARIZERS[name] = RegularizerDef(
            name=name,
            function=function,
            kinds={**kinds, "biases": kind_of(Flag)},
            defaults={**defaults, "biases": False},
            number=number,
            formula=formula,
        )
        return function

    return register


@regularizer(
    "l1",
    number="strength",
    formula=lambda strength, **_: Formula(f"{strength:g} ∑ |w|", f"{strength:g} sign w"),
)
def l1(build: Builder, weights: Sequence[Value], *, strength: NonNegativeReal) -> Value:
    """Strength times the sum of |w|; its subgradient at 0 is 0."""
    sums = [build.ReduceSum(build.Abs(weight), keepdims=0) for weight in weights]
    return _scaled(build, sums, strength)


@regularizer(
    "l2",
    number="strength",
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
        arguments = {**rule.defaults, **term.arguments}
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

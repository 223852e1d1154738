"""Fixes of a call that is refused for what it is given: each is tried before it is offered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from ....grammar.diagnostics import NetError
from ...expressions.recovery import poisoned
from ..evaluated_call import EvaluatedCall
from ..state import Lowering, Site
from . import arguments, merges, tensors
from .case import Case, Fix, FixRule

MOST_TRIED = 12  # fixes of one rule
MOST_OFFERED = 2


def with_fix(failure: NetError, state: Lowering, call: EvaluatedCall, site: Site) -> NetError:
    """The failure of a call, with what fixes it as its help where something does.

    A help that it has already is kept.
    """
    first = failure.diagnostics[0]
    rules = WAY_RULES.get(first.code, ())
    within = first.span is not None and call.span.start <= first.span.start < call.span.end
    if not within or first.help is not None or poisoned(site.current):
        return failure
    blamed = next((a for a in call.given if a.span == first.span), None)
    case = Case(state, call, site, blamed)
    found = [fix.help for fix in filter(None, (_first(rule, case) for rule in rules))]
    return NetError([replace(first, help=_joined(found)), *failure.diagnostics[1:]])


def _joined(helps: Sequence[str]) -> str | None:
    """Several helps as one sentence, which says a verb that they share once."""
    first, *others = [*dict.fromkeys(helps)][:MOST_OFFERED] or [""]
    verb = first.partition("`")[0]
    for other in others:
        same = verb == other.partition("`")[0]
        first += f" or {other.removeprefix(verb)}" if same else f", or {other}"
    return first or None


def _first(rule: FixRule, case: Case) -> Fix | None:
    """The first of a rule's fixes that can be lowered where the call stands."""
    fixes = islice(rule(case), MOST_TRIED)
    return next((fix for fix in fixes if case.lowered(fix.chain) is not None), None)


def either(*rules: FixRule) -> FixRule:
    """The fixes of several rules as those of one."""
    return lambda case: chain.from_iterable(rule(case) for rule in rules)


# By code, the rules that are asked in turn; the first fix of each that does is offered.
WAY_RULES: Mapping[str, Sequence[FixRule]] = {
    "E101": (arguments.known_label,),
    "E103": (
        either(
            arguments.same_elements,
            arguments.within_input,
            arguments.up_to_the_end,
            arguments.nearest_number,
            arguments.without_refused,
        ),
    ),
    "E104": (arguments.without_argument,),
    "E105": (arguments.missing_number,),
    "E106": (either(arguments.general_spelling, arguments.without_argument),),
    "E117": (arguments.own_weights,),
    "E201": (
        tensors.picture,
        tensors.another_layer,
        tensors.laid_out,
        tensors.embedded,
        tensors.real_numbers,
        tensors.over_positions,
        tensors.known_extents,
        tensors.as_labelled,
        tensors.fewer_axes,
    ),
    "E202": (
        merges.another_axis,
        merges.smaller_branches,
        merges.larger_branches,
        merges.values_for_keys,
    ),
    "E203": (tensors.unstrided, tensors.smaller_kernel, tensors.padded),
    "E204": (tensors.dividing, tensors.divided),
}

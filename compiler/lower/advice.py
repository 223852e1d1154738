"""A call that is refused, and the call in netc's words that says what its author meant."""

from dataclasses import replace

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.parsing.parser import parse
from ...grammar.source import Source
from ...grammar.translation.call_text import ForeignArgument
from ...grammar.translation.calls import translated
from ...grammar.translation.recipes import ended, missing, own_name, recurrent, remarks
from ...grammar.translation.sketches import sketched_call
from ...grammar.translation.training_blocks import misplaced_setting
from ..expressions.binding import GivenArgument, bind
from ..expressions.evaluate import Environment, evaluate
from ..expressions.names import Scope
from ..expressions.recovery import POISON
from ..ir.graph import Value
from ..layers.layerdef import LAYERS
from .evaluated_call import EvaluatedCall

# What a call is refused for that other frameworks write in another way.
ADVISED_CODES = frozenset({"E101", "E102", "E103", "E104", "E105", "E110", "E113", "E201"})


def advised(
    failure: NetError, call: EvaluatedCall, current: tuple[Value, ...], scope: Scope
) -> NetError:
    """The failure of a call, with the corrected call as its help where there is one.

    Args:
        failure: What the call was refused with.
        call: The call.
        current: The tensors that meet it.
        scope: Where it stands, for the names in its arguments.
    """
    first = failure.diagnostics[0]
    within = first.span is not None and call.span.start <= first.span.start < call.span.end
    settled = first.code == "E104" and "write `" in (first.help or "")
    settled = settled and sketched_call(call.span.text) is None
    settled = settled or call.spelling in scope.home.blocks
    if first.code not in ADVISED_CODES or not within or settled or _is_bound(call, first.code):
        return failure
    written = [ForeignArgument(given.name, _text(given)) for given in call.given]
    from ...grammar.translation.python_networks import contained  # for refusals only

    inside = contained(call.spelling, call.span.text, starts=not current)
    help = ended(call.spelling, written) if current else None
    if first.code == "E101" and own_name(call.spelling) is None:
        help = help or misplaced_setting(call.span.source, call.span.start)
    unknown = None if call.spelling in LAYERS else missing(call.spelling, written)
    help = help or (inside.help if inside else unknown)
    if help is None:
        steps = (
            sketched_call(call.span.text)
            or recurrent(call.spelling, written)
            or translated(
                call.spelling,
                written,
                rank=_spatial_rank(current),
                starts=first.code == "E110",
                flows=first.code == "E113",
            )
        )
        if steps is None or _plain(steps) == _plain(call.span.text) or not _binds(steps, scope):
            return failure
        help = f"write `{steps}`{remarks(call.spelling, written)}"
    return NetError([replace(first, help=help), *failure.diagnostics[1:]])


def reworded(failure: NetError, call: ast.Call, *, starts: bool) -> NetError:
    """The failure of a call's arguments, with what the whole call says as its help, if it is known.

    Args:
        failure: What the arguments were refused with.
        call: The call.
        starts: Whether it starts a chain.
    """
    text = call.span.text
    from ...grammar.translation.python_networks import contained  # for refusals only

    inside, sketch = contained(call.name, text, starts=starts), sketched_call(text)
    if inside is not None:
        return error("E101", f"unknown layer `{call.name}`", call.span, help=inside.help)
    if sketch is None:
        return failure
    return NetError([replace(failure.diagnostics[0], help=f"write `{sketch}`")])


def _is_bound(call: EvaluatedCall, code: str) -> bool:
    """Whether a layer takes the arguments: then it is something else that it refuses."""
    if call.spelling not in LAYERS:
        return False
    if code == "E201":  # of a kernel such as 3x3x32, filters included
        return not any(isinstance(a.value, tuple) and len(a.value) == 3 for a in call.given)
    try:
        bind(LAYERS[call.spelling], call.given, call.name_span, call.spelling)
    except NetError:
        return False
    return True


def _text(given: GivenArgument) -> str:
    """An argument's value as its author wrote it."""
    text = given.span.text
    return text if given.name is None else text.partition("=")[2].strip()


def _plain(text: str) -> str:
    return text.replace(" ", "").removesuffix("()")


def _spatial_rank(current: tuple[Value, ...]) -> int:
    """How many spatial axes the input has; an image's where that is not known."""
    ranks = {value.type.rank - 2 for value in current if value is not POISON}
    return ranks.pop() if len(ranks) == 1 and ranks <= {1, 2, 3} else 2


def _binds(steps: str, scope: Scope) -> bool:
    """Whether every call of a chain names a layer and gives it arguments that it takes."""
    try:
        statement = parse(Source("<help>", f"value = value -> {steps}")).statements[0]
        assert isinstance(statement, ast.BindStatement)
        return all(_call_binds(step.item, scope) for step in statement.chain.steps[1:])
    except NetError:
        return False


def _call_binds(item: ast.Item, scope: Scope) -> bool:
    if isinstance(item, ast.Reference) and item.label.literal in LAYERS:
        bind(LAYERS[item.label.literal], (), item.span, item.label.literal)
    if not isinstance(item, ast.Call):
        return True
    environment = Environment(scope.visible_names(), words=True)
    given = [GivenArgument(a.name, evaluate(a.value, environment), a.span) for a in item.arguments]
    bind(LAYERS[item.name], given, item.span, item.name)
    return item.name in LAYERS

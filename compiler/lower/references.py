"""Steps that name something: layers, blocks, values; and parallel branches."""

from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ..expressions.arguments import Word
from ..expressions.binding import GivenArgument
from ..expressions.evaluate import LITERALS
from ..expressions.evaluate import label_text as spelled_label
from ..ir.graph import Value
from ..layers.layerdef import LAYERS
from .blocks import call_block
from .calls import OPERATOR, call_layer
from .evaluated_call import EvaluatedCall
from .items import evaluate_in, item, label_text
from .state import Lowering, Site, Tensors


@item(ast.Reference)
def reference(state: Lowering, item: ast.Reference, site: Site) -> Tensors:
    """A bare word: a layer or block without arguments, or a value that starts the chain."""
    name = label_text(item.label, site.scope)
    is_call = name in LAYERS or name in site.scope.home.blocks
    value = None if is_call else site.scope.find(name, item.span)
    if value is None:
        call = state.evaluated.get(id(item))
        if call is None or call.spelling != name:
            call = state.evaluated[id(item)] = EvaluatedCall(name, (), item.span, item.span)
        return _call(state, call, site)
    if not site.starts:
        raise error(
            "E111",
            f"`{name}` is a value, and a value can only start a chain",
            item.span,
            help=f"to merge it write `( ID | {name} ) -> ADD`",
        )
    return (value,)


@item(ast.Call)
def call(state: Lowering, item: ast.Call, site: Site) -> Tensors:
    """A layer or block with arguments."""
    found = state.evaluated.get(id(item))
    if found is None:
        try:
            given = tuple(
                GivenArgument(a.name, _argument(a.value, site), a.span) for a in item.arguments
            )
        except NetError as failure:
            from .advice import reworded  # for refusals only

            raise reworded(failure, item, starts=site.starts) from None
        found = EvaluatedCall(item.name, given, item.name_span, item.span, item.is_inline)
        if all(isinstance(argument.value, LITERALS) for argument in item.arguments):
            state.evaluated[id(item)] = found
    return _call(state, found, site)


def _argument(expression: ast.Expression, site: Site) -> Any:
    """An argument's value; a tensor goes by its name, which a layer that takes one looks up.

    A list counts again in each call that it is given to, for each call walks it.
    """
    value = evaluate_in(site.scope, expression, words=True)
    if not isinstance(value, list):
        return _by_name(value, expression)
    if isinstance(expression, ast.ListOf):
        return [*map(_by_name, value, expression.items)]
    site.scope.home.budget.spend(value, expression)
    return value


def _by_name(value: Any, expression: ast.Expression) -> Any:
    return Word(spelled_label(expression)) if isinstance(value, Value) else value


@item(ast.Shorthand)
def shorthand(state: Lowering, item: ast.Shorthand, site: Site) -> Tensors:
    """`conv5-16` and `fc-120`, the tables' spelling of `CONV(5x5, 16)` and `FC(120)`."""
    size = [] if item.kernel is None else [GivenArgument(None, item.kernel, item.span)]
    given = (*size, GivenArgument(None, item.count, item.span))
    call = EvaluatedCall(item.kind.upper(), given, item.span, item.span)
    try:
        return call_layer(state, call, site)
    except NetError as failure:
        from .fixes import with_fix  # for refusals only

        raise with_fix(failure, state, call, site) from None


def _call(state: Lowering, call: EvaluatedCall, site: Site) -> Tensors:
    try:
        return _called(state, call, site)
    except NetError as failure:
        from .advice import advised  # for refusals only
        from .fixes import with_fix
        from .unknown import named

        found = advised(named(failure, call, site.scope), call, site.current, site.scope)
        raise with_fix(found, state, call, site) from None


def _check_inline(call: EvaluatedCall, site: Site) -> None:
    """Refuse `inline` before what opens no scope anyway.

    Raises:
        NetError: E101.
    """
    is_layer = call.spelling in LAYERS
    if is_layer or site.scope.find(call.spelling) is not None:
        kind = "layer" if is_layer else "value"
        message = f"`inline` takes a block, and `{call.spelling}` is a {kind}"
        help = f"write `{call.span.text.removeprefix('inline').lstrip()}`"
        raise error("E101", message, call.span, help=help)


def _called(state: Lowering, call: EvaluatedCall, site: Site) -> Tensors:
    if call.spelling in site.scope.home.blocks:
        return call_block(state, call, site)
    if call.is_inline:
        _check_inline(call, site)
    if call.spelling in LAYERS:
        return call_layer(state, call, site)
    if call.spelling == OPERATOR:
        from .operators import call_operator  # with onnx, which is slow to load

        return call_operator(state, call, site)
    from .unknown import not_a_step  # for refusals only

    other = not_a_step(call.spelling, site.scope, call.name_span)
    raise other or state.unknown(call.spelling, site.scope, call.name_span)

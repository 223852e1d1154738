"""Blocks: chains with parameters, and the bodies that blocks, `for` and `if` share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, Pointer, did_you_mean, error
from ...grammar.source import Span
from ..expressions.arguments import Keyword, WordCall
from ..expressions.binding import GivenArgument, converted
from ..expressions.calls import at_most, in_call
from ..expressions.names import Block, Scope
from ..expressions.recovery import POISON, Poisoned, poisoned
from ..layers.layerdef import COMMON, LAYERS
from .arity import check_block
from .bindings import bind_chain, try_let
from .evaluated_call import EvaluatedCall
from .expansion import layers_in_block
from .items import evaluate_in, lower_chain, path_of
from .outputs import output_statement
from .state import Caller, Lowering, Site, Tensors


def call_block(state: Lowering, call: EvaluatedCall, site: Site) -> Tensors:
    """Lower a block's body on its input, in its own scope or, inline, in that of the call.

    Raises:
        NetError: The block does not take these tensors or arguments, or calls itself.
    """
    block = site.scope.home.blocks[call.spelling]
    _check_recursion(state, block, call)
    expected = len(state.graph.layers) + layers_in_block(call.spelling, site.scope.home)
    if expected > state.max_layers:
        raise state.too_many_layers(call.span, expected)
    if not poisoned(site.current):
        check_block(block, call, site)
    inner = (
        _inline_scope(block, site.scope) if call.is_inline else _own_scope(state, block, call, site)
    )
    tensors = expand(state, call, site, inner)
    if len(tensors) == 1 and not (poisoned(tensors) or call.is_inline):
        state.yields.setdefault((id(block.statement), tensors[0]), inner.path)
        if site.label is None:
            state.graph.labels[inner.path] = tensors[0]
    return tensors


def call_within_layer(
    state: Lowering, site: Site, path: str, block: WordCall, span: Span, tensors: Tensors
) -> Tensors:
    """Lower a block's body as a part of the layer at a path, which calls it on these tensors.

    Raises:
        NetError: As `call_block`; E101, there is no such block.
        Poisoned: Something in it is wrong, which is reported.
    """
    given = tuple(
        GivenArgument(item.name, item.value, span)
        if isinstance(item, Keyword)
        else GivenArgument(None, item, span)
        for item in block.arguments
    )
    call = EvaluatedCall(block.name, given, span, span)
    blocks = site.scope.home.blocks
    if call.spelling not in blocks:
        raise _unknown_block(call, blocks)
    inner = replace(site, current=tensors, label=None, starts=False)
    _check_recursion(state, blocks[call.spelling], call)
    led = "an element of each sequence is led to it, and after them each state"
    check_block(blocks[call.spelling], call, inner, help=led)
    yields = dict(state.yields)
    found = expand(state, call, inner, _scope_at(blocks[call.spelling], path))
    state.yields = yields  # the layer moves the tensors
    if poisoned(found):
        raise Poisoned
    return found


def _unknown_block(call: EvaluatedCall, blocks: Iterable[str]) -> NetError:
    name = call.spelling
    kind = "a layer, not a block" if name in LAYERS else "no block"
    help = did_you_mean(name, blocks) or "define one: `block Cell(n; x, h) { ... }`"
    return error("E101", f"`{name}` is {kind}", call.name_span, help=help)


def expand(state: Lowering, call: EvaluatedCall, site: Site, inner: Scope) -> Tensors:
    """What a block yields of the tensors at a place, its names in a scope."""
    block = site.scope.home.blocks[call.spelling]
    path = inner.path
    common = _bind_arguments(block, call, inner)
    if poisoned(site.current):
        return (POISON,)
    inputs = [name.id for name in block.statement.inputs] or ["in"]
    if site.current or block.statement.inputs:
        inner.bindings.update(zip(inputs, site.current, strict=True))
    state.spend(call.span)
    if not call.is_inline:
        state.graph.blocks[path] = block.statement.name
    calls, frames = state.calls, state.frames
    state.calls = (*calls, _caller(state, block, call, site, path, common))
    state.frames = (*frames, partial(in_call, call=call.name_span, name=call.spelling))
    tensors = lower_body(state, block.statement.body, site.current, inner)
    state.calls, state.frames = calls, frames
    return tensors


def _own_scope(state: Lowering, block: Block, call: EvaluatedCall, site: Site) -> Scope:
    """The scope that a call of a block opens."""
    return _scope_at(block, path_of(state, block.statement.name.lower(), call.span, site))


def _scope_at(block: Block, path: str) -> Scope:
    return Scope(f"{path}.", None, block.labels, block.home, defaults_before=block.start)


def _inline_scope(block: Block, around: Scope) -> Scope:
    """The region of a call that opens no scope: names are those of the place of the call."""
    return Scope(
        around.prefix,
        None,
        around.reserved | block.labels,
        block.home,
        defaults_before=block.start,
        counts=around.counts,
        is_turn=around.recurs,
    )


def _caller(
    state: Lowering,
    block: Block,
    call: EvaluatedCall,
    site: Site,
    path: str,
    common: Mapping[str, Any],
) -> Caller:
    """What a call says to the layers in it: its own words, and those of calls around it."""
    around = state.calls[-1] if state.calls else None
    shared = None if around is None else around.shared
    if (share := common.get("share")) is not None:
        if call.is_inline:
            message = "an inline call has no scope for shared weights"
            raise error("E117", message, call.span, help="leave out `inline`")
        if share is True:
            source = state.first_turn(path, call.span)
        else:
            source = state.resolve_path(share, site.scope, call.span, block)
        shared = shared or (source and (path, source)) or None
    frozen = bool(common.get("frozen")) or (around is not None and around.frozen)
    outer = frozenset[int]() if around is None else around.blocks
    imports = () if around is None else around.imports
    file, dot, _ = call.spelling.partition(".")
    if dot:
        imports = (*imports, (site.scope, file))
    return Caller(
        call.spelling, outer | {id(block.statement)}, call.is_inline, imports, frozen, shared
    )


def lower_body(
    state: Lowering, body: Sequence[ast.Statement], incoming: Tensors, scope: Scope
) -> Tensors:
    """The tensors of a body's last chain; a body without one passes on its input."""
    chains = [s for s in body if isinstance(s, ast.ChainStatement | ast.BindStatement)]
    result = incoming
    for statement in body:
        match statement:
            case ast.LetStatement() | ast.FunctionStatement():
                try_let(state, statement, scope)
            case ast.BindStatement():
                result = bind_chain(state, statement, incoming, scope)
            case ast.OutputStatement():
                output_statement(state, statement, incoming, scope)
            case ast.ChainStatement(chain):
                if statement is not chains[-1] and not _is_kept(chain.steps[-1]):
                    state.report(_dropped(chain))
                result = lower_chain(state, chain, incoming, scope)
    return result


def _is_kept(step: ast.Step) -> bool:
    """Whether a chain that ends with a step gives a name to all that its turns yield."""
    if step.label is not None:
        return True
    match step.item:
        case ast.For(_, _, body):
            return _names_its_end(body)
        case ast.If(_, then, otherwise):
            return _names_its_end(then) and (otherwise is None or _names_its_end(otherwise))
    return False


def _names_its_end(body: Sequence[ast.Statement]) -> bool:
    if not body:
        return False
    last = body[-1]
    return _is_kept(last.chain.steps[-1]) if isinstance(last, ast.ChainStatement) else True


def _dropped(chain: ast.Chain) -> NetError:
    return error(
        "E115",
        "the result of this chain is dropped",
        chain.span,
        help="label it, bind it with `x = ...`, or continue it",
    )


def _check_recursion(state: Lowering, block: Block, call: EvaluatedCall) -> None:
    if not state.calls or id(block.statement) not in state.calls[-1].blocks:
        return
    names = [caller.spelling for caller in state.calls]
    cycle = " -> ".join([*names[names.index(call.spelling) :], call.spelling])
    help = "repeat a chain with `[...]*n` or `for`"
    raise error("E116", f"a block cannot call itself: {cycle}", call.name_span, help=help)


def _bind_arguments(block: Block, call: EvaluatedCall, inner: Scope) -> dict[str, Any]:
    """Give a block's parameters their values; returns what its layers have in common."""
    parameters = block.statement.parameters
    names = [parameter.name for parameter in parameters]
    values: dict[str, Any] = {}
    common: dict[str, Any] = {}
    positional = iter(names)
    for argument in call.given:
        name = argument.name if argument.name is not None else next(positional, None)
        if name is None or name not in [*names, *COMMON]:
            raise _unknown_argument(call, argument, names)
        if name in values or name in common:
            raise error("E106", f"`{call.spelling}` is given `{name}` twice", argument.span)
        if name in names:
            values[name] = argument.value
        else:
            common[name] = converted(COMMON[name], name, argument, call.spelling)
    for parameter in parameters:
        if parameter.name in values:
            inner.lets[parameter.name] = values[parameter.name]
        elif parameter.default is not None:
            inner.lets[parameter.name] = evaluate_in(inner, parameter.default, words=True)
        else:
            defined = Pointer(parameter.span, "which has no default")
            raise error(
                "E105",
                f"`{call.spelling}` needs `{parameter.name}`",
                call.name_span,
                also=[defined],
            )
    return common


def _unknown_argument(
    call: EvaluatedCall, argument: GivenArgument, names: Sequence[str]
) -> NetError:
    if argument.name is None:
        message = f"`{call.spelling}` takes {at_most(len(names))}"
        return error("E104", message, argument.span)
    known = ", ".join(f"`{name}`" for name in names)
    near = did_you_mean(argument.name, names)
    if near is None and names:
        near = f"its argument is {known}" if len(names) == 1 else f"its arguments are {known}"
    return error(
        "E102", f"`{call.spelling}` has no argument `{argument.name}`", argument.span, help=near
    )

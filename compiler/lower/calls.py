"""Calls a layer on its input tensors, and enters it into the graph's layers."""

from functools import partial

from ...grammar.diagnostics import error
from .. import layers as _layers  # noqa: F401  (fills the table of layers)
from .. import ops as _ops  # noqa: F401  (fills the op table)
from ..expressions.recovery import POISON, poisoned
from ..ir.graph import Layer
from ..ir.types import DType
from ..layers.layer_builder import LayerBuilder
from ..layers.layerdef import LAYERS, Bound, LayerDef
from .built import built, likeness
from .evaluated_call import EvaluatedCall
from .items import path_of
from .state import Lowering, Site, Tensors

OPERATOR = "op"  # calls an operator of ONNX
STATES = ("s", "h", "c")  # what a recurrent layer yields with its states, and what help calls it
MERGE = "merge them first, with `ADD` or `CONCAT`"


def call_layer(
    state: Lowering, call: EvaluatedCall, site: Site, definition: LayerDef | None = None
) -> Tensors:
    """Call a layer on its input and enter it into the graph's layers.

    A merge of one tensor, where the number of branches is computed, is that tensor, and no layer.
    `definition` is the layer's row where the table of layers has none.

    Raises:
        NetError: The layer does not take these tensors or arguments, or there are too many layers.
    """
    definition = definition or LAYERS[call.spelling]
    if definition.takes == "many" and len(site.current) == 1 and site.after_computed:
        return site.current
    if not poisoned(site.current):
        _check_arity(state, definition, call, site)
    if len(state.graph.layers) >= state.max_layers:
        raise state.too_many_layers(call.span, state.max_layers + 1)
    path = path_of(state, definition.name.lower(), call.span, site)
    defaults = site.scope.defaults(definition.name)
    bound = call.bind(definition, defaults)
    if poisoned(site.current):
        state.poison(path)
        return (POISON,)
    bound = _with_surroundings(state, bound, call, site, path)
    outputs = _outputs(state, definition, call, site, path, bound)
    state.graph.layers[path] = Layer(
        definition.name,
        outputs,
        bound.arguments,
        bound.defaulted,
        call.span,
        labelled=site.label is not None,
        turns=state.turns,
        frozen=bound.frozen,
    )
    if len(outputs) == 1:
        state.graph.labels[path] = outputs[0]
    return outputs


def _with_surroundings(
    state: Lowering, bound: Bound, call: EvaluatedCall, site: Site, path: str
) -> Bound:
    """The arguments as the blocks around the layer and its place in the network determine them."""
    arguments = bound.arguments
    if path in state.heads:
        arguments = {**arguments, "units": state.heads[path]}
    frozen = bound.frozen or (bool(state.calls) and state.calls[-1].frozen)
    if bound.share is None:
        share = state.shared_path(path)
    else:
        share = state.resolve_path(bound.share, site.scope, bound.spans.get("share", call.span))
    if (arguments, frozen, share) == (bound.arguments, bound.frozen, bound.share):
        return bound
    return Bound(arguments, bound.defaulted, bound.spans, frozen, share)


def _outputs(
    state: Lowering, definition: LayerDef, call: EvaluatedCall, site: Site, path: str, bound: Bound
) -> Tensors:
    """The outputs of the layer's function on its input tensors, which like calls repeat."""
    graph, operands = state.graph, site.current
    key = likeness(definition, bound, operands, graph)
    found = None if key is None else state.built.get(key)
    if found is not None and found.fits(graph, path):
        return found.again(graph, operands, path, call.name_span)
    first = len(graph)
    build = _builder(state, call, site, path, bound)
    given = {"nothing": (), "one": operands, "many": (operands,), "any": operands}
    result = definition.function(build, *given[definition.takes], **bound.arguments)
    results = result if isinstance(result, tuple) else (result,)
    if key is not None and build.alone:
        appended = built(graph, first, operands, results, path)
        if appended is not None:
            state.built[key] = appended
    return results


def _builder(
    state: Lowering, call: EvaluatedCall, site: Site, path: str, bound: Bound
) -> LayerBuilder:
    return LayerBuilder(
        state.graph,
        path=path,
        span=call.name_span,
        spelling=call.spelling,
        bound=bound,
        warnings=state.warnings,
        dtype=next((x.dtype for x in site.current if x.dtype.is_float), DType.FLOAT32),
        look_up=partial(state.find_layer, scope=site.scope, span=call.span),
        find=partial(site.scope.find, span=call.span),
        budget=site.scope.home.budget,
        shared=bound.share,
    )


def start_of(call: EvaluatedCall) -> str:
    """The help for a call without an input, which often belongs to the chain on the line above."""
    before = call.span.source.text[: call.span.start]
    if "INPUT" in before and not before.rpartition("\n")[2].strip():
        return f"write `-> {call.span.text}` to continue the chain above"
    return f"write `INPUT -> {call.span.text}`"


def _one_of_states(state: Lowering, current: Tensors) -> str | None:
    """The help where the tensors are a recurrent layer's, which are no branches to be merged."""
    for layer in reversed(state.graph.layers.values()):
        if layer.outputs == current and layer.arguments.get("return") == "states" and layer.span:
            named = f"`({', '.join(STATES[: len(current)])}) = ... -> {layer.span.text}`"
            return f"write `last` in place of `states`, or name each tensor: {named}"
    return None


def _check_arity(state: Lowering, definition: LayerDef, call: EvaluatedCall, site: Site) -> None:
    """A source starts a chain, a merge takes several tensors, any other layer takes one."""
    if definition.takes == "nothing":
        if not site.starts:
            message = f"{call.spelling} starts a chain, and cannot be inside one"
            own = f"`x = {call.span.text}`"
            help = f"give it its own chain, {own}, and merge that: `( ID | x ) -> ADD`"
            raise error("E111", message, call.name_span, help=help)
        return
    if not site.current:
        raise error(
            "E110",
            f"{call.spelling} has no input: a chain starts with an `INPUT` or with a value",
            call.name_span,
            help=start_of(call),
        )
    if definition.takes == "one" and len(site.current) > 1:
        raise error(
            "E113",
            f"{call.spelling} takes one tensor, but {len(site.current)} branches lead to it",
            call.name_span,
            help=_one_of_states(state, site.current) or MERGE,
        )
    if definition.takes == "many" and len(site.current) == 1:
        raise error(
            "E113",
            f"{call.spelling} merges several tensors, but gets one",
            call.name_span,
            help=f"write `( ... | ID ) -> {call.spelling}`",
        )

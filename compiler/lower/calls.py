"""Calls a layer on its input tensors, and enters it into the graph's layers."""

from functools import partial

from .. import layers as _layers  # noqa: F401  (fills the table of layers)
from .. import ops as _ops  # noqa: F401  (fills the op table)
from ..expressions.binding import Bound
from ..expressions.recovery import POISON, poisoned
from ..ir.graph import Layer
from ..ir.types import DType
from ..layers.layer_builder import LayerBuilder
from ..layers.layerdef import LAYERS, LayerDef
from .arity import check_layer
from .blocks import call_within_layer
from .built import built, likeness
from .evaluated_call import EvaluatedCall
from .items import path_of
from .state import Lowering, Site, Tensors

OPERATOR = "op"  # calls an operator of ONNX


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
        check_layer(state, definition, call, site)
    if len(state.graph.layers) >= state.max_layers:
        raise state.too_many_layers(call.span, state.max_layers + 1)
    path = path_of(state, definition.name.lower(), call.span, site)
    defaults = state.defaults(definition.name, site.scope)
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
    share: str | None
    if bound.share is None:
        share = state.shared_path(path)
    elif bound.share is True:
        share = state.first_turn(path, call.span) or state.shared_path(path)
    else:
        assert isinstance(bound.share, str)
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
        call_block=partial(call_within_layer, state, site, path),
        budget=site.scope.home.budget,
        shared=bound.share if isinstance(bound.share, str) else None,
    )

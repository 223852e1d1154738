"""A network as a picture: its layers, its neurons, or its chain rule with an input's numbers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from .choices import STYLES
from .compiler.emit.chain_rule import ChainRule, LossBox, differentiate, undifferentiated
from .compiler.emit.circuit import Circuit, circuit_of, forward_circuit
from .compiler.emit.circuit_dot import circuit_dot
from .compiler.emit.dot import BACKWARD, GRAPH, check_choices, check_word, to_dot
from .compiler.emit.formats import FORMATS, format_of
from .compiler.ir.builder import Builder
from .compiler.ir.graph import Graph, Output
from .compiler.model import Model
from .compiler.passes.set_mode import set_mode
from .compiler.pictures.backward import backward_scene
from .compiler.pictures.folded_circuit import folded_circuits
from .compiler.pictures.graph import graph_scene
from .compiler.pictures.mermaid import to_mermaid
from .compiler.pictures.neurons import neurons
from .compiler.pictures.scene import Scene
from .compiler.pictures.svg import to_svg
from .compiler.pictures.tikz import to_tikz
from .compiler.pictures.volumes import volumes
from .compiler.training.losses import LOSSES
from .compiler.training.objective import LOSS, Objective, add_loss
from .compiler.training.output_fit import fit
from .compiler.training.regularizers import REGULARIZERS, penalty_scope
from .compiler.training.terms import Term
from .gradients import objective_of, own_value, with_targets
from .grammar.diagnostics import error, listing
from .grammar.files import atomic_writer
from .runtime.engines.executor import run
from .runtime.engines.plan import plan
from .runtime.weights.files import check_weights
from .runtime.weights.initialize import initialize

if TYPE_CHECKING:
    from .training import Loss

Array = np.ndarray[Any, Any]

MOST_WRITTEN = 4  # of an array that are written on an arrow; of larger ones, the extents


def operators(
    graph: Graph, *, depth: int | None = None, compact: bool | None = None, theme: str = "light"
) -> Scene:
    """The operators of a network in inference, with parameters, in rows on a page.

    Args:
        graph: The network.
        depth: Scopes of so many parts are one box each.
        compact: Whether layers, or blocks of them, are drawn rather than operators; by default,
            where operators are too many for legible text.
        theme: `light` or `dark`.

    Raises:
        NetError: E511, the depth is not positive, or there is too much to draw.
    """
    rule = undifferentiated(set_mode(graph, training=False))
    return _legible(forward_circuit(rule), rule, [], graph, depth, compact, theme)


def _legible(
    whole: Circuit,
    rule: ChainRule,
    losses: list[LossBox],
    graph: Graph,
    depth: int | None,
    compact: bool | None,
    theme: str,
) -> Scene:
    """Operators, or where these are too many, layers or blocks of them."""
    if depth is not None and depth < 1:
        raise error("E511", f"the depth of a diagram must be at least 1, not {depth}")
    value = ", ".join(part.text for part in whole.parts.values() if part.role == "value")
    blocks = folded_circuits(rule, losses, graph, value, depth)
    circuits = blocks if depth is not None or compact else chain([whole], blocks)
    return backward_scene([whole] if compact is False else circuits, graph, theme=theme)


# The styles that netc lays out itself: what draws a network, with a theme and the style's options.
SCENES: Mapping[str, Callable[..., Scene]] = {
    GRAPH: graph_scene,
    "ops": operators,
    "volumes": volumes,
    "neurons": neurons,
}

# The least and the greatest of what is given as a number.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "width": (1, 30_000),
    "dpi": (10, 2_400),
    "depth": (1, sys.maxsize),
}

GRAPH_TEXTS: Mapping[str, Callable[..., str]] = {
    "dot": to_dot,
    "mmd": to_mermaid,
}


def draw(model: Model, path: str, *, format: str | None = None, **choices: Any) -> None:
    """Write a picture; see `Network.draw`.

    Raises:
        NetError: See `to_picture`; the file cannot be written (E004).
    """
    data = to_picture(model, format_of(path, format), **choices)
    with atomic_writer(path) as file:
        file.write(data)


def to_picture(model: Model, format: str, *, style: str = "graph", **choices: Any) -> bytes:
    """A picture as the bytes of a file; see `Network.draw`.

    Raises:
        NetError: E511, a choice is not known, or does not go with the style; E505, the style has
            no such format; E503, no renderer is installed; E501, weights do not fit the network.
    """
    check_word("style", style, STYLES)
    if choices.get("state") is not None:
        check_weights(model.graph, choices["state"])
    given = {name: choice for name, choice in choices.items() if choice is not None}
    _check_kinds(given)
    unusual = {"mmd"} if style == BACKWARD else {"dot", "mmd"} if style != GRAPH else set()
    if format in unusual:
        known = listing(name for name in FORMATS if name not in unusual)
        raise error("E505", f"the style `{style}` has no format `{format}`", help=f"it has {known}")
    if format in GRAPH_TEXTS:
        return to_picture_text(model, style=style, format=format, **given).encode("utf-8")
    width, dpi = given.pop("width", None), given.pop("dpi", None)
    scene = to_scene(model, style, **given)
    if format == "svg":
        return to_svg(scene, width=width).encode("utf-8")
    if format == "tex":
        return to_tikz(scene).encode("utf-8")
    from .runtime.plots.scenes import DPI, POINTS, scene_picture

    pixels = DPI if width is None else width * POINTS / scene.width
    return scene_picture(scene, format, dpi=dpi or pixels)


def _check_kinds(given: dict[str, Any]) -> None:
    """Refuse numbers, switches and lists that are none; a single word to show is a list of one."""
    for name, (least, most) in NUMBERS.items():
        value: Any = given.get(name, least)
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise error("E511", f"`{name}` must be a whole number, not `{value!r}`")
        if not least <= value <= most and name != "depth":  # which its style refuses
            raise error("E511", f"`{name}` must be from {least:,} to {most:,}, not {value}")
    for name in ("compact", "title"):
        if not isinstance(given.get(name, True), bool):
            raise error("E511", f"`{name}` must be True or False, not `{given[name]!r}`")
    show = given.get("show", ())
    given |= {"show": [show]} if isinstance(show, str) else {}
    if not isinstance(show, str | list | tuple | set | frozenset):
        raise error("E511", f"`show` must be a list of words, not `{show!r}`")


def to_scene(model: Model, style: str, *, theme: str = "light", **choices: Any) -> Scene:
    """A picture in one of the styles of `SCENES`, as shapes on a page.

    Raises:
        NetError: E511.
    """
    check_choices(theme=theme)
    scene: Callable[..., Scene] = backward if style == BACKWARD else SCENES[style]
    _check_options(choices, options_of(scene) | {"width", "dpi"}, f"the style `{style}`")
    return scene(model if style == BACKWARD else model.graph, theme=theme, **choices)


def options_of(draws: Callable[..., object]) -> set[str]:
    """What can be chosen of a picture, by the keyword-only arguments of what draws it."""
    parameters = signature(draws).parameters.values()
    return {p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY} - {"counts"}


def _check_options(given: Iterable[str], known: set[str], what: str) -> None:
    for name in sorted(set(given) - known):
        raise error("E511", f"{what} takes no `{name}`", help=f"it takes {listing(sorted(known))}")


def to_picture_text(
    model: Model,
    *,
    style: str = "graph",
    depth: int | None = None,
    direction: str | None = None,
    theme: str = "light",
    format: str = "dot",
    **others: Any,
) -> str:
    """A picture in the language of Graphviz or, as `mmd`, of Mermaid; see `Network.draw`.

    Raises:
        NetError: E511, a choice is not known, or does not go with the style.
    """
    check_word("style", style, STYLES)
    check_choices(direction=direction or "TB", theme=theme)
    what = f"the style `{style}` in the format `{format}`"
    if style == BACKWARD:
        _check_options(others, options_of(chain_rule_dot), what)
        return chain_rule_dot(model, theme=theme, direction=direction or "LR", **others)
    write = GRAPH_TEXTS[format]
    _check_options(others, options_of(write), what)
    return write(model.graph, depth=depth, direction=direction or "TB", theme=theme)


def chain_rule_dot(
    model: Model,
    *,
    loss: "Loss | None" = None,
    of: str | None = None,
    inputs: Mapping[str, Array] | None = None,
    targets: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    seed: int = 0,
    theme: str = "light",
    direction: str = "LR",
) -> str:
    """Forward and backward graph in Graphviz's language, `direction` that of the forward graph.

    The other arguments, and errors, are those of `chain_rule`.
    """
    found = chain_rule(
        model, loss=loss, of=of, inputs=inputs, targets=targets, state=state, seed=seed
    )
    name = model.graph.name
    return circuit_dot(found.circuit(), name=name, theme=theme, direction=direction)


def backward(
    model: Model,
    *,
    loss: "Loss | None" = None,
    of: str | None = None,
    inputs: Mapping[str, Array] | None = None,
    targets: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    seed: int = 0,
    depth: int | None = None,
    compact: bool | None = None,
    theme: str = "light",
) -> Scene:
    """Forward and backward graph as two lanes on a page.

    Args:
        model: The network.
        loss: See `chain_rule`, as for the next five.
        of: A value of the network.
        inputs: A batch by the input's name.
        targets: The loss's targets by the output's name.
        state: Weights.
        seed: What weights are drawn with otherwise.
        depth: Scopes of so many parts are one box each.
        compact: Whether layers, or blocks of them, are drawn rather than operators; by default,
            where operators are too many for legible text.
        theme: `light` or `dark`.

    Raises:
        NetError: E511, the depth is not positive, or there is too much to draw; as `chain_rule`.
    """
    found = chain_rule(
        model, loss=loss, of=of, inputs=inputs, targets=targets, state=state, seed=seed
    )
    return _legible(found.circuit(), found.rule, found.losses, found.graph, depth, compact, theme)


@dataclass(frozen=True)
class Differentiated:
    """A chain rule, its losses as formulas, numbers on wires, and the graph with its layers."""

    rule: ChainRule
    losses: list[LossBox]
    numbers: Mapping[Output, str]
    graph: Graph

    def circuit(self) -> Circuit:
        """Parts and wires, operator by operator."""
        return circuit_of(self.rule, self.losses, self.numbers)


def chain_rule(
    model: Model,
    *,
    loss: "Loss | None" = None,
    of: str | None = None,
    inputs: Mapping[str, Array] | None = None,
    targets: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    seed: int = 0,
) -> "Differentiated":
    """Forward and backward graph, with formulas and numbers.

    Args:
        model: The network.
        loss: What is differentiated; where neither it nor a `train` block names a loss, the only
            output, or the sum of all outputs.
        of: A value of the network to differentiate in place of a loss.
        inputs: A batch by the input's name, whose numbers are shown on the arrows; with a loss,
            `targets` by the output's name as well.
        targets: See `inputs`.
        state: Weights for the numbers; drawn with `seed` where it is None.
        seed: See `state`.

    Raises:
        NetError: There is no gradient (E131), or an input does not fit.
    """
    feeds: dict[str, Any] = dict(inputs or {})
    has_loss = of is None and (loss is not None or model.recipe is not None)
    own_value(model, loss, of)
    boxes: list[LossBox] = []
    layered = model.graph
    if not has_loss:
        graph = set_mode(model.graph, training=False)
    else:
        objective = objective_of(model, loss)
        layered = add_loss(model.graph, objective)
        if inputs is None:
            graph = set_mode(layered, training=False)
        else:
            graph, feeds = with_targets(model, feeds, targets or {}, loss=loss, training=False)
        boxes = _loss_boxes(graph, objective, feeds)
    rule = differentiate(graph, of=LOSS if has_loss else of)
    found = {} if inputs is None else _numbers(rule, feeds, state or initialize(graph, seed))
    return Differentiated(rule, boxes, found, layered)


def _loss_boxes(graph: Graph, objective: Objective, feeds: Mapping[str, Any]) -> list[LossBox]:
    """The losses of a graph as formulas; their probabilities become outputs `p` of it."""
    boxes: list[LossBox] = []
    for output, target in objective.target_names().items():
        term, scope = objective.losses[output], f"{LOSS}.{output}"
        found = fit(graph, graph.outputs[output], term, name=output)
        formula = LOSSES[term.name].written(term, graph.inputs[target].type)
        probabilities = None
        if formula.probabilities is not None:
            probabilities = "p" if len(objective.losses) == 1 else f"p.{output}"
            build = Builder(graph, scope=f"{scope}.p")
            value = found.ending.output
            graph.outputs[probabilities] = (
                value if found.fused else formula.probabilities(build, value, found.axis)
            )
        known = _partly_known(term, feeds.get(target))
        text = f"{formula.loss}, where t is known" if known else formula.loss
        boxes.append(LossBox(scope, text, formula.gradient, output, target, probabilities))
    return [*boxes, *_penalty_boxes(objective)]


def _penalty_boxes(objective: Objective) -> Iterator[LossBox]:
    """The penalties of an objective as formulas."""
    for number, term in enumerate(objective.regularize):
        formula = REGULARIZERS[term.name].written(term)
        yield LossBox(penalty_scope(LOSS, number), formula.loss, formula.gradient)


def _partly_known(term: Term, target: Array | None) -> bool:
    """Whether some targets count for nothing: NaN, or the class that the loss ignores."""
    if target is None:
        return False
    if target.dtype.kind == "f":
        return bool(np.isnan(target).any())
    return bool((target == term.arguments.get("ignore_index", -100)).any())


def _numbers(
    rule: ChainRule, feeds: Mapping[str, Any], state: Mapping[str, Array]
) -> dict[Output, str]:
    """The labels of the arrows: the values of the whole graph for an input."""
    values = {f"{node}:{output}": value for (node, output), value in rule.shown().items()}
    graph: Graph = rule.graph
    kept = graph.outputs
    graph.outputs = values
    arrays = run(plan(graph), feeds, state)
    graph.outputs = kept
    return {(value.node, value.output): spell_array(arrays[name]) for name, value in values.items()}


def spell_array(array: Array) -> str:
    """Numbers as shown on an arrow; only the extents of large arrays."""
    if array.size > MOST_WRITTEN:
        return "\N{MULTIPLICATION SIGN}".join(map(str, array.shape))
    numbers = [_spell(number) for number in array.ravel().tolist()]
    if array.size == 1:
        return numbers[0]
    rows = array.reshape(-1, array.shape[-1])
    if len(rows) == 1:
        return f"[{', '.join(numbers)}]"
    width = array.shape[-1]
    lines = [", ".join(numbers[i : i + width]) for i in range(0, array.size, width)]
    return f"[{'; '.join(lines)}]"


def _spell(number: float) -> str:
    """A number with three digits, and a real minus sign; -0 is 0."""
    return f"{number + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")

"""The table of what may be a step, and the lowering of chains, which are sequences of steps."""

from collections.abc import Callable
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, error
from ...grammar.lexing.lexer import keywords
from ...grammar.source import Span
from ..expressions.evaluate import LITERALS, NO_NAMES, Environment, evaluate, text_of
from ..expressions.names import Passage, Scope, given_by
from ..expressions.recovery import POISON, Poisoned, poisoned
from .state import Lowering, Site, Tensors

# Words of the language that are also what people call parts of networks.
NOUNS = frozenset({"block", "default", "language", "net", "output", "train"})

ItemRule = Callable[[Lowering, Any, Site], Tensors]

ITEMS: dict[type, ItemRule] = {}


def item(syntax: type) -> Callable[[ItemRule], ItemRule]:
    """Enter the decorated function into the table: it lowers steps of this syntax."""

    def register(rule: ItemRule) -> ItemRule:
        ITEMS[syntax] = rule
        return rule

    return register


def lower_chain(
    state: Lowering, chain: ast.Chain, incoming: Tensors, scope: Scope, *, may_start: bool = True
) -> Tensors:
    """The tensors at the end of a chain that continues from `incoming`, or starts itself.

    A step that fails is reported and leaves a poisoned tensor, which later steps pass on.
    """
    current = incoming
    state.enter(chain.span)
    around = state.calls, state.turns, state.frames
    computed = False
    for position, step in enumerate(chain.steps):
        site = Site(current, scope, step.label, may_start and position == 0, computed)
        first = len(state.graph.layers)
        computed = isinstance(step.item, ast.Group) and step.item.is_computed
        try:
            if step.label is not None and not _names_itself(step):
                state.claim(label_path(site), step.label.span)
            current = ITEMS[type(step.item)](state, step.item, site)
            if step.label is not None and not _names_itself(step):
                label_result(state, site, current)
            trace = state.top.home.trace
            if trace is not None and not poisoned(current):
                passage = Passage(site.current, current, range(first, len(state.graph.layers)))
                trace.setdefault(step.item.span, []).append(passage)
        except NetError as failure:
            state.report(failure)
            state.calls, state.turns, state.frames = around
            current = _after_failure(state, site)
        except Poisoned:
            state.calls, state.turns, state.frames = around
            current = _after_failure(state, site)
        if poisoned(current):
            scope.home.lose(given_by(step))
    state.depth -= 1
    return current


def _after_failure(state: Lowering, site: Site) -> Tensors:
    """What a step that failed leaves: a poisoned tensor, under its label if it has one."""
    if site.label is not None and site.label.literal is not None:
        state.poison(site.scope.prefix + site.label.literal)
    return (POISON,)


def _names_itself(step: ast.Step) -> bool:
    """A `for` with a computed label names each of its turns instead of its result."""
    return isinstance(step.item, ast.For) and step.label is not None and step.label.literal is None


def label_result(state: Lowering, site: Site, tensors: Tensors) -> None:
    """Let a label name what its step produced; layers took it as their path already."""
    assert site.label is not None
    path = label_path(site)
    if path in state.graph.layers:
        return
    if poisoned(tensors):
        state.poison(path)
        return
    if len(tensors) != 1:
        if any(layer.startswith(f"{path}.") for layer in state.graph.layers):
            return  # of a block that yields several tensors, the label names the scope alone
        message = f"`{path}` can label one tensor, not {len(tensors)}"
        raise error("E113", message, site.label.span)
    state.graph.labels[path] = tensors[0]


def path_of(state: Lowering, kind: str, span: Span, site: Site) -> str:
    """The path of a layer or block: what its label spells, or else an automatic name."""
    if site.label is not None:
        return label_path(site)
    return state.claim(site.scope.automatic_name(kind, state.places), span)


def label_path(site: Site) -> str:
    """The path that a labelled step's label spells where it stands.

    Raises:
        NetError: It is a word of the language, which stands for no label where it is read.
    """
    assert site.label is not None
    text = label_text(site.label, site.scope)
    if text == "in" and site.label.span.text == text:
        message = "`in` is what comes into a block or a turn, and cannot be a label"
        raise error("E023", message, site.label.span, help="choose another label")
    if text in keywords() - NOUNS and site.label.span.text == text:
        message = f"`{text}` is a word of the language, and cannot be a label"
        help = f'choose another label, or write `as "{text}"` where weights have this name'
        raise error("E023", message, site.label.span, help=help)
    return site.scope.prefix + text


def label_text(label: ast.Label, scope: Scope) -> str:
    """A label's text, its holes computed.

    Raises:
        NetError: It is empty, or a hole is neither a word nor an integer.
    """
    text = label.literal
    if text is None:
        environment = environment_of(scope)
        parts = ("".join(text_of(p, environment) for p in part) for part in label.parts)
        text = ".".join(parts)
    if not text:
        raise error("E114", "a label needs at least one character", label.span)
    return text


def evaluate_in(scope: Scope, expression: ast.Expression, *, words: bool = False) -> Any:
    """The value of an expression; `words` lets unknown names be choice words."""
    if isinstance(expression, LITERALS):
        return evaluate(expression, NO_NAMES)
    return evaluate(expression, environment_of(scope, words=words))


def environment_of(scope: Scope, *, words: bool = False) -> Environment:
    """What names mean in expressions that stand in a region."""
    names = scope.visible_names()
    return Environment(names, words=words, budget=scope.home.budget, find=scope.find)

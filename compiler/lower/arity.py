"""How many tensors meet a layer or a block, and how many it takes."""

from ...grammar.diagnostics import Pointer, error
from ..expressions.arguments import Word, WordCall
from ..expressions.names import Block
from ..layers.layerdef import LayerDef
from .evaluated_call import EvaluatedCall
from .starts import block_starts_itself
from .state import Lowering, Site, Tensors

STATES = ("s", "h", "c")  # what a recurrent layer yields with its states, and what help calls it
MERGE = "merge them first, with `ADD` or `CONCAT`"


def check_layer(state: Lowering, definition: LayerDef, call: EvaluatedCall, site: Site) -> None:
    """A source starts a chain, a merge takes several tensors, any other layer takes one.

    Raises:
        NetError: E110, E111, E113.
    """
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


def check_block(block: Block, call: EvaluatedCall, site: Site, *, help: str | None = None) -> None:
    """A block takes one tensor, or as many as it declares, or none where it starts itself.

    `help` says which tensors meet it.

    Raises:
        NetError: E110, E113.
    """
    expected = max(len(block.statement.inputs), 1)
    found = len(site.current)
    if not found and block_starts_itself(block):
        return
    if not found:
        raise error(
            "E110",
            f"`{call.spelling}` has no input: a chain starts with an `INPUT` or with a value",
            call.name_span,
            help=start_of(call),
        )
    if found != expected:
        tensors = "one tensor" if expected == 1 else f"{expected} tensors"
        given = "one" if found == 1 else f"{found}"
        raise error(
            "E113",
            f"`{call.spelling}` takes {tensors}, but gets {given}",
            call.name_span,
            also=[Pointer(block.statement.name_span, "defined here")],
            help=help or _branches(expected, call),
        )


def start_of(call: EvaluatedCall) -> str:
    """The help for a call without an input, which often belongs to the chain on the line above."""
    given = [a for a in call.given if isinstance(a.value, Word) and a.name is None]
    if given and call.spelling.upper() != call.spelling:
        others = ", ".join(a.span.text for a in call.given if a not in given)
        names = [a.span.text for a in given]
        start = names[0] if len(names) == 1 else f"( {' | '.join(names)} )"
        return f"write `{start} -> {call.spelling}{f'({others})' if others else ''}`"
    before = call.span.source.text[: call.span.start]
    if "INPUT" in before and not before.rpartition("\n")[2].strip():
        return f"write `-> {call.span.text}` to continue the chain above"
    if any(isinstance(argument.value, WordCall) for argument in call.given):
        return "start the chain with an `INPUT`: each layer is a separate step"
    return f"write `INPUT -> {call.span.text}`"


def _one_of_states(state: Lowering, current: Tensors) -> str | None:
    """The help where the tensors are a recurrent layer's, which are no branches to be merged."""
    for layer in reversed(state.graph.layers.values()):
        if layer.outputs == current and layer.arguments.get("return") == "states" and layer.span:
            named = f"`({', '.join(STATES[: len(current)])}) = ... -> {layer.span.text}`"
            return f"write `last` in place of `states`, or name each tensor: {named}"
    return None


def _branches(expected: int, call: EvaluatedCall) -> str:
    """How as many tensors as a block takes are led to it."""
    if expected == 1:
        return MERGE
    branches = " | ".join([*["..."] * (expected - 1), "ID"])
    return f"write `( {branches} ) -> {call.span.text}`"

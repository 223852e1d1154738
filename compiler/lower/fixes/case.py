"""A call that is refused, and what may be written in its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ....grammar.diagnostics import NetError
from ...expressions.binding import GivenArgument, bind, place
from ...expressions.recovery import POISON
from ...ir.graph import Layer, Value
from ...layers.layerdef import LAYERS
from ..evaluated_call import EvaluatedCall
from ..state import Lowering, Site, Tensors
from .trial import tried

NO_TENSOR = POISON  # what meets the start of a chain


@dataclass(frozen=True, slots=True)
class Fix:
    """What help says, and the chain that must do for it to be true."""

    help: str
    chain: str


@dataclass(frozen=True)
class Case:
    """A call that is refused.

    Attributes:
        state: The lowering, up to the call.
        call: The call.
        site: Where it stands, and what meets it.
        blamed: The argument that the error points at, or None.
    """

    state: Lowering
    call: EvaluatedCall
    site: Site
    blamed: GivenArgument | None

    @cached_property
    def tensors(self) -> Mapping[str, Value]:
        """What meets the call, by names that stand for it in a chain."""
        return {f"given{i}_": x for i, x in enumerate(self.site.current, start=1)}

    @property
    def x(self) -> Value:
        """The tensor that meets the call, or the first of them; nothing for a start of a chain."""
        return self.site.current[0] if self.site.current else NO_TENSOR

    @property
    def source(self) -> Layer | None:
        """The layer that yields what meets the call, or None."""
        graph = self.state.graph
        return graph.layers.get(graph.producer(self.x).scope) if self.site.current else None

    @cached_property
    def parameters(self) -> Mapping[int, str]:
        """What numbers are called that differ from call to call, or from turn to turn."""
        home = self.site.scope.home
        regions = [r.lets for r in self.site.scope.outwards() if r.lets is not home.lets]
        named = {name: value for lets in reversed(regions) for name, value in lets.items()}
        return {value: name for name, value in named.items() if type(value) is int}

    def lowered(self, chain: str) -> Tensors | None:
        """What a chain yields where the call stands, or None, also after too many trials."""
        if self.state.trials == 0:
            return None
        self.state.trials -= 1
        return tried(chain, self.tensors, self.state.graph, self.site.scope)

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """The call's arguments by name with all defaults; none where they do not bind."""
        if self.call.spelling not in LAYERS:
            return {}
        row, call = LAYERS[self.call.spelling], self.call
        defaults = self.state.defaults(row.name, self.site.scope)
        try:
            return bind(row, call.given, call.span, call.spelling, defaults=defaults).arguments
        except NetError:
            return {}

    def chain(self, text: str, before: str = "") -> str:
        """A call, or what is written in its place, on what meets it, with a step before it."""
        names = list(self.tensors)
        start = names[:1] if len(names) == 1 else [f"( {' | '.join(names)} )"] if names else []
        return " -> ".join([*start, *filter(None, (before, text))])

    def written(self, call: str) -> Fix:
        """Writing the call in another way."""
        return Fix(f"write `{call}`", self.chain(call))

    def after(self, step: str) -> Fix:
        """Putting a step before the call."""
        return Fix(f"put `{step}` before it", self.chain(self.call.span.text, step))

    def changed(self, name: str, value: str) -> str:
        """The call's text with another value of an argument."""
        if (given := self.given(name)) is not None:
            return self.replaced(given, value)
        others = [argument.span.text for argument in self.call.given]
        return f"{self.call.spelling}({', '.join([*others, f'{name}={value}'])})"

    def replaced(self, given: GivenArgument, value: str) -> str:
        """The call's text with another value in place of a given argument's."""
        text, start = self.call.span.text, self.call.span.start
        keyword = f"{given.name}=" if given.name else ""
        return f"{text[: given.span.start - start]}{keyword}{value}{text[given.span.end - start :]}"

    def given(self, name: str) -> GivenArgument | None:
        """The given argument that is bound to a name, or None."""
        if self.call.spelling not in LAYERS:
            return next((a for a in self.call.given if a.name == name), None)
        _, spans = place(LAYERS[self.call.spelling], self.call.given, self.call.spelling)
        return next((a for a in self.call.given if a.span == spans.get(name)), None)


FixRule = Callable[[Case], Iterator[Fix]]

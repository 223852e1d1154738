"""A layer's call with its arguments computed, before it meets a tensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...grammar.source import Span
from ..expressions.binding import Bound, GivenArgument, bind
from ..layers.layerdef import LayerDef


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedCall:
    """A layer's call with its arguments computed.

    `bound` keeps their values: by the layer, and the `default` statements that hold.
    A call of a block that `is_inline` opens no scope.
    """

    spelling: str
    given: Sequence[GivenArgument]
    name_span: Span
    span: Span
    is_inline: bool = False
    bound: dict[tuple[str, int], Bound] = field(default_factory=dict)

    def bind(self, definition: LayerDef, defaults: Mapping[str, Any]) -> Bound:
        """The arguments by name.

        Raises:
            NetError: The layer does not take them.
        """
        key = definition.name, id(defaults)
        if key not in self.bound:
            self.bound[key] = bind(
                definition, self.given, self.name_span, self.spelling, defaults=defaults
            )
        return self.bound[key]

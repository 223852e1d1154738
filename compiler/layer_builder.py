"""What a layer function builds with: operators, its weights, and errors in its own words."""

from collections.abc import Callable, Iterable
from typing import Any

from ..grammar.diagnostics import Diagnostic, NetError, error
from ..grammar.source import Span
from .builder import Builder, shape_of
from .graph import Graph, Layer, Value
from .initializers import AUTO, ZEROS, Init
from .layerdef import Bound
from .types import DType, Shape, author_size


class LayerBuilder(Builder):
    """A builder for one call of one layer.

    Attributes:
        spelling: The layer as the author spelled it, for messages.
        warnings: Where `warn` collects its findings.
        look_up: Finds the layer that a label names where the call stands, or None.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        path: str,
        span: Span,
        spelling: str,
        bound: Bound,
        warnings: list[Diagnostic],
        dtype: DType = DType.FLOAT32,
        look_up: Callable[[str], Layer | None] = lambda label: None,
    ) -> None:
        super().__init__(graph, scope=path, span=span)
        self.call_span = span
        self.spelling = spelling
        self.bound = bound
        self.warnings = warnings
        self.dtype = dtype
        self.look_up = look_up

    def weight(
        self, shape: Shape, *, name: str = "weight", init: Init = AUTO, literal: Any = None
    ) -> Value:
        """A learned tensor named `<path>.<name>`, with the author's literal values if any."""
        if literal is not None:
            literal = self._fitted(name, shape, literal)
        return self.parameter(
            f"{self.scope}.{name}",
            shape,
            init=init,
            trainable=not self.bound.frozen,
            literal=literal,
            dtype=self.dtype,
        )

    def bias(self, size: int, *, literal: Any = None) -> Value:
        """A learned vector named `<path>.bias` that starts at zero."""
        if literal is not None:
            literal = self._fitted("bias_value", (size,), literal)
        return self.parameter(
            f"{self.scope}.bias",
            (size,),
            init=ZEROS,
            trainable=not self.bound.frozen,
            literal=literal,
            dtype=self.dtype,
        )

    def buffer(self, name: str, shape: Shape, *, init: Init) -> Value:
        """A running statistic named `<path>.<name>`."""
        path = f"{self.scope}.{name}"
        return self.parameter(path, shape, init=init, buffer=True, dtype=self.dtype)

    def fail(
        self,
        code: str,
        message: str,
        *,
        at: str | None = None,
        notes: Iterable[str] = (),
        help: str | None = None,
    ) -> NetError:
        """An error that points at the argument `at`, or at the layer's name; ready to raise."""
        span = self.bound.spans.get(at or "", self.call_span)
        return error(code, f"{self.spelling} {message}", span, notes=notes, help=help)

    def warn(self, code: str, message: str, *, help: str | None = None) -> None:
        """Record a warning about this call."""
        text = f"{self.spelling} {message}"
        self.warnings.append(Diagnostic(code, text, self.call_span, help=help))

    def concrete(self, x: Value, axes: Iterable[int]) -> tuple[int, ...]:
        """The extents of `x` on `axes`, which weights depend on and so must be numbers."""
        extents = tuple(x.shape[axis] for axis in axes)
        numbers = tuple(extent for extent in extents if isinstance(extent, int))
        if len(numbers) < len(extents):
            raise self.fail(
                "E201", f"needs an input of known extents, but its input is {author_size(x.type)}"
            )
        return numbers

    def _fitted(self, name: str, shape: Shape, literal: Any) -> Any:
        """Literal values as nested tuples of exactly `shape`; one number fills it."""
        given = shape_of(literal)
        if given == tuple(shape):
            return literal
        if given == ():
            return _filled(shape, literal)
        wanted, found = "x".join(map(str, shape)), "x".join(map(str, given))
        raise self.fail("E205", f"takes a `{name}` of {wanted} numbers, not {found}", at=name)


def _filled(shape: Shape, number: float) -> Any:
    filled: Any = number
    for extent in reversed(shape):
        assert isinstance(extent, int)
        filled = (filled,) * extent
    return filled

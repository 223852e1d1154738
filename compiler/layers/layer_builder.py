"""What a layer function builds with: operators, its weights, and errors in its own words."""

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

from ...grammar.diagnostics import Diagnostic, NetError, Pointer, error
from ...grammar.limits import MAX_INTEGER
from ...grammar.source import Span
from ..expressions.arguments import WordCall
from ..expressions.binding import Bound
from ..expressions.budget import Budget
from ..expressions.recovery import POISON, Poisoned
from ..ir.builder import Builder
from ..ir.dim import LONGEST_FORMULA, is_long
from ..ir.graph import Graph, Layer, Node, Value
from ..ir.initializers import AUTO, ZEROS, Init
from ..ir.tensor import shape_of
from ..ir.types import DType, Shape, TensorType, author_size

LARGEST_FILLED = 10**7

BlockCaller = Callable[[WordCall, Span, tuple[Value, ...]], tuple[Value, ...]]


class LayerBuilder(Builder):
    """A builder for one call of one layer.

    Attributes:
        spelling: The layer as the author spelled it, for messages.
        warnings: Where `warn` collects its findings.
        shared: The path of the layer whose weights this one uses, or None.
        alone: Whether the layer has built by its arguments and the types of its operands alone: it
            has warned of nothing, and asked for nothing that is around it.
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
        find: Callable[[str], Value | None] = lambda label: None,
        call_block: BlockCaller | None = None,
        shared: str | None = None,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(graph, scope=path, span=span)
        self.call_span = span
        self.spelling = spelling
        self.bound = bound
        self.warnings = warnings
        self.dtype = dtype
        self.shared = shared
        self.alone = True
        self._look_up = look_up
        self._find = find
        self._call_block = call_block
        self._budget = budget or Budget()

    @property
    def graph(self) -> Graph:
        """What it builds onto, with all that is there already."""
        self.alone = False
        return self._graph

    @property
    def budget(self) -> Budget:
        """How many numbers the layers of a program may still compute."""
        self.alone = False
        return self._budget

    def look_up(self, label: str) -> Layer | None:
        """The layer that a label names where the call stands, or None."""
        self.alone = False
        return self._look_up(label)

    def find(self, label: str) -> Value | None:
        """The value that a label, a binding or a layer's name stands for here, or None.

        Raises:
            Poisoned: It stands for what was not computed.
        """
        self.alone = False
        found = self._find(label)
        if found is POISON:
            raise Poisoned
        return found

    def call_block(
        self, block: WordCall, tensors: Sequence[Value], *, at: str
    ) -> tuple[Value, ...]:
        """What a block yields of tensors, its layers below this one; `at` names the argument.

        Raises:
            NetError: There is no such block, or it does not take these tensors or arguments.
        """
        self.alone = False
        assert self._call_block is not None
        return self._call_block(block, self.bound.spans.get(at, self.call_span), (*tensors,))

    def _append(self, operator: Node) -> tuple[Value, ...]:
        """Append an operator, whose outputs must not be too large."""
        values = super()._append(operator)
        for value in values:
            self._check_size(value.type)
        return values

    def parameter(self, name: str, shape: Shape, **options: Any) -> Value:
        """Append a parameter, or find the one of the layer whose weights this one shares.

        Of a `PARAM`, which has one tensor with a batch of 1, that is the weight.
        """
        if self.shared is None:
            return super().parameter(name, shape, **options)
        source = self.shared + name.removeprefix(self.scope)
        bare = self._graph.parameters.get(self.shared)
        if bare is not None and name == f"{self.scope}.weight":
            self._check_shared(self.shared, bare.shape[1:], shape)
            return self.Squeeze(bare, self.index_constant((0,)))
        found = self._graph.parameters.get(source)
        if found is None:
            message = f"cannot share the weights of `{self.shared}`: there is no `{source}`"
            help = "write `bias=no`" if name == f"{self.scope}.bias" else None
            raise self.fail("E117", message, at="share", help=help)
        self._check_shared(source, found.shape, shape)
        return found

    def _check_shared(self, source: str, found: Shape, shape: Shape) -> None:
        """Refuse weights of another size."""
        if found != tuple(shape):
            sizes = ["x".join(map(str, extents)) for extents in (found, shape)]
            message = f"cannot share `{source}` of {sizes[0]} numbers where it needs {sizes[1]}"
            raise self.fail("E117", message, at="share")

    def weight(
        self,
        shape: Shape,
        *,
        name: str = "weight",
        init: Init = AUTO,
        literal: Any = None,
        fans: tuple[int, int] | None = None,
        at: str = "",
    ) -> Value:
        """A learned tensor named `<path>.<name>`, with the author's literal values if any.

        `fans` are fan_in and fan_out for its initializer, where the shape is not (out, in, *k);
        `at` is the argument that gives the values, where it is called otherwise.
        """
        if literal is not None:
            literal = self._fitted(at or name, shape, literal)
        return self.parameter(
            f"{self.scope}.{name}",
            shape,
            init=init,
            trainable=not self.bound.frozen,
            literal=literal,
            dtype=self.dtype,
            fans=fans,
        )

    def bias(self, shape: int | Shape, *, literal: Any = None) -> Value:
        """A learned vector, or an array of another shape, named `<path>.bias`; zero at first."""
        extents = (shape,) if isinstance(shape, int) else shape
        if literal is not None:
            literal = self._fitted("bias_value", extents, literal)
        return self.parameter(
            f"{self.scope}.bias",
            extents,
            init=ZEROS,
            trainable=not self.bound.frozen,
            literal=literal,
            dtype=self.dtype,
        )

    def tensor(
        self, shape: Shape, *, init: Init, literal: Any = None, buffer: bool = False
    ) -> Value:
        """A learned tensor (1, *shape) named `<path>`, as PyTorch names a bare parameter.

        A `buffer` is held as such a tensor, and not learned.
        """
        if isinstance(literal, tuple):
            literal = (self._fitted("value", shape, literal),)
        elif literal is not None:
            init, literal = Init("constant", (literal,)), None
        return self.parameter(
            self.scope,
            (1, *shape),
            init=init,
            trainable=not self.bound.frozen,
            buffer=buffer,
            literal=literal,
            dtype=self.dtype,
        )

    def buffer(self, name: str, shape: Shape, *, init: Init) -> Value:
        """A running statistic named `<path>.<name>`."""
        path = f"{self.scope}.{name}"
        return self.parameter(path, shape, init=init, buffer=True, dtype=self.dtype)

    def only_given(self, **values: Any) -> str:
        """The one of several arguments that the author gave.

        Raises:
            NetError: E105, it is none; E106, it is more than one.
        """
        given = [name for name, value in values.items() if value is not None]
        if len(given) == 1:
            return given[0]
        *others, last = (f"`{name}`" for name in values)
        found = " and ".join(given) or "none"
        message = f"takes one of {', '.join(others)} and {last}, not {found}"
        raise self.fail("E106" if given else "E105", message, at=given[-1] if given else None)

    def fail(
        self,
        code: str,
        message: str,
        *,
        at: str | None = None,
        also: Iterable[Pointer] = (),
        notes: Iterable[str] = (),
        help: str | None = None,
    ) -> NetError:
        """An error that points at the argument `at`, or at the layer's name; ready to raise."""
        span = self.bound.spans.get(at or "", self.call_span)
        text = f"{self.spelling} {message}"
        return error(code, text, span, also=also, notes=notes, help=help)

    def warn(self, code: str, message: str, *, help: str | None = None) -> None:
        """Record a warning about this call."""
        self.alone = False
        text = f"{self.spelling} {message}"
        self.warnings.append(Diagnostic(code, text, self.call_span, help=help))

    def concrete(self, x: Value, axes: Iterable[int]) -> tuple[int, ...]:
        """The extents of `x` on `axes`, which weights depend on and so must be numbers."""
        extents = tuple(x.shape[axis] for axis in axes)
        numbers = tuple(extent for extent in extents if isinstance(extent, int))
        if len(numbers) < len(extents):
            message = f"needs an input with known extents, but its input is {self.input_size(x)}"
            raise self.fail("E201", message)
        return numbers

    def input_size(self, x: Value) -> str:
        """The size of what met the layer, where `x` is that or what the layer made of it."""
        producer = self._graph.producer(x)
        while producer.scope == self.scope and producer.inputs and producer.inputs[0] is not None:
            x = producer.inputs[0]
            producer = self._graph.producer(x)
        return author_size(x.type)

    def _leaf(self, op_type: str, type: TensorType, **attributes: Any) -> Value:
        self._check_size(type)
        if (name := attributes.get("name")) is not None:
            self._check_name(name)
        return super()._leaf(op_type, type, **attributes)

    def _check_name(self, name: str) -> None:
        """Refuse a second tensor of a name: inputs and weights are given by name, together."""
        labelled = self._graph.labels.get(name) if name != self.scope else None
        earlier = self._graph.inputs.get(name) or self._graph.parameters.get(name) or labelled
        if earlier is None:
            return
        place = self._graph.producer(earlier).span
        raise self.fail(
            "E112",
            f"needs the name `{name}`, which is already taken",
            also=[] if place is None else [Pointer(place, "first given here")],
            help="give one of the two another label",
        )

    def _check_size(self, type: TensorType) -> None:
        """Refuse a tensor that no int64 can count the elements of."""
        size = 1
        for extent in type.shape:
            if isinstance(extent, int):
                size *= extent
            elif is_long(extent):
                what = f"an extent whose formula has more than {LONGEST_FORMULA} characters"
                help = "give the input numbers in place of names"
                raise self.fail("E404", f"yields {what}", help=help)
        if size > MAX_INTEGER:
            raise self.fail("E404", f"needs a tensor of {size:_} elements, beyond 2^63 - 1")

    def _fitted(self, name: str, shape: Shape, literal: Any) -> Any:
        """Literal values as nested tuples of exactly `shape`; one number fills it."""
        self._check_size(TensorType(self.dtype, shape))
        given = shape_of(literal)
        if given == tuple(shape):
            return literal
        if given == ():
            if (count := prod(e for e in shape if isinstance(e, int))) > LARGEST_FILLED:
                message = f"cannot fill {count:_} numbers with a literal"
                alternative = f"`init=constant({literal})` starts with the same values"
                raise self.fail("E404", message, at=name, help=alternative)
            return _filled(shape, literal)
        wanted, found = "x".join(map(str, shape)), "x".join(map(str, given))
        raise self.fail("E205", f"takes a `{name}` of {wanted} numbers, not {found}", at=name)


def _filled(shape: Shape, number: float) -> Any:
    filled: Any = number
    for extent in reversed(shape):
        assert isinstance(extent, int)
        filled = (filled,) * extent
    return filled

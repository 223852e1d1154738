"""Tensors of fixed numbers: literals, and tables that a rule computes."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import cos, prod, sin
from typing import Annotated, Any, Literal, NamedTuple

from ..expressions.arguments import Kind, Mismatch, Numbers, WordCall, kind_of, whole
from ..ir.graph import Value
from ..ir.tensor import Tensor, shape_of
from ..ir.types import DType
from .layer_builder import LayerBuilder
from .layerdef import layer

MOST_NUMBERS = 2**22
REAL, WHOLE = "d", "q"  # type codes of arrays
_STORED = {REAL: DType.FLOAT64, WHOLE: DType.INT64}

Extents = tuple[int, ...]


class Rule(NamedTuple):
    """A rule for a table of numbers.

    Attributes:
        example: How it is called.
        counts: Which arguments are whole and above 0.
        extents: The table's extents, given the arguments.
        code: The type code of its numbers.
        numbers: Its numbers row by row, given the arguments.
    """

    example: str
    counts: str
    extents: Callable[..., Extents]
    code: str
    numbers: Callable[..., Iterable[float]]


def _waves(length: int, channels: int) -> Iterable[float]:
    """sin(p / 10000^(2 i / C)) and its cosine in turns (Vaswani et al. 2017, section 3.5)."""
    rates = [10_000.0 ** (-2 * (c // 2) / channels) for c in range(channels)]
    waves = [(sin, cos)[c % 2] for c in range(channels)]
    pairs = list(zip(rates, waves, strict=True))
    return (wave(place * rate) for place in range(length) for rate, wave in pairs)


RULES: Mapping[str, Rule] = {
    "eye": Rule(
        *("eye(n)", "1", lambda n: (n, n), REAL),
        lambda n: (float(i == j) for i in range(n) for j in range(n)),
    ),
    "linspace": Rule(
        *("linspace(first, last, n)", "001", lambda a, b, n: (n,), REAL),
        lambda a, b, n: (a + (b - a) * i / max(n - 1, 1) for i in range(n)),
    ),
    "sinusoidal": Rule(
        "sinusoidal(length, channels)", "11", lambda length, c: (length, c), REAL, _waves
    ),
    "causal": Rule(
        *("causal(length)", "1", lambda n: (n, n), WHOLE),
        lambda n: (int(j <= i) for i in range(n) for j in range(n)),
    ),
    "relative": Rule(
        *("relative(length)", "1", lambda n: (n, n), WHOLE),
        lambda n: (i - j + n - 1 for i in range(n) for j in range(n)),
    ),
}
_NUMBERS = kind_of(Numbers)


def _content(value: Any) -> Any:
    """Numbers as they are written, or the call of a rule."""
    if not isinstance(value, WordCall):
        return _NUMBERS.convert(value)
    rule = RULES.get(value.name)
    if rule is None:
        raise Mismatch("a rule is called as in `eye(3)`")
    if len(value.arguments) != len(rule.counts):
        raise Mismatch
    given = [whole(number) for number in value.arguments]
    for number, is_count in zip(given, rule.counts, strict=True):
        fits = isinstance(number, int) and number > 0 if is_count == "1" else True
        if isinstance(number, bool) or not isinstance(number, int | float) or not fits:
            raise Mismatch
    return WordCall(value.name, tuple(given))


_EXAMPLES = ", ".join(f"`{rule.example}`" for rule in RULES.values())
_EXPECTED = f"a number, nested lists of numbers, or one of {_EXAMPLES}"
Content = Annotated[Any, Kind(_EXPECTED, _content, takes_lists=True)]


@layer("CONST", size="value", counts="value", number="value", choice="layout")
def constant(
    build: LayerBuilder,
    *,
    value: Content,
    layout: Literal["sequence"] | None = None,
    dtype: Literal["float32", "float64", "int64"] | None = None,
) -> Value:
    """A tensor of numbers that nothing trains, the same for every sample; no parameter counts.

    A list of numbers is a vector (1, C), lists of lists are a sequence (1, L, C), deeper ones have
    their channels first, (1, C, *S), as the `value` of `PARAM`; merges repeat it along the batch.
    """
    own = RULES[value.name].code if isinstance(value, WordCall) else REAL
    kind = DType(dtype) if dtype else DType.INT64 if own == WHOLE else DType.FLOAT32
    held = _tensor(build, value, REAL if kind.is_float else WHOLE)
    shape = held.shape or (1,)
    if layout == "sequence" and len(shape) == 1:
        shape = (*shape, 1)
    x = build.constant(Tensor(held.dtype, (1, *shape), held.data), kind)
    return build.Identity(x)


def rule_of(held: Tensor) -> WordCall | None:
    """The rule that a square table is by, such as `eye(8)`; None where there is none."""
    if len(held.shape) != 2 or held.shape[0] != held.shape[1] or held.shape[0] < 2:
        return None
    numbers = held.numbers()
    for name, rule in RULES.items():
        if rule.counts == "1" and numbers == tuple(rule.numbers(held.shape[0])):
            return WordCall(name, held.shape[:1])
    return None


def _tensor(build: LayerBuilder, value: Any, code: str) -> Tensor:
    """The numbers in the type that they are kept in, real ones with the precision of float64."""
    extents: Extents
    numbers: Iterable[float]
    if isinstance(value, WordCall):
        rule = RULES[value.name]
        extents, numbers = rule.extents(*value.arguments), rule.numbers(*value.arguments)
    else:
        extents, numbers = shape_of(value), _flat(value)
    if prod(extents) > MOST_NUMBERS:
        message = f"holds {prod(extents):_} numbers, and not up to {MOST_NUMBERS:_}"
        raise build.fail("E404", message, at="value")
    if code == WHOLE:
        numbers = [_whole(build, number) for number in numbers]
    return Tensor(_STORED[code], extents, array(code, numbers).tobytes())


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _whole(build: LayerBuilder, number: float) -> int:
    if number != int(number):
        raise build.fail("E103", f"holds {number:g}, which is not an integer", at="dtype")
    return int(number)

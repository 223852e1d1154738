"""Arrays from outside -> arrays that a network takes: names, element types, ranks and extents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from ...compiler.ir.dim import Dim, Polynomial, is_unknown, substitute
from ...compiler.ir.graph import Graph
from ...compiler.ir.types import DType, HolderType, OptionalType, SequenceType, TensorType
from ...grammar.diagnostics import Diagnostic, NetError, did_you_mean, listing
from ..kerneldef import Array
from .element_types import numpy_type
from .from_python import are_words, fault_of, to_array


@dataclass(frozen=True, slots=True)
class CheckedFeeds:
    """Checked inputs.

    Attributes:
        arrays: By name, cast to the element types that the network takes.
        symbols: The extents that the inputs determine, such as the batch `N`.
    """

    arrays: dict[str, Array]
    symbols: dict[str, int]


def check_feeds(types: Mapping[str, TensorType], feeds: Mapping[str, Any]) -> CheckedFeeds:
    """Check and cast the inputs of one run.

    Integers and other floats are cast to the input's float type; floats are never cast to
    integers.

    Raises:
        NetError: E206, with a diagnostic for each name, element type, rank or extent that does
            not fit.
    """
    findings = list(_name_findings(types, feeds))
    arrays: dict[str, Array] = {}
    symbols: dict[str, int] = {}
    settled_by: dict[str, str] = {}
    for name, type in types.items():
        if name in feeds:
            arrays[name], found = _taken(name, type, feeds[name], symbols, settled_by)
            findings += found
    if findings:
        raise NetError(findings)
    return CheckedFeeds(arrays, symbols)


def shapes_as_taken(
    types: Mapping[str, TensorType], feeds: Mapping[str, Any]
) -> tuple[tuple[int, ...], ...] | None:
    """The shapes of arrays that need no cast, by which alone they fit; None for other feeds."""
    if feeds.keys() != types.keys():
        return None
    shapes = []
    for name, type in types.items():
        array = feeds[name]
        plain = array.__class__ is np.ndarray and array.dtype == numpy_type(type.dtype)
        if not plain or type.dtype is DType.UINT64:  # of which some numbers are too large
            return None
        shapes.append(array.shape)
    return tuple(shapes)


def unfit(message: str, *, help: str | None = None) -> Diagnostic:
    """A finding about a concrete input."""
    return Diagnostic("E206", message, help=help)


def spell(shape: Sequence[Dim]) -> str:
    """Extents as text: `N x 3 x 32 x 32`; a scalar is `no axes`."""
    return " x ".join(map(str, shape)) or "no axes"


def _name_findings(
    types: Mapping[str, TensorType], feeds: Mapping[str, Any]
) -> Iterable[Diagnostic]:
    """Inputs that are missing, and arrays that no input takes."""
    unknown = [name for name in feeds if name not in types]
    for name, type in types.items():
        if name not in feeds:
            help = f"it takes {type.dtype.value} of {spell(type.shape)}"
            help = f"it takes {type}" if isinstance(type, HolderType) else help
            yield unfit(f"the input `{name}` is missing", help=help)
    for name in unknown:
        names = listing(types)
        all_of_them = f"the inputs are {names}" if types else "it takes no inputs"
        near = did_you_mean(str(name), types) or all_of_them
        yield unfit(f"the network has no input `{name}`", help=near)


def help_on_value(graph: Graph, name: object) -> str | None:
    """What to do where an input is called by the name of the value that it is bound to."""
    value = graph.labels.get(str(name))
    own = next((own for own, input in graph.inputs.items() if input == value), None)
    if own is None:
        return None
    return f"the input is called `{own}`; with `INPUT(...) as {name}` it is `{name}`"


def is_array(value: Any) -> bool:
    """Whether it is an array, and not a list of arrays or nothing."""
    return isinstance(value, np.ndarray)


def _taken(
    name: str, type: TensorType, given: Any, symbols: dict[str, int], settled_by: dict[str, str]
) -> tuple[Any, list[Diagnostic]]:
    """An input as the network takes it: an array, a list of arrays, or None for nothing."""
    if isinstance(type, OptionalType) and given is None:
        return None, []
    if isinstance(type, OptionalType) and type.element is not None:
        return _taken(name, type.element, given, symbols, settled_by)
    if isinstance(type, SequenceType):
        if not isinstance(given, list | tuple):
            return [], [unfit(f"the input `{name}` takes a list of arrays")]
        held = type.element or OptionalType(type.dtype, ())
        each = [
            _taken(f"{name}[{place}]", held, array, symbols, settled_by)
            for place, array in enumerate(given)
        ]
        return [array for array, _ in each], [one for _, found in each for one in found]
    array, finding = _cast(name, type, given)
    if not isinstance(type, HolderType):  # of which the rank is known
        finding = finding or _shape_finding(name, type, array, symbols, settled_by)
    return array, [finding] if finding else []


def _cast(name: str, type: TensorType, given: Any) -> tuple[Array, Diagnostic | None]:
    """The array in the input's element type, where a cast keeps its meaning."""
    target = numpy_type(type.dtype)
    try:
        array = to_array(given)
    except ValueError:
        return np.empty(0), unfit(f"the input `{name}` takes an array of numbers")
    if type.dtype is DType.STRING and are_words(array):
        return array.astype(object), None
    if not type.dtype.in_numpy and array.dtype == target:
        return array, None
    fault = fault_of(array)
    if fault is not None:
        return array, unfit(f"the input `{name}` holds {fault[0]}", help=fault[1])
    if array.dtype == target:
        return array, None
    if array.dtype.kind not in _CASTS.get(target.kind, ""):
        return array, unfit(
            f"the input `{name}` takes numbers of {type.dtype.value}, but got {array.dtype.name}",
            help="round the numbers, and cast them with `.astype`",
        )
    with np.errstate(over="ignore"):
        return array.astype(target), None


# For the kind of an input's element type, the kinds that are cast to it.
_CASTS = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}


def _shape_finding(
    name: str, type: TensorType, array: Array, symbols: dict[str, int], settled_by: dict[str, str]
) -> Diagnostic | None:
    """Compare rank and extents; the first input that has a symbol determines it.

    There may be no samples, but each sample holds numbers.
    """
    if array.ndim != len(type.shape):
        return _unfit_shape(name, type, array)
    for axis, (dim, extent) in enumerate(zip(type.shape, array.shape, strict=True)):
        wanted = substitute(dim, symbols)
        if isinstance(wanted, Polynomial) and extent == 0 and axis > 0:
            return unfit(f"the input `{name}` is empty: {spell(array.shape)}")
        if is_unknown(wanted):
            continue
        if isinstance(wanted, Polynomial):
            symbols[str(wanted)] = extent
            settled_by[str(wanted)] = name
        elif wanted != extent and str(dim) in settled_by:
            return _inconsistent(name, str(dim), extent, wanted, settled_by[str(dim)])
        elif wanted != extent:
            return _unfit_shape(name, type, array)
    return None


def _inconsistent(name: str, symbol: str, extent: int, settled: int, other: str) -> Diagnostic:
    what = "the batch " if symbol == "N" else ""
    if other == name:
        message = f"the input `{name}` has {what}{symbol} as {settled} and as {extent}"
    else:
        message = (
            f"the inputs `{other}` and `{name}` differ in {what}{symbol}: {settled} and {extent}"
        )
    return unfit(message)


def _unfit_shape(name: str, type: TensorType, array: Array) -> Diagnostic:
    return unfit(
        f"the input `{name}` takes {spell(type.shape)}, but got {spell(array.shape)}",
        help=_remedy(type.shape, array.shape),
    )


def _remedy(wanted: Sequence[Dim], given: tuple[int, ...]) -> str | None:
    """What makes the array fit: a batch axis, or axes in another order."""
    if len(given) + 1 == len(wanted) and _fits(wanted[1:], given):
        return "the batch axis comes first: `x[None]` is a batch of one"
    if len(given) != len(wanted):
        axes = "axis" if len(wanted) == 1 else "axes"
        return f"give an array of {len(wanted)} {axes}, the batch first"
    for order in permutations(range(1, len(given))):
        perm = (0, *order)
        if _fits(wanted, tuple(given[axis] for axis in perm)):
            first = "the channels come before rows and columns"
            first = first if len(wanted) > 3 else "the channels of a sequence come last"
            return f"{first}: `x.transpose{perm}`"
    return None


def _fits(wanted: Sequence[Dim], given: Sequence[int]) -> bool:
    return all(not isinstance(w, int) or w == g for w, g in zip(wanted, given, strict=True))

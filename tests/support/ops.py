"""The op table test: what one row says of an operator, and how it is checked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.emit.onnx import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Node, Value, own_arguments
from netc.compiler.ir.tensor import Tensor
from netc.compiler.ir.types import DType, HolderType, OptionalType, SequenceType, TensorType
from netc.compiler.onnx_standard.protos import type_proto, value_info
from netc.runtime import kernels  # noqa: F401 - fills the kernel table
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.engines.bodies import Body
from netc.runtime.engines.executor import compute_inside
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import KERNELS, Array

OPSET, IR_VERSION = 22, 10
BATCHES = (1, 3)
FLOAT32_TOLERANCE = 1e-5
FLOAT64_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Random:
    """An argument of uniform random numbers; a `None` in its shape is the batch."""

    shape: tuple[int | None, ...]
    low: float = -1.0
    high: float = 1.0
    dtype: str = "float32"

    def type(self) -> TensorType:
        """Its type, the batch symbolic."""
        return TensorType(DType(self.dtype), tuple(BATCH if e is None else e for e in self.shape))

    def values(self, batch: int, seed: int) -> Array:
        """Its values for a batch; the low end is included, and for integers the high end not."""
        random = np.random.default_rng(seed)
        shape = [batch if extent is None else extent for extent in self.shape]
        if np.dtype(self.dtype).kind == "f":
            return random.uniform(self.low, self.high, shape).astype(self.dtype)
        return random.integers(int(self.low), int(self.high), shape).astype(self.dtype)


@dataclass(frozen=True)
class Given:
    """An argument of these very numbers; they do not depend on the batch."""

    numbers: Any
    dtype: str = "float32"

    def type(self) -> TensorType:
        """Its type."""
        return TensorType(DType(self.dtype), self.values(1, 0).shape)

    def values(self, batch: int, seed: int) -> Array:
        """The numbers."""
        return np.array(self.numbers, self.dtype)


@dataclass(frozen=True)
class Known:
    """A constant, as nested tuples: type inference sees its numbers, such as a shape or axes."""

    numbers: Any
    dtype: str = "int64"

    def values(self, batch: int, seed: int) -> Array:
        """The numbers."""
        return np.array(self.numbers, self.dtype)


@dataclass(frozen=True)
class Row:
    """An argument that is a sequence of these."""

    held: tuple[Random | Given, ...]
    dtype: str = "float32"

    def type(self) -> TensorType:
        """Its type."""
        found: TensorType = SequenceType(DType(self.dtype), (), empty=True)
        for each in self.held:
            joined = found.joined(SequenceType.of(each.type()))
            assert joined is not None
            found = joined
        return found

    def values(self, batch: int, seed: int) -> list[Array]:
        """The arrays."""
        return [each.values(batch, seed + place) for place, each in enumerate(self.held)]


@dataclass(frozen=True)
class Maybe:
    """An optional argument: a value, or none of its type."""

    held: Random | Row
    is_there: bool = True

    def type(self) -> TensorType:
        """Its type."""
        return OptionalType.of(self.held.type())

    def values(self, batch: int, seed: int) -> Any:
        """The value, or None."""
        return self.held.values(batch, seed) if self.is_there else None


Argument = Random | Given | Known | Row | Maybe


@dataclass(frozen=True)
class OpRow:
    """An operator on some arguments.

    Attributes:
        arguments: In order; None where an optional one is left out.
        attributes: What differs from ONNX's defaults.
        outputs: How many outputs are asked for.
        formula: What the operator means, written again in float64: `formula(*arrays,
            **attributes)`, a result or a tuple. Where it is None, ONNX's reference says so.
        no_engine: Why onnxruntime is not compared with: it lacks the operator, or deviates.
        engine_from: The version of onnxruntime from which it is compared with; earlier ones
            deviate from the definition, or refuse the operator.
        no_gradient: Why the gradient is not compared with differences: the row stands at a tie
            or a jump, where there is no derivative.
        subgraphs: What the operator runs; what they capture are the last arguments.
    """

    op_type: str
    arguments: tuple[Argument | None, ...]
    attributes: Mapping[str, Any]
    outputs: int = 1
    formula: Callable[..., Any] | None = field(default=None, repr=False)
    no_engine: str = field(default="", repr=False)
    engine_from: str = field(default="", repr=False)
    no_gradient: str = field(default="", repr=False)
    subgraphs: Mapping[str, Graph] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        shapes = [_spell(argument) for argument in self.arguments]
        numbers = [f"{key}={value}" for key, value in self.attributes.items()]
        asked = [f"outputs={self.outputs}"] if self.outputs > 1 else []
        names = [inner.name for inner in self.subgraphs.values()]
        return f"{self.op_type}({', '.join(shapes + numbers + asked + names)})".replace(" ", "")

    @property
    def has_engine(self) -> bool:
        """Whether the onnxruntime that is installed is to be compared with."""
        return not self.no_engine and version_of(onnxruntime.__version__) >= version_of(
            self.engine_from
        )

    @property
    def is_of_tensors(self) -> bool:
        """Whether its operator takes and yields nothing but tensors."""
        types = [a.type() for a in self.arguments if not isinstance(a, Known | None)]
        return not any(isinstance(type, HolderType) for type in (*types, *node_of(self).outputs))

    @property
    def batches(self) -> tuple[int, ...]:
        """The batch sizes to try: 1 and 3, or only 1 where nothing depends on it."""
        shapes = [a.shape for a in self.arguments if isinstance(a, Random)]
        return BATCHES if any(None in shape for shape in shapes) else (1,)


def op_row(
    op_type: str,
    *arguments: Argument | None,
    outputs: int = 1,
    formula: Callable[..., Any] | None = None,
    no_engine: str = "",
    engine_from: str = "",
    no_gradient: str = "",
    subgraphs: Mapping[str, Graph] = MappingProxyType({}),
    **attributes: Any,
) -> OpRow:
    """A row; ONNX's attributes are keywords."""
    reasons = (no_engine, engine_from, no_gradient)
    return OpRow(op_type, arguments, attributes, outputs, formula, *reasons, subgraphs)


def apply(build: Builder, row: OpRow, values: Sequence[Value | None]) -> tuple[Value, ...]:
    """Append the row's operator."""
    given, inside = row.attributes, row.subgraphs
    return build.op(row.op_type, values, given, outputs=row.outputs, subgraphs=inside)


def graph_of(row: OpRow) -> Graph:
    """The row's operator as the compiler infers it, and its arguments `a0`, `a1` and so on."""
    graph = Graph("row")
    build = Builder(graph)
    values = [_value(build, i, argument) for i, argument in enumerate(row.arguments)]
    outputs = apply(build, row, values)
    graph.outputs |= {f"y{i}": output for i, output in enumerate(outputs)}
    return graph


def node_of(row: OpRow) -> Node:
    """The row's operator, in a graph of its own."""
    graph = graph_of(row)
    return graph.producer(graph.outputs["y0"])


def arguments_of(row: OpRow, batch: int, *, wide: bool = False) -> list[Any]:
    """The row's arrays; with `wide`, floats in float64. Of a sequence it is a list."""
    arrays = [None if a is None else a.values(batch, i) for i, a in enumerate(row.arguments)]
    return [_widened(array) if wide and array is not None else array for array in arrays]


def run_kernel(row: OpRow, arguments: Sequence[Any], **options: Any) -> list[Any]:
    """The kernel's results, called as the executor calls it."""
    found = KERNELS[row.op_type]
    asked = {"outputs": row.outputs} if found.counts_outputs else {}
    if row.subgraphs:
        options |= bodies_of(row, arguments)
        arguments = arguments[: own_arguments(len(arguments), row.subgraphs)]
    with np.errstate(all="ignore"):
        results = found.function(*arguments, **node_of(row).attributes, **asked, **options)
    # Of arrays without axes NumPy makes scalars, which the executor turns back.
    return [
        r if r is None or isinstance(r, list) else np.asarray(r)
        for r in (results if isinstance(results, tuple) else (results,))
    ]


def _arrays(*values: Any) -> Iterator[Array]:
    """All arrays, those in lists, too."""
    for value in values:
        if isinstance(value, list):
            yield from _arrays(*value)
        elif value is not None:
            yield value


def bodies_of(row: OpRow, arguments: Sequence[Array | None]) -> dict[str, Body]:
    """The row's subgraphs, ready to run on what they capture."""
    wide = any(array.dtype == np.float64 for array in _arrays(*arguments))
    planned = plan(graph_of(row), dtype="float64" if wide else None)
    slots: list[Array | None] = [None] * planned.slots
    for name, slot in planned.feeds.items():
        slots[slot] = arguments[int(name[1:])]
    for slot, array in planned.constants:
        slots[slot] = array
    subplans = planned.steps[-1].subplans
    return {name: Body(each, slots, compute_inside) for name, each in subplans.items()}


def check_types(row: OpRow) -> None:
    """Inferred types are the results' shapes and types, for every batch, the empty one, too."""
    node = node_of(row)
    for batch in (0, *row.batches) if len(row.batches) > 1 else row.batches:
        for wide in (False, True):
            results = run_kernel(row, arguments_of(row, batch, wide=wide))
            for result, type in zip(results, node.outputs, strict=True):
                _check_type(result, type.bind({"N": batch}), wide=wide)


def _check_type(result: Any, type: TensorType, *, wide: bool) -> None:
    if isinstance(type, HolderType):
        assert isinstance(result, list) == isinstance(type, SequenceType) or type.element
        assert result is not None or isinstance(type, OptionalType)
        for each in result if isinstance(type, SequenceType) else [result]:
            if each is not None and type.element is not None:
                _check_type(each, type.element, wide=wide)
        return
    assert type.agrees(type.with_shape(result.shape))
    assert result.dtype == ("float64" if wide and type.dtype.is_float else type.dtype.value)


def check_engine(row: OpRow) -> None:
    """The float32 kernel equals onnxruntime, norm-wise within 1e-5."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    for batch in row.batches:
        arguments = arguments_of(row, batch)
        model = model_of(row, arguments).SerializeToString()
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        expected = session.run(None, dict(_named(arguments)))
        _compare(run_kernel(row, arguments), expected, FLOAT32_TOLERANCE)


def check_meaning(row: OpRow) -> None:
    """The float64 kernel equals the row's formula or ONNX's reference."""
    for batch in row.batches:
        arguments = arguments_of(row, batch, wide=True)
        if row.formula is not None:
            result = row.formula(*arguments, **row.attributes)
            expected = list(result) if isinstance(result, tuple) else [result]
        else:
            reference = ReferenceEvaluator(model_of(row, arguments))
            expected = list(reference.run(None, dict(_named(arguments))))
        _compare(run_kernel(row, arguments), expected, FLOAT64_TOLERANCE)


def check_memory(row: OpRow) -> None:
    """The kernel leaves its arguments alone, shares memory only if it says so, and takes `out`."""
    found = KERNELS[row.op_type]
    arguments = arguments_of(row, row.batches[-1])
    before = [None if array is None else array.copy() for array in arguments]
    held = [array.copy() for array in _arrays(*arguments)]
    for array in _arrays(*arguments):
        array.flags.writeable = False
    results = run_kernel(row, arguments)
    _compare([*_arrays(*arguments)], held, 0.0)
    single = [array for array in arguments if isinstance(array, np.ndarray)]
    shares = any(np.shares_memory(r, a) for r in _arrays(*results) for a in single)
    assert found.view or not shares, "a kernel whose results may share memory says `view=True`"
    if found.inplace:
        _check_inplace(row, before, results[0])


def _check_inplace(row: OpRow, arguments: Sequence[Any], expected: Array) -> None:
    """Written over any argument of the result's type, the result is the same."""
    for position, argument in enumerate(arguments):
        if argument is None or (argument.shape, argument.dtype) != (expected.shape, expected.dtype):
            continue
        fresh = [None if array is None else array.copy() for array in arguments]
        (result,) = run_kernel(row, fresh, out=fresh[position])
        assert result is fresh[position]
        _compare([result], [expected], 0.0)


def model_of(row: OpRow, arguments: Sequence[Array | None]) -> onnx.ModelProto:
    """The operator alone as an ONNX model, all its arguments as inputs."""
    if row.subgraphs:
        file = BytesIO()
        write(graph_of(row), {}, file)
        return onnx.load_from_string(file.getvalue())
    names = ["" if array is None else f"a{i}" for i, array in enumerate(arguments)]
    attributes = {key: _plain(value) for key, value in row.attributes.items() if value is not None}
    results = [f"y{i}" for i in range(row.outputs)]
    node = helper.make_node(row.op_type, names, results, **attributes)
    inputs = [value_info(name, _type_of(array)) for name, array in _named(arguments)]
    graph = helper.make_graph(
        [node], "row", inputs, [onnx.ValueInfoProto(name=name) for name in results]
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def _type_of(value: Any) -> TensorType:
    """The type of an array, or of a list that holds some."""
    if isinstance(value, list):
        return SequenceType(DType(value[0].dtype.name), ()) if value else Row(()).type()
    return TensorType(DType(value.dtype.name), value.shape)


def _plain(value: Any) -> Any:
    """An attribute as ONNX has it, which numbers element types."""
    if isinstance(value, DType):
        return helper.np_dtype_to_tensor_dtype(np.dtype(value.value))
    if isinstance(value, TensorType):
        return type_proto(value)
    if isinstance(value, Tensor):
        return numpy_helper.from_array(np.asarray(value))
    return value


def _named(arguments: Sequence[Array | None]) -> Iterator[tuple[str, Array]]:
    return ((f"a{i}", array) for i, array in enumerate(arguments) if array is not None)


def _compare(found: Sequence[Any], expected: Sequence[Any], tolerance: float) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        if a is None or isinstance(a, list):
            assert isinstance(b, list) == isinstance(a, list)
            _compare([*_arrays(a)], [*_arrays(b)], tolerance)
            continue
        assert np.asarray(b).shape == a.shape
        if a.dtype.kind != "f":
            np.testing.assert_array_equal(a, b)
        elif np.any(b):
            assert norm_difference(a, np.asarray(b)) <= tolerance
        else:
            assert np.max(np.abs(a), initial=0.0) <= tolerance


def _value(build: Builder, position: int, argument: Argument | None) -> Value | None:
    if argument is None:
        return None
    if isinstance(argument, Known):
        return build.constant(argument.numbers, DType(argument.dtype))
    return build.input(f"a{position}", argument.type())


def _widened(array: Any) -> Any:
    if isinstance(array, list):
        return [*map(_widened, array)]
    return array.astype(np.float64) if array.dtype == np.float32 else array


def version_of(text: str) -> tuple[int, ...]:
    """Major and minor number; nothing comes before all versions."""
    return tuple(int(part) for part in text.split(".")[:2] if part)


def _spell(argument: Argument | None) -> str:
    if argument is None:
        return "-"
    if isinstance(argument, Random):
        return "x".join("N" if e is None else str(e) for e in argument.shape) or "scalar"
    if isinstance(argument, Row):
        return f"[{', '.join(map(_spell, argument.held))}]"
    if isinstance(argument, Maybe):
        return f"{_spell(argument.held)}?" if argument.is_there else "none"
    return str(argument.numbers)

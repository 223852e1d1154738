"""A model in half precision against its network in float32: how far their outputs are apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...compiler.emit.onnx import Half, RoundedState, export
from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import CONSTANT, LEAVES, Graph, Node, Value
from ...compiler.ir.types import DType, TensorType
from ...compiler.ops.opdef import Moves, Operands, row_of
from ...compiler.passes.rewrite import RewriteRule, copy, rewrite
from ...grammar.diagnostics import NetError, error
from ..arrays.held import in_each, one_by_one
from ..kerneldef import Array
from ..weights.state import LazyState, State
from .deviations import Rounding, deviation
from .engine import run
from .plain_weights import with_plain_weights
from .session import Session
from .verification import BATCHES, random_feeds

# By how many roundings, of half a unit in the last place each, outputs may differ when verified.
ALLOWED_ROUNDINGS = 32
ROUNDING: Mapping[DType, float] = {DType.FLOAT16: 2.0**-11, DType.BFLOAT16: 2.0**-8}


@dataclass(frozen=True, slots=True)
class HalfModel:
    """A model in half precision and what it was made of.

    Attributes:
        path: The model.
        half: How it was written.
        exported: The graph that is in it.
        graph: The network, of float32.
        state: Its weights, of float32.
    """

    path: str
    half: Half
    exported: Graph
    graph: Graph
    state: State

    def measure(self, *, batch: int = 2) -> Rounding:
        """Run the model, and the network in float32, on the same random batch.

        onnxruntime runs the model as it is. As it computes float16 on the CPU in float32, where
        nothing overflows, and has no kernels of bfloat16, float32 with each result rounded is
        measured, too, and each output's larger deviation counts.
        """
        note, dtype, engine = "", self.half.dtype.value, "onnxruntime"
        found: list[Mapping[str, Array]] = []
        try:
            feeds = random_feeds(self.graph, batch)
            expected = one_by_one(run(self.graph, feeds, self.state))
            try:
                found.append(self._as_it_is(feeds))
            except NetError as failure:
                note = failure.diagnostics[0].message
                engine = "numpy" if failure.diagnostics[0].code == "E502" else engine
            state = Singles(RoundedState(self.state, self.exported))
            found.append(one_by_one(run(with_casts(self.exported), feeds, state, engine=engine)))
        except NetError as failure:
            return Rounding(dtype, batch, {}, note or failure.diagnostics[0].message)
        outputs = {
            name: max(deviation(each[name], array) for each in found)
            for name, array in expected.items()
        }
        return Rounding(dtype, batch, outputs, note)

    def verify(self) -> str:
        """Measure several batches, and say that all outputs are close enough.

        Raises:
            NetError: E504, they are not, or no engine could compute them.
        """
        measured = [self.measure(batch=batch) for batch in BATCHES]
        allowed = ALLOWED_ROUNDINGS * ROUNDING[self.half.dtype]
        for each in measured:
            if not each.outputs:
                raise error("E504", str(each))
        worst = max(each.worst for each in measured)
        batches = " and ".join(map(str, BATCHES))
        names = f"{self.half.dtype.value} and float32"
        if not worst <= allowed:
            found = f"differ by {worst:.1e} of the largest output, and {allowed:.1e} is allowed"
            raise error("E504", f"{names} {found}", help="export it in float32")
        return (
            f"{measured[-1]}\n{names} agree within {worst:.1e} of the largest output "
            f"(batch {batches}; {allowed:.1e} is allowed)"
        )

    def _as_it_is(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs of the model on onnxruntime."""
        session = Session(self.path)
        types = session.inputs

        def cast(name: str) -> Callable[[Array], Array]:
            return lambda array: array.astype(types[name].dtype.value)

        given = {name: in_each(cast(name), value) for name, value in feeds.items()}
        return one_by_one(session.run(given))


def export_model(
    graph: Graph, state: State, path: str, half: Half | None, **options: Any
) -> HalfModel | None:
    """Write a network as an ONNX model, on demand in half precision, which is then returned.

    Normalized weights are plain ones in it.

    Args:
        graph: The network, mode-neutral.
        state: Parameters and buffers by name.
        path: The model's file.
        half: The type, if not float32.
        options: Further ones of `export`.

    Raises:
        NetError: As `export`.
    """
    graph, state = with_plain_weights(graph, state)
    exported = export(graph, state, path, half=half, **options)
    return None if half is None else HalfModel(path, half, exported.graph, graph, state)


def with_casts(graph: Graph) -> Graph:
    """A graph in half precision as one of float32 that rounds every result."""
    rules: dict[str, RewriteRule] = {node.op_type: _rounded for _, node in graph.nodes()}
    return rewrite(graph, rules | dict.fromkeys(LEAVES, _widened))


class Singles(LazyState):
    """Weights of half precision in float32."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.state = state

    def __getitem__(self, name: str) -> Array:
        array = np.asarray(self.state[name])
        return array.astype(np.float32) if array.dtype.name in _HALVES else array

    def type_of(self, name: str) -> TensorType:
        """A weight's type; it is read for that."""
        array = self[name]
        return TensorType(DType(array.dtype.name), array.shape)


_HALVES = frozenset(dtype.value for dtype in ROUNDING)


def _widened(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    (type,) = node.outputs
    if type.dtype not in ROUNDING:
        return None
    if node.op_type == CONSTANT:
        exact = build.constant(node.attributes["value"], DType.FLOAT32)
        return (_round_trip(build, exact, type.dtype),)
    single = TensorType(DType.FLOAT32, type.shape)
    (value,) = build.graph.add(replace(node, outputs=(single,)))
    return (_round_trip(build, value, type.dtype),)


def _rounded(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """The operator in float32, and its results rounded where they were."""
    if node.attributes.get("to") in ROUNDING:
        (operand,) = operands
        assert operand is not None
        return (_round_trip(build, operand, node.attributes["to"]),)
    exact = row_of(node).moves is not Moves.NONE
    return tuple(
        value if exact or type.dtype not in ROUNDING else _round_trip(build, value, type.dtype)
        for value, type in zip(copy(build, node, operands), node.outputs, strict=True)
    )


def _round_trip(build: Builder, value: Value, dtype: DType) -> Value:
    return build.Cast(build.Cast(value, to=dtype), to=DType.FLOAT32)

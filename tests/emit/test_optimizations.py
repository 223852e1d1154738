"""What engines let passes do before they run: fewer operators, and the same results to the bit."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import LEAVES, Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.onnx_standard.foreign_operators import foreign_row
from netc.compiler.passes.cancel_reshapes import cancel_reshapes
from netc.compiler.passes.cancel_transposes import cancel_transposes
from netc.compiler.passes.eliminate_common_subexpressions import eliminate_common_subexpressions
from netc.compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from netc.compiler.passes.fold_constants import fold_constants
from netc.compiler.passes.pipeline import OPTIMIZE, Pass, optimize
from netc.compiler.passes.remove_identities import remove_identities
from netc.compiler.training.descent import Descent
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import TrainStep, train_step
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan

IMAGES = "INPUT(6x6x2) -> [CONV(3x3, 4, bias=no) -> BN -> RELU]*2 -> POOL -> DROPOUT(0.3) -> FC(3)"
SEQUENCE = """\
INPUT(5x8, sequence) -> ( ID | LN -> ATTENTION(2) ) -> ADD -> CONV(kernel=3, filters=8) -> GELU
  -> CONV(kernel=3, filters=8) -> LN -> GAP -> FC(2)
"""
REAL = TensorType(DType.FLOAT32, (BATCH, 4))


@cache
def step_of(program: str, optimizer: str = "adam") -> TrainStep:
    """A step of training on the mean squared error."""
    graph = netc.compile(program).graph
    objective = Objective({"output": Term("loss", "mse", {"half": False})})
    return train_step(graph, objective, Descent(OPTIMIZERS.term(optimizer)))


def operators(graph: Graph) -> Sequence[str]:
    """The operators of a graph, in order."""
    return [node.op_type for _, node in graph.nodes() if node.op_type not in LEAVES]


def start(*names: str, type: TensorType = REAL) -> tuple[Builder, list[Value]]:
    """A builder on a new graph, and its inputs."""
    build = Builder(Graph("net"))
    return build, [build.input(name, type) for name in names]


def left(change: Callable[[Graph], Graph], build: Builder, *outputs: Value) -> Sequence[str]:
    """The operators that a pass leaves to be computed for some outputs."""
    build.graph.outputs = {f"y{i}": value for i, value in enumerate(outputs)}
    changed = change(build.graph)
    verify(changed)
    assert [v.type for v in changed.outputs.values()] == [v.type for v in outputs]
    return operators(eliminate_dead_nodes(changed))


@pytest.mark.parametrize("each", OPTIMIZE, ids=lambda each: str(each.name))
@pytest.mark.parametrize("program", [IMAGES, SEQUENCE])
def test_idempotence(program: str, each: Pass) -> None:
    """What a pass has done, it finds nothing more to do in."""
    once = each.run(step_of(program).graph)
    verify(once)
    assert each.run(once) is once


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("program", [IMAGES, SEQUENCE])
def test_same_results(program: str, dtype: str) -> None:
    """A step of training gives the same loss, outputs and weights, to the bit."""
    step = step_of(program)
    random, feeds = np.random.default_rng(0), {}
    for name, value in step.graph.inputs.items():
        shape = value.type.bind({"N": 3}).extents
        kind = dtype if value.dtype == DType.FLOAT32 else value.dtype.value
        feeds[name] = np.asarray(random.uniform(0.1, 1, shape)).astype(kind)
    plain, shorter = (
        run(plan(g, dtype=dtype), feeds, {}) for g in (step.graph, optimize(step.graph))
    )
    assert plain.keys() == shorter.keys()
    for name, array in plain.items():
        assert array.tobytes() == shorter[name].tobytes(), name


def test_corrections_are_computed_once() -> None:
    """Adam corrects the moments of all weights by the same two numbers."""
    graph = step_of(IMAGES).graph
    before, after = Counter(operators(graph)), Counter(operators(optimize(graph)))
    weights = sum(name.endswith(".grad") for name in graph.labels)
    assert (before["Pow"], after["Pow"]) == (2 * weights, 2)


def test_equal_operators_are_merged() -> None:
    """Operators are one where operator, operands and attributes are; labels and layers follow."""
    build, (x,) = start("x")
    a, b = (build.LeakyRelu(x, alpha=0.1) for _ in range(2))
    build.graph.labels |= {"a": a, "b": b}
    others = [build.LeakyRelu(x, alpha=0.2), build.Elu(x, alpha=0.1), build.LeakyRelu(a, alpha=0.1)]
    found = left(eliminate_common_subexpressions, build, a, b, *others)
    assert found == ["LeakyRelu", "LeakyRelu", "Elu", "LeakyRelu"]
    labels = eliminate_common_subexpressions(build.graph).labels
    assert labels["a"] == labels["b"]


def test_numbers_that_are_equal_and_not_the_same() -> None:
    """0.0 and -0.0 are two constants and two attributes, and so are numbers of two types."""
    build, (x,) = start("x")
    alphas = [build.LeakyRelu(x, alpha=alpha) for alpha in (0.0, -0.0)]
    numbers = [build.constant(n, DType.FLOAT32) for n in (0.0, -0.0, 0.0)]
    numbers += [build.constant(0.0, DType.FLOAT64), build.constant((0.0,), DType.FLOAT32)]
    build.graph.outputs = {f"y{i}": value for i, value in enumerate((*alphas, *numbers))}
    merged = eliminate_common_subexpressions(build.graph)
    assert len(merged) == len(build.graph) - 1
    assert merged.outputs["y2"] == merged.outputs["y4"]


def test_noise_is_drawn_each_time() -> None:
    """What draws noise is never merged, not even with a seed, nor is what the op table lacks."""
    build, (x,) = start("x")
    noise = foreign_row("RandomNormalLike")
    assert noise is not None
    drawn = [build.op(noise, (x,), {"seed": 1.0})[0] for _ in range(2)]
    dropped = [build.Dropout(x) for _ in range(2)]
    graph = build.graph
    graph.outputs = {f"y{i}": value for i, value in enumerate((*drawn, *dropped))}
    assert eliminate_common_subexpressions(graph) is graph


def test_equal_extents_are_merged() -> None:
    """Shapes of two tensors are one where types tell that they are equal, and only there."""
    build, (a, b) = start("a", "b")
    c = build.input("c", REAL.with_shape((symbol("M"), 4)))
    assert (
        left(eliminate_common_subexpressions, build, *map(build.Shape, (a, b, c))) == ["Shape"] * 2
    )


def test_known_extents_are_folded() -> None:
    """Extents become constants where all of them are numbers."""
    build, (x,) = start("x")
    shape = build.Shape(x)
    extent = build.Gather(shape, build.index_constant(1), axis=0)
    both = build.Concat(build.Shape(x, start=1), build.index_constant((7,)), axis=0)
    assert left(fold_constants, build, shape, extent, both) == ["Shape"]
    folded = fold_constants(build.graph)
    assert Builder(folded).known(folded.outputs["y2"]) == (4, 7)


@pytest.mark.parametrize(
    ("op_type", "operands", "dtype", "result"),
    [
        ("Add", (0.5, 0.25), DType.FLOAT32, 0.75),
        ("Sub", (1.0, 0.9), DType.FLOAT64, 1.0 - 0.9),
        ("Sub", (1.0, 0.9), DType.FLOAT32, None),  # 0.1 in one precision, 0.10000002 in the other
        ("Mul", ((1.0, 2.0), 3.0), DType.FLOAT32, (3.0, 6.0)),
        ("Mul", ((1.0, 2.0), ((3.0,), (4.0,))), DType.FLOAT32, None),  # broadcast both ways
        ("Div", (1.0, 0.0), DType.FLOAT32, None),
        ("Mul", (1e30, 1e30), DType.FLOAT32, None),
        ("Add", (2**31 - 1, 1), DType.INT32, None),
        ("Add", (2**31 - 1, 1), DType.INT64, 2**31),
        ("Sqrt", (2.25,), DType.FLOAT32, 1.5),
        ("Sqrt", (-1.0,), DType.FLOAT32, None),
        ("Neg", (0.0,), DType.FLOAT32, -0.0),
    ],
)
def test_arithmetic_of_constants(
    op_type: str, operands: tuple[object, ...], dtype: DType, result: object
) -> None:
    """It is folded where all engines agree on the result, in float32 and in float64."""
    build, (_,) = start("x")
    value = getattr(build, op_type)(*(build.constant(number, dtype) for number in operands))
    assert left(fold_constants, build, value) == ([op_type] if result is None else [])
    folded = fold_constants(build.graph)
    assert str(Builder(folded).known(folded.outputs["y0"])) == str(result)


def test_quotients_of_whole_numbers_stay() -> None:
    """They are not folded, though shapes are followed through them."""
    build, _ = start("x")
    quotient = build.Div(build.index_constant(7), build.index_constant(2))
    assert left(fold_constants, build, quotient) == ["Div"]
    assert build.known(quotient) == 3


def test_casts_of_constants() -> None:
    """A cast is folded where the digits that a constant has beyond its type do not matter."""
    build, (_,) = start("x")
    values = [
        build.Cast(build.constant(number, dtype), to=to)
        for number, dtype, to in (
            (True, DType.BOOL, DType.FLOAT32),
            (3, DType.INT64, DType.FLOAT32),
            (0.1, DType.FLOAT64, DType.FLOAT32),
            (0.1, DType.FLOAT32, DType.FLOAT64),
            (1.5, DType.FLOAT32, DType.INT64),
        )
    ]
    assert left(fold_constants, build, *values) == ["Cast", "Cast"]
    folded = fold_constants(build.graph)
    assert [Builder(folded).known(v) for v in folded.outputs.values()] == [
        1.0,
        3.0,
        0.1,
        None,
        None,
    ]


def test_identities() -> None:
    """Only what leaves every number as it is, -0.0 among them, and the type, is removed."""
    build, (x,) = start("x")
    y = build.Tanh(x)
    one, zero, minus = (build.constant(n, DType.FLOAT32) for n in (1.0, 0.0, -0.0))
    ones = build.constant((1.0,) * 4, DType.FLOAT32)
    taller = build.constant((((1.0,),),), DType.FLOAT32)
    removed = [
        *(build.Mul(y, one), build.Mul(one, y), build.Mul(y, ones), build.Div(y, one)),
        *(build.Add(y, minus), build.Sub(y, zero), build.Pow(y, one)),
        *(build.Neg(build.Neg(y)), build.Identity(y), build.Cast(y, to=DType.FLOAT32)),
    ]
    assert left(remove_identities, build, *removed) == ["Tanh"]
    kept = [
        *(build.Add(y, zero), build.Sub(y, minus), build.Sub(zero, y), build.Div(one, y)),
        *(build.Mul(y, taller), build.Identity(x), build.Pow(one, y)),
    ]
    assert left(remove_identities, build, *kept) == [
        *("Tanh", "Add", "Sub", "Sub", "Div", "Mul", "Identity", "Pow")
    ]


def test_expansion_before_broadcasting() -> None:
    """An operator that broadcasts takes what was expanded for it, where the result is the same."""
    build, (x, y) = start("x", "y")
    row = build.constant((1.0, 2.0, 3.0, 4.0), DType.FLOAT32)
    expanded = build.Expand(row, build.Shape(x))
    assert left(remove_identities, build, build.Mul(expanded, y), build.Sub(x, expanded)) == [
        *("Mul", "Sub")
    ]
    assert left(remove_identities, build, build.Mul(expanded, row)) == ["Shape", "Expand", "Mul"]


def test_reshapes() -> None:
    """Of several changes of shape one is left, or none; two open extents cannot be stated."""
    type = TensorType(DType.FLOAT32, (BATCH, 2, 3, symbol("L")))
    build, (x,) = start("x", type=type)
    axis = build.index_constant((0,))
    there = build.Unsqueeze(build.Unsqueeze(x, axis), axis)
    back = build.Squeeze(build.Squeeze(there, axis), axis)
    same = build.Reshape(x, build.index_constant((0, 2, 3, 0)))
    merged = build.Reshape(build.Flatten(x), build.index_constant((0, 3, 2, -1)))
    assert left(cancel_reshapes, build, back, same, merged) == ["Reshape"]
    shape = build.Concat(build.Shape(x, start=3), build.Shape(x, start=0, end=1), axis=0)
    order = build.Concat(shape, build.index_constant((6,)), axis=0)
    swapped = build.Reshape(build.Flatten(x), order)
    assert "Flatten" in left(cancel_reshapes, build, swapped)


def test_transposes() -> None:
    """Two transpositions are one; it is moved behind what alone reads it, until two meet."""
    build, (x,) = start("x", type=REAL.with_shape((BATCH, 2, 3, 4)))
    turned = build.Transpose(x, perm=(0, 2, 3, 1))
    twice = build.Transpose(turned, perm=(0, 2, 3, 1))
    thrice = build.Transpose(build.Relu(twice), perm=(0, 2, 3, 1))
    assert left(cancel_transposes, build, twice) == ["Transpose"]
    assert left(cancel_transposes, build, thrice) == ["Relu"]
    assert left(cancel_transposes, build, twice, thrice) == ["Transpose", "Relu", "Transpose"]


def test_transposes_of_gates() -> None:
    """Several elementwise readers move together, comparisons, casts, sums and choices, too."""
    build, (x, y) = start("x", "y", type=REAL.with_shape((BATCH, 2, 3, 4)))
    back = (0, 3, 1, 2)
    turned, other = (build.Transpose(value, perm=(0, 2, 3, 1)) for value in (x, y))
    one = build.constant(1.0, DType.FLOAT32)
    slope = build.Mul(turned, build.Sub(one, turned))
    assert left(cancel_transposes, build, build.Transpose(slope, perm=back)) == ["Sub", "Mul"]
    above = build.Greater(turned, one)
    mask = build.Cast(above, to=DType.FLOAT32)
    total = build.op("Sum", (mask, other, build.Where(above, other, one)))[0]
    assert left(cancel_transposes, build, build.Transpose(total, perm=back)) == [
        *("Greater", "Cast", "Where", "Sum")
    ]
    row = build.constant((1.0, 2.0), DType.FLOAT32)
    kept = left(cancel_transposes, build, build.Relu(turned), build.Add(turned, row))
    assert kept == ["Transpose", "Relu", "Add"]

"""`op("Name", ...)`: any ONNX operator by name."""

from typing import Any, Literal

import numpy as np
import onnxruntime
import pytest
from support.ops import version_of
from support.refusals import failure_of

import netc
from netc.choices import EngineName
from netc.compiler.lower.operators import RANDOM
from netc.compiler.onnx_standard.foreign_operators import operators
from netc.compiler.ops.opdef import OPS
from netc.runtime.kerneldef import Array


def results(program: str, batch: int = 3) -> tuple[Array, Array]:
    """What both engines make of a program's output `l`, on one random input."""
    network = netc.compile(program)
    shape = [batch if dim == "N" else int(dim) for dim in network.inputs[0].shape]
    x = np.random.default_rng(0).uniform(-2, 2, shape).astype(np.float32)
    state = network.initialize(0)
    first, second = (
        network.run(x, state, fetch=["l"], engine=engine)["l"]
        for engine in ("numpy", "onnxruntime")
    )
    return first, second


@pytest.mark.parametrize(
    "steps",
    [
        'op("Erf")',
        'op("LeakyRelu", alpha=0.1)',
        'op("Gelu", approximate=tanh)',
        'op("Gelu", approximate="tanh")',
        'op("Clip", min=0, max=1.5)',
        'op("ReduceMax", axes=[2, 3], keepdims=no)',
        'op("Softmax", axis=2)',
        'op("Gather", indices=[0, 2], axis=1)',
        'op("Reshape", shape=[0, -1])',
        'op("Split", num_outputs=3, axis=1) -> op("Sum")',
        'op("Split", split=[1, 2], axis=1) -> op("Concat", axis=1)',
        '( ID | RELU ) -> op("Sub")',
        'op("Add", B=[[[[2]]]])',
        'op("Conv", W=[[[[1]], [[2]], [[3]]]], kernel_shape=[1, 1])',
        'op("Greater", B=0) -> op("Cast", to=float32)',
    ],
)
def test_operators_of_the_table(steps: str) -> None:
    """Operators that the table defines are inferred and run by it, without a warning."""
    program = f"INPUT(4x4x3) -> {steps} as l"
    found, expected = results(program)
    assert not netc.compile(program).warnings
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        ('op("Det")', (3, 3)),
        ('op("Hardmax", axis=1)', (3, 3, 4, 4)),
        ('op("CumSum", axis=2, reverse=1)', (3, 3, 4, 4)),
        ('op("Einsum", equation="nchw->nc")', (3, 3)),
        ('op("ReduceLogSumExp", axes=[1], keepdims=0)', (3, 4, 4)),
        ('op("TopK", K=[2]) -> ( ID | op("Cast", to=float32) ) -> ADD', (3, 3, 4, 2)),
        ('op("SpaceToDepth", blocksize=2)', (3, 12, 2, 2)),
        ('( ID | EXP ) -> op("BitwiseXor")', None),
    ],
)
def test_foreign_operators(steps: str, shape: tuple[int, ...] | None) -> None:
    """Others are inferred by onnx and run by its reference, as onnxruntime runs them."""
    program = f"INPUT(4x4x3) -> {steps} as l"
    if shape is None:
        with pytest.raises(netc.NetError, match="E201"):
            netc.compile(program)
        return
    found, expected = results(program)
    assert found.shape == expected.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_foreign_operator_is_warned_of_and_costs_its_elements() -> None:
    """What an operator computes is not known: no MACs, one operation per element, a warning."""
    network = netc.compile('INPUT(4x4x3) -> op("GlobalLpPool") as l')
    counts = network.counts.layers["l"]
    assert [warning.code for warning in network.warnings] == ["W104"]
    assert (counts.macs, counts.elementwise) == (0, 3)
    assert OPS.find("GlobalLpPool") is None


def test_a_foreign_operator_keeps_the_batch_and_its_layer() -> None:
    """The batch stays symbolic, an automatic name is the operator's, and empty batches run."""
    network = netc.compile('INPUT(4x4x3) -> op("Hardmax", axis=1) -> FC(2)')
    assert list(network.graph.layers) == ["input", "hardmax1", "fc1"]
    assert str(network.graph.layers["hardmax1"].outputs[0].shape[0]) == "N"
    state = network.initialize(0)
    y = network.run(np.zeros((0, 3, 4, 4), np.float32), state)
    assert np.asarray(y).shape == (0, 2)


def test_symbols_pass_through_onnx() -> None:
    """Extents that onnx infers are those of the graph, and shapes it cannot tell are refused."""
    network = netc.compile(
        'INPUT(9x4, sequence) -> op("Hardmax") -> op("Transpose", perm=[0, 2, 1]) as l'
    )
    assert [str(dim) for dim in network.graph.layers["l"].outputs[0].shape] == ["N", "4", "9"]
    with pytest.raises(netc.NetError, match="depends on more than its inputs' shapes"):
        netc.compile('INPUT(4) -> op("NonZero")')


def test_numpy_refuses_what_the_reference_lacks() -> None:
    """An operator without any kernel is an error of the engine, not of the program."""
    network = netc.compile('INPUT(4x4x3) -> op("GlobalLpPool")')
    with pytest.raises(netc.NetError, match="E502"):
        network.run(np.zeros((1, 3, 4, 4), np.float32), network.initialize(0))


def test_onnxruntime_runs_what_the_reference_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What NumPy cannot run is no hindrance to another engine."""

    def lack(model: object) -> object:
        raise NotImplementedError

    monkeypatch.setattr("onnx.reference.ReferenceEvaluator", lack)
    monkeypatch.setattr("netc.runtime.engines.plan.own_kernel", lambda node: None)
    network = netc.compile('INPUT(3) -> op("Hardmax")')
    x = np.array([[1, 3, 2]], np.float32)
    with pytest.raises(netc.NetError, match="E502"):
        network.run(x, {})
    found = network.run(x, {}, engine="onnxruntime")
    assert np.asarray(found).tolist() == [[0, 1, 0]]


def test_what_the_reference_trips_over_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it raises is a diagnostic that names the layer."""

    class Tripping:
        def __init__(self, model: object) -> None:
            pass

        def run(self, outputs: object, feeds: object) -> object:
            raise ValueError("no such thing")

    monkeypatch.setattr("onnx.reference.ReferenceEvaluator", Tripping)
    network = netc.compile('INPUT(1x2x1) -> op("GlobalLpPool")')
    message = "GlobalLpPool `globallppool1` cannot be computed: no such thing"
    with pytest.raises(netc.NetError, match=message):
        network.run(np.ones((1, 1, 1, 2), np.float32), {})


def test_indices_out_of_range_are_an_input_error() -> None:
    """A value that an operator cannot take is a diagnostic that names the layer."""
    program = 'x = INPUT(4)\ni = INPUT(2, dtype=int64)\n( x | i ) -> op("GatherND")'
    network = netc.compile(program)
    x, i = network.graph.inputs
    feeds = {x: np.ones((1, 4), np.float32), i: np.full((1, 2), 99)}
    with pytest.raises(netc.NetError, match="GatherND `gathernd1` needs indices within 1 x 4"):
        network.run(feeds, network.initialize(0))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("value_float=0.5", np.float32(0.5)),
        ("value_floats=[0.5, 1]", np.array([0.5, 1], np.float32)),
        ("value_int=3", np.int64(3)),
        ("value_ints=[1, -2]", np.array([1, -2])),
        ("value=[[1, 2], [3, 4.5]]", np.array([[1, 2], [3, 4.5]], np.float32)),
        ("value=7", np.int64(7)),
    ],
)
def test_constants(given: str, value: Any, engine: EngineName) -> None:
    """`Constant` holds what any of its attributes gives, also beside a tensor."""
    program = f'op("Constant", {given}) as l\nINPUT(2x2x1) as x -> RELU'
    network = netc.compile(program)
    x = np.zeros((1, 1, 2, 2), np.float32)
    found = network.run({"x": x}, {}, fetch=["l"], engine=engine)["l"]
    assert found.dtype == value.dtype
    np.testing.assert_array_equal(found, value)


def test_a_constant_needs_one_value() -> None:
    """None, two, or words are no value of a `Constant`."""
    for given in ("", "value_int=3, value_float=2.0", 'value_string="a"'):
        with pytest.raises(netc.NetError):
            netc.compile(f'op("Constant", {given})')


@pytest.mark.parametrize(
    "steps",
    [
        'op("Resize", scales=[1, 1, 2, 1.5], mode=cubic, cubic_coeff_a=-0.5)',
        'op("Resize", scales=[2, 0.5], axes=[3, 2], mode=linear)',
        'op("Resize", sizes=[8, 2], axes=[2, 3], mode=linear)',
        'op("Resize", sizes=[3, 3, 6, 5], mode=nearest)',
    ],
)
def test_resizing(steps: str) -> None:
    """Every way to say how an image is resized is the same on both engines."""
    found, expected = results(f"INPUT(4x4x3) -> {steps} as l")
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ('op("Resize", sizes=[2, 3, 8, 8])', "Resize cannot change the batch of float32[3"),
        ('op("Expand", shape=[2, 3, 4, 4])', "Expand cannot make (2, 3, 4, 4) of float32[3"),
        ('op("Slice", starts=[0], ends=[5])', "it leaves 3 x 3 x 4 x 4 where the network expects"),
    ],
)
def test_a_batch_that_an_operator_fixes_is_no_other(
    steps: str, message: str, engine: EngineName
) -> None:
    """Numbers in place of the batch are checked against the input's, on both engines alike."""
    network = netc.compile(f"INPUT(4x4x3) -> {steps}")
    failure = failure_of(network.run, np.zeros((3, 3, 4, 4), np.float32), {}, engine=engine)
    assert message in failure.diagnostics[0].notes[0]


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_operators_that_draw_are_refused(name: str) -> None:
    """A network computes the same on every run, so nothing in it draws."""
    with pytest.raises(netc.NetError, match=f"`{name}` draws new random numbers on each run"):
        netc.compile(f'INPUT(4) -> op("{name}")')


def test_pads_that_make_windows_fit() -> None:
    """`auto_pad` becomes pads in numbers, which needs known extents."""
    program = 'op("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad=SAME_UPPER)'
    graph = netc.compile(f"INPUT(4x5x3) -> {program}").graph
    (node,) = (node for _, node in graph.nodes() if node.op_type == "MaxPool")
    assert node.attributes["pads"] == (0, 1, 1, 1)
    with pytest.raises(netc.NetError, match="`auto_pad` and `output_shape` need known extents"):
        netc.compile(f"INPUT((H, W, 3)) -> {program}")


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_whole_numbers(engine: EngineName) -> None:
    """Powers and quotients of integers are rounded towards zero."""
    x = np.array([[2, -2, 1, -1, 5]])
    for steps, expected in (
        ('op("Pow", Y=-1)', [0, 0, 1, -1, 0]),
        ('op("Pow", Y=-3)', [0, 0, 1, -1, 0]),
        ('op("Pow", Y=3)', [8, -8, 1, -1, 125]),
        ('op("Div", B=-2)', [-1, 1, 0, 0, -2]),
    ):
        network = netc.compile(f"INPUT(5, dtype=int64) -> {steps} as l")
        found = network.run(x, {}, fetch=["l"], engine=engine)["l"]
        np.testing.assert_array_equal(found, [expected])


def test_neighbours_beyond_all_channels() -> None:
    """However many neighbours LRN is asked for, its gradient takes no longer."""
    program = 'INPUT(4) as x -> op("LRN", size={}, alpha={}) as l'
    x = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    few, many = (
        netc.compile(program.format(size, alpha)).value_and_grad(x, None, {}, of="l", wrt=["x"])[1][
            "x"
        ]
        for size, alpha in ((7, 0.7), (2**40 + 1, 0.1 * (2**40 + 1)))
    )
    np.testing.assert_allclose(many, few, rtol=1e-5)


def test_whole_numbers_are_not_divided_by_zero() -> None:
    """A constant quotient that integers do not have is an error of the program."""
    for op_type in ("Div", "Mod"):
        with pytest.raises(netc.NetError, match=f"{op_type} cannot divide whole numbers by 0"):
            netc.compile(f'INPUT(5, dtype=int64) -> op("{op_type}", B=[1, 2, 0, 3, 4])')


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_one_hot_of_real_numbers(engine: Literal["numpy", "onnxruntime"]) -> None:
    """Real numbers as indices are rounded towards zero, as ONNX says."""
    if engine == "onnxruntime" and version_of(onnxruntime.__version__) < (1, 32):
        pytest.skip("before 1.32, onnxruntime does not take every such index")
    network = netc.compile('INPUT(4) -> op("OneHot", depth=3, values=[0, 1])')
    x = np.array([[-0.3, 0.7, 2.9, -1.5]], np.float32)
    right = np.eye(3)[[0, 0, 2, 2]]
    np.testing.assert_array_equal(network.run(x, {}, engine=engine), right[None])


@pytest.mark.parametrize("kernel", [9, 10, 30])
@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool", "LpPool"])
def test_windows_beyond_the_input(pool: str, kernel: int) -> None:
    """A pool whose windows exceed its input is refused when the program is checked."""
    with pytest.raises(netc.NetError, match=f"{pool}.* leaves a tensor without elements"):
        netc.compile(f'INPUT(8x8x3) -> op("{pool}", kernel_shape=[{kernel}, {kernel}])')


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_the_least_integer_by_minus_one(engine: Literal["numpy", "onnxruntime"]) -> None:
    """A quotient that overflows wraps around on both engines, and ends no process."""
    sized = "INPUT(3, dtype=int64)"
    network = netc.compile(f'x = {sized}\ny = {sized}\n( x | y ) -> op("Div")')
    least = np.iinfo(np.int64).min
    arrays = [np.array([[least, 7, -7]]), np.array([[-1, -1, 2]])]
    feeds = {each.name: array for each, array in zip(network.inputs, arrays, strict=True)}
    found = network.run(feeds, {}, engine=engine)
    np.testing.assert_array_equal(found, [[least, -7, -3]])
    constant = netc.compile(f'{sized} -> op("Div", B=[-1, -1, 2])')
    np.testing.assert_array_equal(constant.run(arrays[0], {}, engine=engine), found)


@pytest.mark.parametrize(("fmod", "right"), [(0, [2, 1, -1]), (1, [-1, 1, 2])])
def test_remainders(fmod: int, right: list[int]) -> None:
    """Remainders bear the divisor's sign, with `fmod=1` the dividend's; none is by 0."""
    program = f'INPUT(3, dtype=int64) -> op("Mod", B={{}}, fmod={fmod})'
    x = np.array([[-1, 1, 2]])
    network = netc.compile(program.format("[3, 3, -3]"))
    for engine in ("numpy", "onnxruntime"):
        np.testing.assert_array_equal(network.run(x, {}, engine=engine), [right])
        with pytest.raises(netc.NetError):
            netc.compile(program.format(0)).run(x, {}, engine=engine)


def test_remainders_of_real_numbers() -> None:
    """Real numbers need `fmod=1`, as ONNX says."""
    x = np.array([[-1.5, 1.5]], np.float32)
    np.testing.assert_array_equal(
        netc.compile('INPUT(2) -> op("Mod", B=1.0, fmod=1)').run(x, {}), [[-0.5, 0.5]]
    )
    with pytest.raises(netc.NetError, match="needs `fmod=1`"):
        netc.compile('INPUT(2) -> op("Mod", B=1.0)')


def test_operands_are_left_out_before_others() -> None:
    """`none` stands for an operand that an operator can do without; branches go past it."""
    program = """
INPUT(3x2, sequence) -> op("Transpose", perm=[1, 0, 2]) as x
ones = x -> op("Shape", start=1, end=2)
h = ( op("Constant", value=[1]) | ones | op("Constant", value=[4]) ) -> op("Concat", axis=0)
  -> op("ConstantOfShape", value=[0.5])
( x
| PARAM(16x2x1) as w -> op("Squeeze", axes=[0])
| PARAM(16x4x1) as r -> op("Squeeze", axes=[0])
| h
) -> op("LSTM", B=none, sequence_lens=none, hidden_size=4) as l
"""
    found, expected = results(program)
    assert found.shape == (3, 1, 3, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    network = netc.compile(program.replace("0.5", "0.0"))
    other = network.run(np.zeros((3, 3, 2), np.float32), network.initialize(0), fetch=["l"])["l"]
    assert not np.array_equal(found, other)


def test_more_outputs_on_demand() -> None:
    """`outputs=` yields those that an operator need not yield, in its order."""
    program = """
(y, places) = INPUT(4x4x1) -> op("MaxPool", kernel_shape=[2, 2], strides=[2, 2], outputs=2)
places -> op("Cast", to=float32) as l
"""
    found, expected = results(program)
    assert found.shape == (3, 1, 2, 2)
    assert (found[1] >= 16).all()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "call",
    [
        *('op("Clip", min=none, max=nonee)', '( ID | ID ) -> op("Add", B=none)'),
        *('op("LayerNormalization", outputs=4)', 'op("Erf", outputs=1)', 'op("Add", B=none)'),
        *('op("Resize", scales=[1, 1, -1, 1])', 'op("Resize", sizes=[3, 3, 0, 1])'),
        *('op("Resize", scales=[1, 1, 2, 2], mode=cubicc)', 'op("Pad", pads=[0], mode=foo)'),
        *('op("LRN", size=0)', 'op("ReduceMax", keepdims=2)', 'op("CumSum", axis=1, reverse=-1)'),
        *(
            'op("Conv", W=[[[[1]], [[2]], [[3]]]], kernel_shape=[2, 2])',
            'op("Conv", W=[[[[1]], [[2]], [[3]]]], B=[3, 3], kernel_shape=[1, 1])',
            'op("Conv", W=[[[[1]]]], kernel_shape=[1, 1], group=3)',
            'op("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], constant_value=[1, 2])',
            'op("ReduceSum", axes=[1, 1])',
            'op("Celu", alpha=0)',
            'op("Reshape", shape=[2, 4])',
            'op("ReduceMax", axes=[1, -3])',
            'op("GatherND", batch_dims=-2, indices=[9])',
        ),
        *('op("Trilu", k=[3, 3])', 'op("Slice", starts=[0], ends=[0], axes=[1])'),
        *('op("DepthToSpace", blocksize=1, mode=foo)', 'op("Gelu", approximate=foo)'),
        *('op("Softmax", axis=99)', 'op("Flatten", axis=-99)', 'op("Concat", axis=7)'),
        *('op("DepthToSpace", blocksize=0)', 'op("DepthToSpace", blocksize=-1)'),
        *('op("Transpose", perm=[0])', 'op("Transpose", perm=[0, 0, 0, 0])'),
        *(
            'op("MaxPool")',
            'op("MaxPool", kernel_shape=[0, 0])',
            'op("Erf", axis=1)',
            'op("MaxPool", kernel_shape=[9])',
        ),
        *('op("Reshape", shape=[-1, -1])', 'op("Reshape", shape=[[1]])', 'op("Reshape", shape=1)'),
        *('op("Split", num_outputs=0)', 'op("Split", num_outputs=-1)', 'op("Split", split=[])'),
        *('op("Gather", indices=[9], axis=9)', 'op("Pad", pads=[1])', 'op("Tile", repeats=[1])'),
        *('op("If")', 'op("Loop")', 'op("Cast")', 'op("Cast", to=1)', 'op("Upsample")', 'op("")'),
        *('op("Erf", Erf)', 'op("Erf", "Erf")', 'op(["Erf"])', 'op(name="Erf")', "op(no)"),
        *('op("Clip", min=[1, [2]])', 'op("Clip", min="a")', 'op("Clip", min=yes, min=no)'),
        *('op("LSTM")', 'op("Where")', 'op("Conv", W=1)', 'op("Gemm", B=[[1]], alpha=[1])'),
        *('op("Resize", scales=[0, 0])', 'op("Expand", shape=[-1])', 'op("Slice", starts=[0])'),
        *('op("TopK", K=-1)', 'op("StringNormalizer")'),
        *('op("Unsqueeze", axes=9)', 'op("ReduceMean", axes=1)', 'op("Concat", axis=2^40)'),
        *('op("OneHot", depth=0.5, values=[2, 2])', 'op("BlackmanWindow", output_datatype=-1)'),
        'op("STFT", frame_step=[], frame_length=[0])',
        *('op("SequenceEmpty")', 'op("Range", limit=3)', 'op("EyeLike", dtype=float16)'),
        *('op("Einsum", equation="->->")', 'op("ReduceSum", axes=[9])', 'op("Squeeze", axes=[1])'),
    ],
)
def test_wrong_calls_are_diagnostics(call: str) -> None:
    """No argument makes anything but a diagnostic with a place in the program."""
    failure = failure_of(netc.compile, f"INPUT(4x4x3) -> {call}")
    assert all(diagnostic.span is not None for diagnostic in failure.diagnostics)


@pytest.mark.parametrize(
    "inputs", ["INPUT(4x4x3)", "INPUT(4, dtype=int64)", "INPUT(4x4x3) -> ( ID | ID )"]
)
def test_every_operator_without_attributes(inputs: str) -> None:
    """Each operator of ONNX runs on plain tensors or is refused by a diagnostic."""
    tried = 0
    for name in operators():
        try:
            network = netc.compile(f'{inputs} -> op("{name}")')
            feeds = {
                spec.name: np.ones(
                    [2 if dim == "N" else int(dim) for dim in spec.shape], spec.dtype
                )
                for spec in network.inputs
            }
            network.run(feeds, network.initialize(0))
        except netc.NetError:
            continue
        tried += 1
    assert tried > 10


def test_attributes_without_a_default_are_named() -> None:
    """An attribute that must be given is named where it is not."""
    with pytest.raises(netc.NetError, match=r"E105.*needs `kernel_shape=`"):
        netc.compile('INPUT(4x4x3) -> op("MaxPool")')

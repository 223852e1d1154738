"""Models in float16 and bfloat16: what is in them, how far from float32 they are, refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, checker, numpy_helper
from onnx.reference import ReferenceEvaluator
from support.layers import random_state
from support.network_rows import spec
from support.refusals import refusal

import netc
from netc.compiler.emit.onnx import Half, RoundedState, export
from netc.compiler.ir.graph import LEAVES
from netc.compiler.ir.types import DType
from netc.compiler.ops.opdef import Precision, row_of
from netc.grammar.diagnostics import NetError, error
from netc.runtime.engines import session
from netc.runtime.engines.deviations import Rounding
from netc.runtime.engines.engine import run
from netc.runtime.engines.rounding import ROUNDING, HalfModel, Singles, with_casts
from netc.runtime.engines.verification import random_feeds

DTYPES = ["float16", "bfloat16"]
OPSETS = [13, 22, *(pytest.param(opset, marks=pytest.mark.slow) for opset in (17, 20, 23))]
MOST = {"float16": 4e-3, "bfloat16": 3.2e-2}  # eight roundings: max |difference| / max |output|
GPT = """\
mask = INPUT(12, dtype=int64) as keep
x = INPUT(12, dtype=int64) as ids -> EMBED(100, 32) as wte -> POSEMBED(12)
y = x -> [ ( ID | LN -> ATTENTION(4, causal=yes, mask=keep) ) -> ADD
    -> ( ID | LN -> LINEAR(64) -> GELU -> LINEAR(32) ) -> ADD ]*2
output scores = y -> LN -> LINEAR(100, bias=no, share=wte)
"""
ADDED = """\
m = INPUT(6x6, sequence) as added
output y = INPUT(6x8, sequence) as x -> ATTENTION(2, mask=added) -> RMSNORM -> LINEAR(4)
"""
SEVERAL = """\
x = INPUT(9x9x3) -> CONV(3x3, 4) -> IN -> MISH -> GN(2) -> NORMALIZE -> LRN -> UPSAMPLE(2)
output a = x -> GAP -> FC(3) -> LOGSOFTMAX
output b = x -> POOL -> DECONV(3x3, 2) -> SIGMOID -> REDUCE(sum)
output c = x -> FC(3) -> op("ArgMax", axis=1, keepdims=0)
"""
NETWORKS: Mapping[str, str] = {
    "lenet5": spec("lenet5"),
    "residual": spec("resnet/resnet20_cifar"),
    "gpt": GPT,
    "added mask": ADDED,
    "several": SEVERAL,
    "open extents": "INPUT((H, W, 3)) -> CONV(3x3, 4) -> BN -> HARDSWISH -> GAP -> FC(3)",
    "windows": "INPUT(8x8x8) -> WINDOW(4, shift=2) -> ATTENTION(2, mask=shifted) -> UNWINDOW -> LN",
}
LARGE: Mapping[str, str] = {
    "resnet18": spec("resnet/resnet18"),
    "unet": spec("segmentation/unet", "572x572x1", "188x188x1"),
    "swin": spec("transformers/swin_t"),
    "shufflenet": spec("mobile/shufflenet_v2_x1_0"),
    "densenet": spec("densenet/densenet121"),
}


def _exported(
    network: netc.Network, path: Path, dtype: str, **options: Any
) -> tuple[HalfModel, onnx.ModelProto]:
    """A model with random weights, which onnx accepts."""
    half = Half.of(dtype, keep_io_types=options.pop("keep_io_types", True))
    state = random_state(network)
    exported = export(network.graph, state, str(path), half=half, **options)
    checker.check_model(str(path), full_check=True)
    return HalfModel(str(path), half, exported.graph, network.graph, state), onnx.load(path)


def _types(model: onnx.ModelProto) -> dict[str, int]:
    """The element types of a model's weights by name."""
    return {tensor.name: tensor.data_type for tensor in model.graph.initializer}


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str, dtype: str, opset: int, tmp_path: Path) -> None:
    """In each opset onnx accepts the model, and its outputs are a few roundings from float32's."""
    network = netc.compile(NETWORKS[name])
    model, _ = _exported(network, tmp_path / "m.onnx", dtype, opset=opset)
    found = model.measure()
    assert list(found.outputs) == list(network.graph.outputs)
    assert found.worst <= MOST[dtype], found
    assert bool(found.note) == (dtype == "bfloat16")  # which onnxruntime lacks on the CPU


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LARGE)
def test_large_networks(name: str, dtype: str, tmp_path: Path) -> None:
    """Deep networks stay close, too, and take half the bytes."""
    network = netc.compile(LARGE[name])
    found = network.export(tmp_path / "m.onnx", random_state(network), dtype=dtype)  # type: ignore[arg-type]  # a word from a table
    assert found is not None
    assert found.worst <= MOST[dtype], found
    assert (tmp_path / "m.onnx").stat().st_size < 0.55 * 4 * network.params


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["lenet5", "residual", "gpt", "several"])
def test_no_needless_casts(name: str, dtype: str, tmp_path: Path) -> None:
    """No value is cast to half precision and back between two operators of float32."""
    model, _ = _exported(netc.compile(NETWORKS[name]), tmp_path / "m.onnx", dtype)
    graph = model.exported
    casts = [node for _, node in graph.nodes() if node.op_type == "Cast"]
    assert casts
    for node in casts:
        (operand,) = node.inputs
        assert operand is not None
        before = graph.producer(operand)
        assert before.op_type != "Cast" or operand.dtype is not Half.of(dtype).dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_of_which_type(dtype: str, tmp_path: Path) -> None:
    """Weights and products are of half precision; normalizations and sums, with theirs, are not."""
    model, proto = _exported(netc.compile(NETWORKS["several"]), tmp_path / "m.onnx", dtype)
    half = Half.of(dtype).dtype
    for _, node in model.exported.nodes():
        if node.op_type not in LEAVES:
            types = {value.dtype for value in node.inputs if value and value.dtype.is_float}
            if row_of(node).precision is Precision.FULL:
                assert types <= {DType.FLOAT32}, node
            if row_of(node).precision is Precision.HALF:
                assert types == {half}, node
    stored = _types(proto)
    assert stored["conv1.weight"] == stored["fc1.bias"] == half.code
    assert stored["gn1.weight"] == TensorProto.FLOAT
    assert {value.type.tensor_type.elem_type for value in proto.graph.output} == {
        TensorProto.FLOAT,
        TensorProto.INT64,
    }


def test_inputs_and_outputs(tmp_path: Path) -> None:
    """They stay float32 unless asked; integers stay in any case."""
    network = netc.compile(
        "output a = INPUT(5, dtype=int64) -> EMBED(9, 4) -> FC(3)\noutput b = INPUT(4) -> RELU"
    )
    for keep, wanted in ((True, TensorProto.FLOAT), (False, TensorProto.FLOAT16)):
        model, proto = _exported(network, tmp_path / "m.onnx", "float16", keep_io_types=keep)
        ends = [*proto.graph.input, *proto.graph.output]
        assert [each.type.tensor_type.elem_type for each in ends] == [
            TensorProto.INT64,
            *(wanted,) * 3,
        ]
        assert [each.name for each in ends] == [*network.graph.inputs, *network.graph.outputs]
        found = model.measure()
        assert found.worst <= MOST["float16"]
        assert not found.note
    bfloat16, _ = _exported(network, tmp_path / "m.onnx", "bfloat16", keep_io_types=False)
    assert bfloat16.measure().worst <= MOST["bfloat16"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_emulation(dtype: str, tmp_path: Path) -> None:
    """Float32 with each result rounded agrees with onnx's own implementation of the model."""
    network = netc.compile("INPUT(6x6x3) -> CONV(3x3, 4) -> BN -> RELU -> POOL -> FC(5) -> SOFTMAX")
    model, proto = _exported(network, tmp_path / "m.onnx", dtype)
    feeds = random_feeds(network.graph, 3)
    state = Singles(RoundedState(model.state, model.exported))
    (found,) = run(with_casts(model.exported), feeds, state, engine="onnxruntime").values()
    evaluator = ReferenceEvaluator(proto)
    expected = np.asarray(next(iter(evaluator.run(None, feeds))))
    assert np.max(np.abs(found - expected)) <= 4 * ROUNDING[Half.of(dtype).dtype] * expected.max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_stay_finite(dtype: str, tmp_path: Path) -> None:
    """A constant beyond the type's range becomes its largest number, or its smallest."""
    program = 'INPUT(4) -> FC(4) -> op("Add", B=[-3.4e38, 1e-42, 0, 1]) -> FC(2)'
    _, proto = _exported(netc.compile(program), tmp_path / "m.onnx", dtype)
    (mask,) = (t for t in proto.graph.initializer if list(t.dims) == [4] and "add" in t.name)
    numbers = numpy_helper.to_array(mask).astype(np.float64)
    limits = np.finfo("float16") if dtype == "float16" else None
    assert numbers[0] == (-65504.0 if limits else -(2 - 2.0**-7) * 2.0**127)
    assert numbers[1] == (2.0**-24 if limits else 2.0**-133)
    assert numbers[2:].tolist() == [0, 1]


@pytest.mark.parametrize("max_inline", [0, 10**9])
def test_weights_beyond_the_range(max_inline: int, tmp_path: Path) -> None:
    """A weight that would become infinite is named, and nothing is written."""
    network = netc.compile("INPUT(4) -> FC(3) as first -> FC(2)")
    state = dict(network.initialize(0))
    state["first.weight"] = state["first.weight"] * 0 - 7e4
    half = Half.of("float16")
    caught = refusal(
        export, network.graph, state, str(tmp_path / "m.onnx"), half=half, max_inline=max_inline
    )
    assert caught == (
        "error[E508]: the weight `first.weight` holds numbers up to 70000, and float16 ends at"
        " 65504\n  = help: export it in bfloat16, which has the range of float32, or in float32"
    )
    assert list(tmp_path.iterdir()) == []
    state["first.weight"][0, 0] = -np.inf  # is not rounded to one
    state["first.weight"][state["first.weight"] < -1e4] = -65519  # what is rounded to the last
    network.export(tmp_path / "m.onnx", state, dtype="float16")
    network.export(tmp_path / "m.onnx", state, dtype="bfloat16")


def test_external_data(tmp_path: Path) -> None:
    """Weights beside the model are rounded tensor by tensor."""
    network = netc.compile(NETWORKS["gpt"])
    model, proto = _exported(network, tmp_path / "m.onnx", "float16", max_inline=0)
    assert (tmp_path / "m.onnx.data").exists()
    for tensor in proto.graph.initializer:
        if tensor.name in model.state:
            expected = np.asarray(model.state[tensor.name])
            array = numpy_helper.to_array(tensor, str(tmp_path))
            np.testing.assert_array_equal(array, expected.astype(array.dtype))
    assert model.measure().worst <= MOST["float16"]


def test_preprocessing_stays_in_float32(tmp_path: Path) -> None:
    """What is computed of inputs before any weight is, so that large samples do not overflow."""
    network = netc.compile('INPUT(4) -> op("Sub", B=[1e6]) -> op("Div", B=[1e5]) -> FC(3)')
    _exported(network, tmp_path / "m.onnx", "float16")
    x = np.random.default_rng(0).normal(1e6, 1e5, (5, 4)).astype(np.float32)
    inside = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    (found,) = inside.run(None, {"input": x})
    expected = network.run(x, random_state(network))
    assert isinstance(expected, np.ndarray)
    np.testing.assert_allclose(found, expected, atol=4e-3 * np.abs(expected).max())


def test_without_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy takes its place, and the figures say so."""

    def missing() -> None:
        raise error("E502", "onnxruntime is not installed")

    monkeypatch.setattr(session, "_onnxruntime", missing)
    network = netc.compile(NETWORKS["lenet5"])
    for dtype in ("float16", "bfloat16"):
        found = network.export(tmp_path / "m.onnx", dtype=dtype)
        assert found is not None
        assert found.note.startswith("onnxruntime is not installed")
        assert 0 < found.worst <= MOST[dtype]


def test_refusals(tmp_path: Path) -> None:
    """Other types, and networks of float64, are refused."""
    network = netc.compile("INPUT(4) -> FC(2)")
    with pytest.raises(NetError, match=r"E502.*no model is written in `float8`"):
        network.export(tmp_path / "m.onnx", dtype="float8")  # type: ignore[arg-type]  # on purpose
    wide = netc.compile("INPUT(4, dtype=float64) -> FC(2)")
    with pytest.raises(NetError, match=r"E509.*cannot write a network of float64 in float16"):
        wide.export(tmp_path / "m.onnx", dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_the_record(tmp_path: Path) -> None:
    """Python gets the figures that the command prints; without `dtype` there are none."""
    network = netc.compile("INPUT(4) -> FC(2)")
    assert network.export(tmp_path / "m.onnx") is None
    found = network.export(tmp_path / "m.onnx", dtype="float16")
    assert isinstance(found, Rounding)
    assert (found.dtype, found.batch) == ("float16", 2)
    assert found.outputs["output"].absolute > 0
    assert 0 < found.outputs["output"].relative == found.worst < 1e-3

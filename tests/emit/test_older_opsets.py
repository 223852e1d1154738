"""Models of older opsets: the same numbers on onnxruntime, or a refusal that names the operator."""

import io
from collections.abc import Mapping
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from support.layers import LayerRow, feeds_for, norm_error, random_state
from support.network_rows import spec
from support.refusals import failure_of

import netc
from netc.compiler.emit.onnx import write
from netc.grammar.diagnostics import NetError
from netc.runtime.kerneldef import Array

OPSETS = [13, 14, 15, 16, 17, 18, 19, 20, 21]
FAMILIES = sorted(
    path.stem for path in (Path(__file__).parents[1] / "support" / "rows").glob("[a-z]*.py")
)
# Specs, and how large their input is written and made smaller, where numbers take long.
SMALL: Mapping[str, tuple[str, ...]] = {
    "lenet5": (),
    "residual": (),
    "mobile/shufflenet_v2_x1_0": (),
    "resnet/resnet20_cifar": (),
    "segmentation/unet": ("572x572x1", "188x188x1"),
    "transformers/swin_t": (),
    "training/digits_cnn": (),
    "generative/dcgan_generator": (),
}
NEWER = [
    "INPUT(8x8x4) -> GN(2) -> GELU -> MISH -> HARDSWISH -> LN(all)",
    "INPUT((L, 4), sequence) -> GN(2) -> LN -> ATTENTION(2, causal=yes) -> GAP",
    "INPUT((H, W, 3)) -> CONV(3x3, 4) -> PAD(1x2, mode=reflect) -> AVGPOOL -> GAP -> FC(3)",
    'INPUT(4x4x3) -> op("Gelu", approximate="tanh") -> op("Trilu", k=1) -> ( ID | ID ) -> ADD',
    'INPUT(4x5x3) -> op("Trilu", upper=0, k=-1) -> op("ReduceL2", axes=[1], keepdims=1)',
    'INPUT(4x5x3) -> op("Shape", start=1, end=-1) -> op("Cast", to=float32)',
]


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _on_onnxruntime(
    network: netc.Network, state: Mapping[str, Array], feeds: Mapping[str, Array], opset: int
) -> list[Array]:
    file = io.BytesIO()
    write(network.graph, state, file, opset=opset)
    session = _session(file.getvalue())
    taken = {value.name for value in session.get_inputs()}
    return list(session.run(None, {name: a for name, a in feeds.items() if name in taken}))


def _agree(network: netc.Network, feeds: Mapping[str, Array], opset: int, most: float) -> None:
    """All outputs of a model equal NumPy's."""
    state = random_state(network)
    expected = network.run(feeds, state)
    arrays = expected.values() if isinstance(expected, dict) else [expected]
    found = _on_onnxruntime(network, state, feeds, opset)
    for array, other in zip(arrays, found, strict=True):
        assert norm_error(other, array) <= most


@pytest.mark.parametrize("opset", [13, 15, 17, 19, 21])
@pytest.mark.parametrize("family", FAMILIES)
def test_layers(family: str, opset: int) -> None:
    """Rows of the layer table mean the same; each opset tries others of them.

    Nothing that an opset has filters an image before it is made smaller.
    """
    rows: list[LayerRow] = [r for r in import_module(f"support.rows.{family}").ROWS if r.engines]
    for row in rows[OPSETS.index(opset) // 2 :: 5]:
        network = netc.compile(row.program)
        lacks = opset < 18 and "antialias" in row.program
        with pytest.raises(netc.NetError, match="came later") if lacks else nullcontext():
            _agree(network, feeds_for(network, 2, low=row.low, high=row.high), opset, 1e-5)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("program", NEWER)
def test_operators_that_came_later(program: str, opset: int) -> None:
    """What an opset lacks is built from what it has, with open extents, too."""
    network = netc.compile(program)
    random = np.random.default_rng(0)
    feeds = {
        spec.name: random.standard_normal(
            [d if isinstance(d, int) else 2 if d == "N" else 6 for d in spec.shape]
        ).astype(spec.dtype)
        for spec in network.inputs
    }
    _agree(network, feeds, opset, 1e-5)


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("name", SMALL)
def test_shipped_networks(name: str, opset: int) -> None:
    """Networks that ship can be written for older tools."""
    network = netc.compile(spec(name, *SMALL[name]))
    _agree(network, feeds_for(network, 1, low=-1, high=1), opset, 1e-4)


@pytest.mark.parametrize(("opset", "least"), [(13, 7), (15, 8), (17, 8), (19, 9), (21, 10)])
def test_versions(opset: int, least: int, tmp_path: Path) -> None:
    """Model and file carry the versions that old tools read; no constant is left over."""
    network = netc.compile("INPUT(8x8x3) -> CONV(3x3, 4) -> RMSNORM -> LN -> GAP")
    network.export(tmp_path / "m.onnx", network.initialize(0), opset=opset)
    model = onnx.load(tmp_path / "m.onnx")
    assert (model.opset_import[0].version, model.ir_version) == (opset, least)
    read = {name for node in model.graph.node for name in node.input}
    assert {constant.name for constant in model.graph.initializer} <= read


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "program",
    [
        "INPUT(6x6x2) -> CONV(3x3, 4, bias=no) -> BN -> RELU -> FC(3)",
        "INPUT(9) -> FC(8) -> BN -> HARDSWISH -> FC(3)",
        "INPUT(5x4, sequence) -> LN -> ATTENTION(2, causal=yes) -> GAP -> FC(3)",
        "INPUT(6x6x4) -> AVGPOOL -> UPSAMPLE(2) -> GN(2) -> GELU -> FC(3)",
    ],
)
def test_training(program: str, opset: int, tmp_path: Path) -> None:
    """A step of training yields the same weights."""
    network = netc.compile(program)
    found: list[list[Array]] = []
    feeds: dict[str, Array] = {}
    for version in (22, opset):
        path = tmp_path / f"{version}.onnx"
        network.export_training(path, loss="cross_entropy", opset=version)
        session = _session(path.read_bytes())
        feeds = feeds or _step_feeds(session)
        found.append(session.run(None, feeds))
    for expected, other in zip(*found, strict=True):
        assert norm_error(other, expected) <= 1e-4


def _step_feeds(session: onnxruntime.InferenceSession) -> dict[str, Array]:
    """Positive numbers for all that a step takes, as variances must be, and classes 0 and 1."""
    random = np.random.default_rng(0)
    feeds: dict[str, Array] = {}
    for value in session.get_inputs():
        shape = [extent if isinstance(extent, int) else 4 for extent in value.shape]
        if "int64" in value.type:
            feeds[value.name] = np.asarray(random.integers(0, 2, shape), np.int64)
        else:
            feeds[value.name] = np.asarray(random.uniform(0.1, 0.9, shape), np.float32)
    return feeds


@pytest.mark.parametrize(
    ("program", "opset", "message", "help"),
    [
        (
            'INPUT(8x8x3) -> op("AveragePool", kernel_shape=[2, 2], dilations=[2, 2])',
            17,
            "cannot write `AveragePool` in ONNX opset 17: its attribute `dilations` came later",
            "opset 19 has it",
        ),
        (
            'INPUT(8x8x3) -> op("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], mode="wrap")',
            13,
            "cannot write `Pad` in ONNX opset 13: its `mode=wrap` came later",
            "opset 19 has it",
        ),
        (
            'INPUT(4) -> op("Cast", to="int32") -> op("BitwiseNot")',
            13,
            "cannot write `BitwiseNot` in ONNX opset 13: the operator came later",
            "opset 18 has it",
        ),
    ],
)
def test_what_an_opset_lacks(
    program: str, opset: int, message: str, help: str, tmp_path: Path
) -> None:
    """The operator is named, where it stands, with the opset that has it; nothing is written."""
    network = netc.compile(program)
    caught = failure_of(network.export, tmp_path / "m.onnx", network.initialize(0), opset=opset)
    (problem,) = caught.diagnostics
    assert (problem.code, problem.message, problem.help) == ("E509", message, help)
    assert problem.span is not None
    assert list(tmp_path.iterdir()) == []


def test_noise_needs_bits(tmp_path: Path) -> None:
    """Dropout in training draws with operators on bits, which opset 18 brought."""
    network = netc.compile("INPUT(4) -> FC(8) -> DROPOUT -> FC(3)")
    with pytest.raises(NetError, match="cannot write `BitwiseXor` in ONNX opset 17") as caught:
        network.export_training(tmp_path / "m.onnx", loss="cross_entropy", opset=17)
    assert caught.value.diagnostics[0].help == "opset 18 has it"
    network.export_training(tmp_path / "m.onnx", loss="cross_entropy", opset=18)
    network.export(tmp_path / "n.onnx", network.initialize(0), opset=13)


def test_pads_of_some_axes_are_those_of_all() -> None:
    """onnxruntime moves a Transpose past a Pad, and fails where that has fewer pads than axes."""
    network = netc.compile(
        "INPUT(6x4, sequence) -> PERMUTE((channels, length))"
        ' -> op("Pad", pads=[2, 0], axes=[2]) -> PERMUTE((channels, length))'
    )
    feeds = feeds_for(network, 2, low=-1, high=1)
    (found,) = _on_onnxruntime(network, {}, feeds, 22)
    assert np.array_equal(found, np.pad(feeds["input"], ((0, 0), (2, 0), (0, 0))))

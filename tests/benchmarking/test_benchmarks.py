"""`net.bench` and `net.profile`: figures as objects and as text, and what they refuse."""

import json
import pickle
from typing import Any

import onnx
import pytest
from support.refusals import failure_of

import netc
from netc.benchmarks import Benchmark, Profile, plan
from netc.compiler.training.recipe import Recipe
from netc.grammar.diagnostics import NetError
from netc.runtime.benchmarking import contenders
from netc.runtime.benchmarking.machine import Machine, copies, products
from netc.runtime.benchmarking.measuring import Timing
from netc.runtime.benchmarking.profile import LayerTime
from netc.runtime.benchmarking.work import dumped, random_work

MACHINE = Machine(gflops=100.0, gigabytes=8.0)
TIMINGS = (
    Timing("numpy", "numpy", rounds=[0.004, 0.004], fastest=0.0035, mebibytes=12.4),
    Timing("PyTorch", "pytorch", rounds=[0.003, 0.003], fastest=0.0029),
    Timing("PyTorch keep", "pytorch", rounds=[0.002, 0.002], fastest=0.0019, contended=0.31),
    Timing("onnxruntime", "onnxruntime", failure="its results differ"),
)
BENCHMARK = Benchmark("Net", "step", 64, 20_000_000, MACHINE, TIMINGS)


def test_ratios_are_to_the_best_of_pytorch() -> None:
    """An engine is compared with PyTorch's fastest variant; what failed has no ratio."""
    assert BENCHMARK.ratio("numpy") == pytest.approx(2.0)
    assert BENCHMARK.ratio("onnxruntime") is None
    best = BENCHMARK.of("pytorch")
    assert best is not None
    assert best.contender == "PyTorch keep"


def test_text_of_a_benchmark() -> None:
    """The table says time, speed, the share of the machine's best, ratio and memory."""
    assert BENCHMARK.to_text().splitlines() == [
        "Net: a step of training, batch 64",
        "",
        "              ms  fastest  samples/s  GFLOP/s  of peak  / PyTorch  MiB",
        "numpy          4      3.5     16,000     10.0      10%       2.00   12",
        "PyTorch        3      2.9     21,333     13.3      13%       1.50    -",
        "PyTorch keep   2      1.9     32,000     20.0      20%       1.00    -",
        "the machine: 100 GFLOP/s in products of matrices, 8.0 GB/s in copies",
        "onnxruntime: its results differ",
        "other processes took up to 31% of the processors: figures are rough",
    ]


def test_json_has_no_infinity() -> None:
    """What was not timed has None for its figures."""
    *_, failed = json.loads(json.dumps(BENCHMARK.to_dict(), allow_nan=False))["timings"]
    assert (failed["fastest"], failed["rounds"], failed["seconds"]) == (None, [], None)


def test_json_holds_what_the_table_shows() -> None:
    """The median, the speed, the share of the machine's best, and the ratio."""
    ours, *_ = BENCHMARK.to_dict()["timings"]
    found = [ours[name] for name in ("seconds", "gflops", "of_peak", "ratio")]
    assert found == pytest.approx([0.004, 10.0, 0.1, 2.0])


@pytest.mark.parametrize("room", [40, 60])
def test_text_fits_its_room(room: int) -> None:
    """No line is longer than the terminal."""
    assert max(map(len, BENCHMARK.to_text(room).splitlines())) <= room


def test_text_of_a_profile() -> None:
    """The table says time, share and speed of each layer."""
    layers = [
        LayerTime("fc1", "FC", 0.001, 0.002, 30_000_000),
        LayerTime("relu1", "RELU", 0.001, 0, 0),
    ]
    assert Profile("Net", "step", 8, MACHINE, layers).to_text().splitlines() == [
        "Net: a step of training on NumPy, batch 8",
        "",
        "layer  kind  forward ms  backward ms  share  GFLOP/s  of peak",
        "fc1    FC         1.000        2.000  75.0%     20.0      20%",
        "relu1  RELU       1.000        0.000  25.0%        -        -",
        "",
        "4 ms in all",
        "the machine: 100 GFLOP/s in products of matrices, 8.0 GB/s in copies",
    ]


def test_a_network_is_timed_from_python() -> None:
    """Figures come back as an object."""
    found = netc.compile("INPUT(4) -> FC(3)").bench(
        engines=["numpy"], seconds=0, threads=1, batch=9
    )
    assert (found.mode, found.batch, found.macs) == ("step", 9, 2 * 9 * 12)
    ours = found.of("numpy")
    assert ours is not None
    assert ours.seconds > 0
    assert found.ratio("numpy") is None


@pytest.mark.parametrize("start", ["PARAM(4)", "CONST([1, 2, 3, 4])"])
@pytest.mark.parametrize("mode", ["forward", "step"])
def test_a_network_without_inputs_is_timed(start: str, mode: Any) -> None:
    """Its outputs are those of one sample, whatever batch is asked for."""
    network = netc.compile(f"{start} -> FC(3)")
    found = network.bench(mode=mode, engines=["numpy"], seconds=0, threads=1, batch=9)
    assert (found.batch, found.of("numpy") is None) == (1, False)
    text = plan(network.model, mode=mode, batch=9)
    assert text.splitlines()[0].endswith(", batch 1")
    assert "arena" in text


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"mode": "backward"}, "E125"),
        ({"batch": 0}, "E125"),
        ({"batch": 2.5}, "E125"),
        ({"threads": 0}, "E125"),
        ({"seconds": "long"}, "E125"),
        ({"seconds": float("nan")}, "E125"),
        ({"engines": ["tensorflow"]}, "E502"),
    ],
    ids=str,
)
def test_options_are_checked(options: dict[str, Any], code: str) -> None:
    """What Python gives is refused before anything runs."""
    failure = failure_of(netc.compile("INPUT(4) -> FC(3)").bench, **options)
    assert failure.diagnostics[0].code == code


def test_pytorch_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyTorch it is left out, and asking for it is an error with a remedy."""
    monkeypatch.setattr(contenders, "find_spec", {}.get)
    net = netc.compile("INPUT(4) -> FC(3)")
    found = net.bench("forward", seconds=0, threads=1)
    assert [timing.contender for timing in found.timings] == ["numpy"]
    with pytest.raises(NetError, match="pytorch is not installed"):
        net.bench(engines=["pytorch"])


def test_the_machine_is_measured() -> None:
    """Products and copies have a speed."""
    assert products() > 1
    assert copies() > 0.1


def test_operators_that_only_onnx_defines_reach_processes() -> None:
    """Their rows are made again; what is not defined is an error."""
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N,4] x) => (uint8[N,4] y, float s, uint8 z) { y, s, z = DynamicQuantizeLinear(x) }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    work = random_work(net.graph, Recipe(loss={}), batch=2, step=False)
    again = pickle.loads(dumped(work))
    assert again.graph.outputs.keys() == {"y", "s", "z"}
    text = """<ir_version: 8, opset_import: ["" : 17, "custom" : 1]>
    g (float[N,4] x) => (float[N,4] y) { y = custom.Mine(x) }"""
    net = netc.load_onnx(onnx.parser.parse_model(text).SerializeToString())
    with pytest.raises(NetError, match=r"E506.*custom.Mine"):
        dumped(random_work(net.graph, Recipe(loss={}), batch=2, step=False))

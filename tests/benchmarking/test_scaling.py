"""Predictions of training by several workers: the formulas, by hand, and what `netc plan` says."""

import json
from pathlib import Path

import pytest
from support.command_line import netc as netc_here

import netc
from netc.grammar.diagnostics import NetError
from netc.runtime.benchmarking.devices import DEVICES, Device
from netc.runtime.benchmarking.scaling import (
    LAUNCH,
    Link,
    StepCosts,
    Sums,
    largest_batch,
    predicted,
    slowest,
)
from netc.scaling import CUT, HERE, JITTER, UPDATED, bytes_per_second, plan_training

NETS = Path(__file__).parents[2] / "benchmarks" / "nets"
TEN = Device("a device of round numbers", tflops=1.0, gigabytes=1.0, bandwidth=1.0, source="none")
MLP = """
INPUT(100) -> FC(50) -> RELU -> FC(10)
train { loss = cross_entropy, optimizer = sgd(lr=0.1, momentum=0.9), batch = 64 }
"""
PARAMETERS = 101 * 50 + 51 * 10


def costs_of(program: str) -> StepCosts:
    """What a step of a program's training costs."""
    from netc.benchmarks import work_of

    work = work_of(netc.compile(program).model, 2, step=True)
    return StepCosts.of(work.train_step(), work.symbols)


def test_counts_of_a_step() -> None:
    """Gradients are of all weights, and a step has the products of both passes."""
    costs = costs_of(MLP)
    assert costs.gradients == 4 * PARAMETERS
    assert costs.state == 2 * 4 * PARAMETERS  # with momentum
    assert costs.macs(64) == 64 * (2 * 100 * 50 + 3 * 50 * 10)  # no gradient of the input


def test_memory() -> None:
    """State, its new values, gradients and activations; the largest batch is what just fits."""
    costs = costs_of(MLP)
    one, more = costs.memory(1), costs.memory(1001)
    assert one > costs.state + 2 * costs.gradients
    assert more - one >= 1000 * 4 * (100 + 50)  # the input and an activation, at least
    fits = largest_batch(costs, more)
    assert fits <= 1001
    assert costs.memory(fits) <= more < costs.memory(fits + 1 + fits // 32)
    assert largest_batch(costs, one - 1) == 0


def test_all_reduce() -> None:
    """A ring of n workers: 2 (n - 1) / n of the bytes, in 2 (n - 1) messages."""
    link = Link(1e9, 1e-5)
    assert link.all_reduce(4e6, 1) == 0
    assert link.all_reduce(4e6, 2) == pytest.approx(4e-3 + 2e-5)
    assert link.all_reduce(4e6, 4) == pytest.approx(6e-3 + 6e-5)
    assert link.all_reduce(4e6, 64) == pytest.approx(2 * 63 / 64 * 4e-3 + 126e-5)


def test_efficiency() -> None:
    """Compute is shared, sums are not; what each worker then does is its part of the ideal."""

    def compute(samples: int) -> float:
        return 1e-4 * samples

    link = Link(1e9, 0.0)
    sums = Sums(((3_200_000, 1.0),))
    shared = predicted(64, [1, 2, 4], compute, link, sums, share=True)
    assert [point.samples for point in shared] == [64, 32, 16]
    assert [point.seconds for point in shared] == pytest.approx([6.4e-3, 6.4e-3, 6.4e-3])
    assert [point.efficiency for point in shared] == pytest.approx([1, 1 / 2, 1 / 4])
    grown = predicted(64, [1, 2, 4], compute, link, sums, share=False)
    assert [point.samples for point in grown] == [64, 64, 64]
    assert [point.efficiency for point in grown] == pytest.approx([1, 6.4 / 9.6, 6.4 / 11.2])
    assert [point.at_best for point in grown] == pytest.approx([6.4e-3, 9.6e-3, 11.2e-3])


def test_sums_behind_the_backward_pass() -> None:
    """Each begins when its buffer is there and those before it are done; the last one is late."""
    link = Link(1e9, 1e-4)  # two workers: 1 ms for a MB, and 0.2 ms for the messages
    early = Sums(((1_000_000, 0.5), (1_000_000, 0.6), (100_000, 1.0)))
    assert early.bytes == 2_100_000
    assert early.exposed(10e-3, link, 1) == 0
    assert early.exposed(10e-3, link, 2) == pytest.approx(0.1e-3 + 0.2e-3)
    late = Sums(((1_000_000, 0.5), (4_000_000, 0.9), (1_000_000, 1.0)))
    assert late.exposed(10e-3, link, 2) == pytest.approx(4e-3 + 0.2e-3)  # 9 + 4 + 1 - 10 ms
    (one,) = predicted(10, [2], lambda _: 10e-3, link, early, share=False)
    assert one.at_best == pytest.approx(10.3e-3)
    assert one.seconds == pytest.approx(12.3e-3)


def test_waiting() -> None:
    """For the largest of some normal numbers, 1 / sqrt(pi) of two, and for the cut of the step."""
    assert [slowest(n) for n in (1, 2, 4, 64)] == pytest.approx(
        [0, 0.5642, 1.0294, 2.3888], rel=0.05
    )
    alone, both = predicted(
        *(1, [1, 2], lambda _: 0.1, Link(1e9, 0.0), Sums((), cut=1e-3)), share=False, jitter=0.1
    )
    assert alone.wait == 0
    assert both.wait == pytest.approx(0.1 * 0.1 * slowest(2) + 1e-3)
    assert both.efficiency == pytest.approx(0.1 / (0.1 + both.wait))


# Measured of two ranks, by the number of samples of each: for NumPy and onnxruntime the samples a
# second of both alone, and the share of that together, waiting included: docs/scaling.md.
MEASURED = {
    "vgg": (32, (1056, 0.98), (1296, 0.94)),
    "mlp": (256, (88_526, 1.01), (98_254, 1.0)),
    "lenet5": (64, (31_805, 0.94), (42_034, 0.94)),
    "residual": (16, (653, 0.98), (817, 0.93)),
    "wavenet": (4, (332, 0.98), (463, 0.95)),
}


@pytest.mark.parametrize("name", MEASURED)
def test_measured_ranks(name: str) -> None:
    """Two ranks of one machine come to what is predicted: 3 points on NumPy, 5 on onnxruntime."""
    from netc.benchmarks import work_of

    samples, *measured = MEASURED[name]
    work = work_of(netc.load(str(NETS / f"{name}.net")).model, samples, step=True)
    sums = Sums.of(work.train_step(shards=True), work.symbols, cut=CUT, updated=UPDATED)
    for (speed, share), within in zip(measured, (0.03, 0.05), strict=True):
        taken = {samples: 2 * samples / speed}
        (found,) = predicted(
            *(samples, [2], taken.__getitem__, HERE, sums), share=False, jitter=JITTER
        )
        assert found.efficiency == pytest.approx(share, abs=within)


def test_when_gradients_are_there() -> None:
    """Those of the last layer first; the first layer's are there at the end."""
    from netc.benchmarks import work_of

    program = "INPUT(1000) -> FC(1000) -> RELU -> FC(1000) -> RELU -> FC(10)"
    work = work_of(netc.compile(program).model, 2, step=True)
    sums = Sums.of(work.train_step(shards=True), work.symbols)
    gradients = 4 * (1001 * 2000 + 1001 * 10)
    assert gradients <= sums.bytes <= gradients + 16  # with the loss and a count
    shares = [share for _, share in sums.ready]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    second, first = (share for size, share in sums.ready if size >= 4_000_000)
    assert 0.5 < second < first == 1


def test_time_on_a_device() -> None:
    """Products or memory bound each operator, and large products take what the peak allows."""
    costs = costs_of(
        "INPUT(1024) -> FC(1024, bias=no)\ntrain { loss = mse, optimizer = sgd(lr=1) }"
    )
    samples, fast = 4096, Device("fast", 1.0, 1.0, 1e9, "none")
    products = 2e-12 * 2 * samples * 1024**2
    launches = LAUNCH * 40
    assert products <= costs.seconds(fast, samples, 1.0) <= products + launches
    assert products / 0.5 <= costs.seconds(fast, samples, 0.5) <= products / 0.5 + launches
    assert costs.seconds(TEN, samples, 1.0) > products + launches  # memory of 1 GB/s bounds others


@pytest.mark.parametrize(
    ("text", "expected"),
    [("25Gb", 3.125e9), ("3GB", 3e9), ("100 Gb/s", 1.25e10), ("800Mbps", 1e8), ("1.5GB/s", 1.5e9)],
)
def test_bandwidths(text: str, expected: float) -> None:
    """Bits and bytes are told by the letter."""
    assert bytes_per_second(text) == expected


@pytest.mark.parametrize("text", ["25", "fast", "0Gb", "-1Gb", "25gb", ""])
def test_no_bandwidths(text: str) -> None:
    """What is none is refused with an example."""
    with pytest.raises(NetError, match="is not a bandwidth"):
        bytes_per_second(text)


def test_a_plan_of_a_device() -> None:
    """A small network stops scaling at once, and a large one at a share of its batch."""
    model = netc.compile(MLP).model
    plan = plan_training(model, workers=6, bandwidth="25Gb", device="h100")
    assert [point.workers for point in plan.shared] == [1, 2, 4, 6]
    assert plan.limit(plan.shared) == 1
    assert plan.available == DEVICES["h100"].gigabytes * 1e9
    text = plan.to_text()
    assert "40% of the speed that NVIDIA's data sheet H100" in text
    assert "scaling, the batch shared: stops at 1 worker: beyond, more than half is lost" in text


def test_a_plan_that_is_measured(tmp_path: Path) -> None:
    """On the processor, one worker's step is what a benchmark of it takes."""
    (tmp_path / "mlp.net").write_text(MLP)
    arguments = ("--workers", "2", "--batch", "32", "--threads", "1", "--json")
    found = netc_here("plan", "mlp.net", *arguments, cwd=tmp_path)
    assert found.status == 0, found.err
    plan = json.loads(found.out)
    assert plan["gradients"] == 4 * PARAMETERS
    alone, both = plan["grown"]
    assert 1e-5 < alone["seconds"] < 1
    assert both["compute"] == alone["compute"]
    assert both["communicate"] == pytest.approx(4 * PARAMETERS / 1.25e9 + 2 * 20e-6, rel=1e-3)


def test_faults(tmp_path: Path) -> None:
    """Devices that are not known, and networks without a loss that fits, are refused."""
    (tmp_path / "mlp.net").write_text(MLP)
    assert (
        "did you mean `h100`" in netc_here("plan", "mlp.net", "--device", "h10", cwd=tmp_path).err
    )
    none = netc_here("plan", "INPUT(4) -> RELU -> FC(1)", cwd=tmp_path)
    assert none.status == 1
    assert "error[" in none.err

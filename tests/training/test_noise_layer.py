"""NOISE in training and at inference, on both engines, and what learns with it."""

from typing import Any

import numpy as np
import pytest
from support.engines import on_both
from support.jobs import job_of
from support.refusals import refusal
from support.torch_files import module_of, outputs_of

import netc
from netc.compiler.passes.set_mode import set_mode
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array
from netc.runtime.training.run import train
from netc.runtime.training.stepper import Stepper, scalars
from netc.sources import zoo

ALONE = "INPUT({size}) -> NOISE({given}) as {name}"


def drawn(
    given: str = "add=no",
    *,
    size: str = "1000",
    batch: int = 200,
    name: str = "noise",
    step: int | None = 0,
    seed: int = 0,
) -> Array:
    """What NOISE makes of zeros, the same bits on both engines; at inference without a step."""
    network = netc.compile(ALONE.format(size=size, given=given, name=name))
    graph = set_mode(network.graph, training=step is not None, seed=seed)
    shape = [batch, *(int(extent) for extent in network.inputs[0].shape[1:])]
    feeds = {"input": np.zeros(shape, np.float32)}
    if "step" in graph.inputs:
        feeds["step"] = np.asarray(step)
    found, expected = on_both(graph, feeds, {})
    np.testing.assert_array_equal(found["output"], expected["output"])
    return found["output"]


def test_normal_numbers() -> None:
    """Of 200,000 numbers the moments and the quantiles are those of the normal distribution."""
    e = drawn().astype(np.float64).ravel()
    bound = 5 / e.size**0.5
    for power, expected, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((e**power).mean() - expected) < bound * spread**0.5
    for place, share in ((-1.96, 0.025), (-0.6745, 0.25), (1.2816, 0.9), (3.0902, 0.999)):
        assert abs((e < place).mean() - share) < bound
    pairs = e.reshape(-1, 1000)
    assert abs((pairs[:, 1:] * pairs[:, :-1]).mean()) < bound
    assert abs((pairs[1:] * pairs[:-1]).mean()) < bound


def test_uniform_numbers() -> None:
    """From -scale to scale, every tenth as often."""
    e = drawn("uniform, 0.5, add=no")
    assert -0.5 <= e.min() < -0.4999 < 0.4999 < e.max() < 0.5
    counts = np.histogram(e, 10, (-0.5, 0.5))[0]
    assert np.abs(counts / e.size - 0.1).max() < 5 * (0.09 / e.size) ** 0.5


@pytest.mark.parametrize("size", ["7", "5x3, sequence", "4x5x3", "2x3x4x2"])
@pytest.mark.parametrize("given", ["0.1", "uniform, 0.1", "0.1, add=no"])
def test_shapes_and_batches(size: str, given: str) -> None:
    """A sample's noise does not depend on how many come after it."""
    many = drawn(given, size=size, batch=3)
    np.testing.assert_array_equal(drawn(given, size=size, batch=1), many[:1])
    assert drawn(given, size=size, batch=0).shape == (0, *many.shape[1:])
    assert np.abs(many).max() < 1
    assert not drawn(given, size=size, batch=3, step=None).any()


def test_a_function_of_seed_layer_and_step() -> None:
    """The same three give the same numbers again, and each of them others."""
    found = {
        drawn(step=step, seed=seed, name=name).tobytes()
        for step in (0, 1)
        for seed in (0, 1)
        for name in ("a", "b")
    }
    assert len(found) == 8
    assert drawn(step=1, seed=1, name="b").tobytes() in found


def test_always() -> None:
    """Noise at inference is that of step 0 and seed 0, in each run the same."""
    np.testing.assert_array_equal(drawn("always=yes", step=None), drawn("always=yes", step=0))
    assert not np.array_equal(drawn("always=yes", step=1), drawn("always=yes", step=0))
    network = netc.compile("INPUT(6) -> FC(4) -> NOISE(always=yes) -> FC(2)")
    state, x = network.initialize(), np.ones((3, 6), np.float32)
    np.testing.assert_array_equal(network.run(x, state), network.run(x, state))


def test_mean_and_deviation() -> None:
    """Of two branches it is mean + deviation e; the gradients are 1 and e."""
    network = netc.compile("INPUT(4x5x3) as m\nINPUT(3) as s\n( m | s ) -> NOISE as y")
    random = np.random.default_rng(0)
    m, s = random.random((8, 3, 4, 5), np.float32), random.random((8, 3), np.float32)
    y, gradients = network.value_and_grad(
        {"m": m, "s": s}, None, {}, of="y", wrt=["m", "s"], training=True
    )
    e = drawn(size="4x5x3", batch=8, name="y")
    assert y == pytest.approx(float((m + s[..., None, None] * e).sum()), rel=1e-5)
    np.testing.assert_array_equal(gradients["m"], np.ones_like(m))
    np.testing.assert_allclose(gradients["s"], e.sum(axis=(2, 3)), rtol=1e-4, atol=1e-5)


def test_nothing_stays_at_inference() -> None:
    """Exported models have no trace of noise that is not always drawn."""
    network = netc.compile("INPUT(6) -> FC(4) -> NOISE(0.3) -> RELU")
    graph = set_mode(network.graph, training=False)
    assert {node.op_type for _, node in graph.nodes()} >= {"Gemm", "Relu"}
    assert not {"Add", "Mul", "netc.Noise"} & {node.op_type for _, node in graph.nodes()}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("INPUT(4) -> NOISE(poisson)", "one of `normal`, `uniform`"),
        ("INPUT(4) -> NOISE(-1)", "non-negative"),
        ("INPUT(4, dtype=int64) -> NOISE", "real numbers"),
        ("x = INPUT(4)\ny = INPUT(4x4x4)\n( x | y ) -> NOISE", "extents of the mean"),
        ("x = INPUT(4)\n( x | x | x ) -> NOISE", "a mean and a deviation"),
        ("x = INPUT(4x4x2)\ny = INPUT(5)\n( x | y ) -> NOISE", "extents must agree"),
    ],
)
def test_what_does_not_fit(program: str, said: str) -> None:
    """Other distributions, negative scales, tokens, and deviations that do not fit the mean."""
    assert said in refusal(netc.compile, program)


def test_resuming_draws_the_same(tmp_path: Any) -> None:
    """A run that was ended after an epoch goes on to the same bits."""
    text = "INPUT(6) -> NOISE(0.2) -> FC(8) -> RELU -> FC(3)\ntrain {{ epochs = {} }}"
    random = np.random.default_rng(1)
    data = random.random((60, 6), np.float32), random.integers(0, 3, 60)
    whole = train(job_of(text.format(3), data))
    train(job_of(text.format(1), data, folder=str(tmp_path / "run")))
    again = train(job_of(text.format(3), data, folder=str(tmp_path / "run")), resume=True)
    for name, array in whole.last.items():
        np.testing.assert_array_equal(again.last[name], array)


@pytest.mark.oracle
def test_the_shipped_autoencoder_learns_as_in_pytorch() -> None:
    """With our noise in its forward pass, PyTorch takes the same 50 steps with `zoo:vae`.

    Its activations are smooth here: at a kink of ReLU one rounding leads to other weights.
    """
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    f = torch.nn.functional
    text = zoo()["generative/vae"].read_text("utf-8").replace("RELU", "TANH")
    network, random = netc.compile(text), np.random.default_rng(0)
    job = job_of(text, (random.random((160, 784), np.float32), None))
    state = network.initialize(0)
    stepper = Stepper(job.step, state)
    module = module_of(network, state)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.001)
    batches = [feeds for epoch in range(50) for feeds in job.training.batches(epoch)][:50]
    for number, feeds in enumerate(batches):
        results = stepper.advance({**feeds, **scalars(stepper.step.graph, number, 0.001, 0.0)})
        x = torch.tensor(feeds["image"])
        e = torch.tensor(drawn(size="20", batch=len(x), name="code", step=number))
        hidden = module.fc1(x).tanh()
        mu, logvar = module.fc21(hidden), module.fc22(hidden)
        y = module.fc4(module.fc3(mu + e * (0.5 * logvar).exp()).tanh()).sigmoid()
        entropy = f.binary_cross_entropy(y, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = (entropy + divergence) / len(x)
        assert float(results["loss"]) == pytest.approx(loss.item(), rel=1e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, weight in module.state_dict().items():
        assert norm_difference(stepper.state[name], weight.numpy()) <= 1e-3, name


@pytest.mark.oracle
def test_files_for_pytorch_draw_alike() -> None:
    """In `train()` mode deviations are the program's, in `eval()` mode nothing is added."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    torch.manual_seed(0)
    for given, deviation in (("0.5", 0.5), ("uniform, 0.5", 0.5 / 3**0.5), ("add=no", 1.0)):
        network = netc.compile(ALONE.format(size="1000", given=given, name="n"))
        module, x = module_of(network, {}), np.zeros((50, 1000), np.float32)
        (y,) = outputs_of(network, module.train(), {"input": x})
        assert float(y.std()) == pytest.approx(deviation, rel=0.02)
        (y,) = outputs_of(network, module.eval(), {"input": x})
        assert not y.any()

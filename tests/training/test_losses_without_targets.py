"""Outputs that are compared with an input, and outputs that are terms of the loss themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.jobs import job_of
from support.torch_files import module_of

import netc
from netc.callbacks import Callback
from netc.compiler.emit.torch.source import torch_source
from netc.grammar.diagnostics import NetError
from netc.runtime.data import arrays
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array
from netc.runtime.training.run import train
from netc.runtime.training.stepper import Stepper, scalars

VAE = """INPUT(12) as image -> FC(8) as fc1 -> RELU as hidden
INPUT(3) as noise
output mu = hidden -> FC(3) as fc21
output logvar = hidden -> FC(3) as fc22
( logvar | CONST(0.5) ) -> MUL -> EXP as deviation
( mu | ( noise | deviation ) -> MUL ) -> ADD -> FC(8) as fc3 -> RELU as decoded
output reconstruction = decoded -> FC(12) as fc4 -> SIGMOID
output kl = ( mu -> SQUARE | logvar -> EXP | logvar -> NEG | CONST(-1) ) -> ADD -> REDUCE(sum)
train {
  loss      = {reconstruction: binary_cross_entropy(target=image), kl: minimize}
  weights   = {reconstruction: 12, kl: 0.5}
  optimizer = adam(lr=0.01)
  batch     = 8
  epochs    = 10
  split     = (0.8, 0.2)
}"""
TOLERANCE = 1e-4
AUTOENCODER = "INPUT(8x8) as image -> FC(16) -> RELU -> FC(64) -> {end}"


def samples(count: int = 50) -> dict[str, Array]:
    """Gray values and noise."""
    random = np.random.default_rng(3)
    image = random.random((count, 12), np.float32)
    return {"image": image, "noise": random.standard_normal((count, 3), np.float32)}


def vae_loss(torch: Any, weights: dict[str, Any], image: Any, noise: Any) -> tuple[Any, Any, Any]:
    """The loss of Kingma and Welling as PyTorch's example has it, per sample, and its two terms."""
    f = torch.nn.functional

    def dense(name: str, x: Any) -> Any:
        return f.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    hidden = dense("fc1", image).relu()
    mu, logvar = dense("fc21", hidden), dense("fc22", hidden)
    decoded = dense("fc4", dense("fc3", mu + noise * (0.5 * logvar).exp()).relu()).sigmoid()
    entropy = f.binary_cross_entropy(decoded, image, reduction="sum") / len(image)
    divergence = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum() / len(image)
    return entropy + divergence, entropy / 12, 2 * divergence


@pytest.mark.oracle
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_an_autoencoder_learns_as_in_pytorch(engine: str) -> None:
    """Over 50 steps the loss, its terms and the weights are those of PyTorch's example."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    job = job_of(VAE, (samples(), None), engine=engine)
    state = netc.compile(VAE).initialize(0)
    stepper = Stepper(job.step, state, engine=engine)
    weights = {name: torch.tensor(a, requires_grad=True) for name, a in state.items()}
    optimizer = torch.optim.Adam(weights.values(), lr=0.01)
    feeds = [feeds for epoch in range(10) for feeds in job.training.batches(epoch)]
    assert len(feeds) == 50
    for number, given in enumerate(feeds):
        results = stepper.advance({**given, **scalars(stepper.step.graph, number, 0.01, 0.0)})
        found = [float(results[n]) for n in ("loss", "loss.reconstruction", "loss.kl")]
        loss, *terms = vae_loss(torch, weights, *map(torch.tensor, map(given.get, samples(1))))
        assert found == pytest.approx([loss.item(), *(term.item() for term in terms)], rel=1e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, expected in weights.items():
        assert norm_difference(stepper.state[name], expected.detach().numpy()) <= TOLERANCE, name


def test_gradients_are_differences() -> None:
    """Loss and gradients need no targets, and agree with central differences."""
    net = netc.compile(VAE)
    loss, gradients = net.value_and_grad(samples(), None, net.initialize())
    assert np.isfinite(loss)
    assert gradients.keys() == net.initialize().keys()
    assert max(net.gradcheck(samples(4), None, net.initialize()).values()) < 1e-6


def test_the_log_shows_each_term() -> None:
    """History, validation and test have a column for each loss, and `loss` is their sum."""
    net = netc.compile(VAE)
    run = net.train(samples(), split="(0.6, 0.2, 0.2)", epochs=2)
    names = ("reconstruction.accuracy", "reconstruction.loss", "kl.loss")
    assert run.history.metrics == names
    for row in run.history.rows:
        entropy, divergence = (row.metrics[name] or 0.0 for name in names[1:])
        assert row.loss == pytest.approx(12 * entropy + 0.5 * divergence, rel=1e-5)
    assert set(run.test) == {"loss", *names}
    assert "kl.loss" in repr(run)
    monitored = train(job_of(VAE, (samples(), None), monitor="val_kl.loss"))
    divergences = [row.metrics["val_kl.loss"] or 0.0 for row in monitored.history.rows]
    assert monitored.best_epoch == 1 + int(np.argmin(divergences))


def test_terms_survive_an_interruption(tmp_path: Path) -> None:
    """A run that goes on within an epoch reports the same means of each term."""

    class Interrupted(Exception):
        """The run ends here."""

    class Stop(Callback):
        """Ends a run in the middle of its second epoch."""

        def on_step(self, progress: Any, feeds: Any, results: Any) -> None:
            if progress.step == 7:
                raise Interrupted

    def measured(run: Any) -> list[dict[str, Any]]:
        return [{n: v for n, v in r.values().items() if n != "seconds"} for r in run.history.rows]

    whole = train(job_of(VAE, (samples(), None)))
    part = job_of(VAE, (samples(), None), folder=str(tmp_path / "run"), every=0.0)
    with pytest.raises(Interrupted):
        train(part, callbacks=[Stop()])
    assert measured(train(part, resume=True)) == measured(whole)


def test_data_without_their_labels() -> None:
    """An autoencoder learns digits from its own input; their labels are not asked for."""
    end = "SIGMOID -> RESHAPE(8x8x1)\ntrain { data = digits, loss = mse(target=image), epochs = 2 }"
    run = netc.compile(AUTOENCODER.format(end=end)).train()
    first, last = run.history.rows
    assert run.history.metrics == ("mae",)
    assert last.loss < first.loss
    assert all(check.ok for check in netc.compile(AUTOENCODER.format(end=end)).sanity())


def test_constants_are_no_vanished_activations() -> None:
    """What is the same for all samples by intention is not found to vanish."""
    found = {check.name: check for check in netc.compile(VAE).sanity(data=samples())}
    assert found["activations"].ok
    assert found["initial loss"].ok


def test_sanity_of_terms_alone() -> None:
    """A network without a target is not told what its loss should be."""
    text = "INPUT(3) -> FC(4) -> SQUARE\ntrain { loss = minimize }"
    found = netc.compile(text).sanity(data=np.ones((30, 3), np.float32))
    told = {check.name: check.message for check in found}
    assert told["initial loss"] == told["small subset"] == "no output is compared with a target"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("SIGMOID\ntrain { loss = mse(target=image) }", "E132", "RESHAPE(8x8x1)"),
        ("RESHAPE(8x8x1)\ntrain { loss = mse(target=imgae) }", "E132", "did you mean `image`"),
        (
            "FC(10)\ntrain { loss = cross_entropy(target=image) }",
            "E132",
            "takes int64[N] or float32[N, 10]",
        ),
        ("FC(1)\ntrain { loss = minimize(target=image) }", "E102", "minimize"),
        ("FC(1)\ntrain { loss = mse(target=3) }", "E103", "label"),
        ("STEP -> op('Cast', to='int64')\ntrain { loss = minimize }", "E132", "real numbers"),
    ],
)
def test_what_does_not_fit(end: str, code: str, said: str) -> None:
    """Inputs that there are not, other shapes, and targets of what takes none are refused."""
    with pytest.raises(NetError, match=code) as caught:
        netc.compile(AUTOENCODER.format(end=end.replace("'", '"')))
    assert said in str(caught.value)


def test_targets_that_nothing_takes() -> None:
    """Targets beside a loss that takes none are an error, not ignored."""
    net = netc.compile(VAE)
    with pytest.raises(NetError, match="E543"):
        net.value_and_grad(samples(), np.zeros(50), net.initialize())


def test_pictures_stand_beside_the_input(tmp_path: Path) -> None:
    """`show.predictions` compares an autoencoder's pictures with its input."""
    from netc import show

    net = netc.compile(
        AUTOENCODER.format(end="SIGMOID -> RESHAPE(8x8x1)\ntrain { loss = mse(target=image) }")
    )
    x = np.random.default_rng(0).random((9, 1, 8, 8), np.float32)
    path = tmp_path / "p.svg"
    show.predictions(net, path, net.initialize(), data=arrays(x), part="all", most=2)
    assert "right" in path.read_text(encoding="utf-8")


def test_the_chain_rule_has_their_formulas(tmp_path: Path) -> None:
    """A picture of the backward pass has a box for each term."""
    net = netc.compile(VAE)
    net.draw(tmp_path / "b.svg", style="backward")
    assert "∑ y" in (tmp_path / "b.svg").read_text(encoding="utf-8")


@pytest.mark.oracle
def test_a_file_for_pytorch_trains_alike() -> None:
    """The function `train` of the exported file takes the same steps."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    net = netc.compile(VAE)
    defined: dict[str, Any] = {}
    exec(compile(torch_source(net.model), "<exported>", "exec"), defined)
    state = net.initialize(0)
    model = module_of(net, state)
    given = samples(8)
    defined["train"](model, [tuple(map(torch.tensor, given.values()))])
    stepper = Stepper(job_of(VAE, (given, None)).step, state)
    for number in range(10):
        stepper.advance({**given, **scalars(stepper.step.graph, number, 0.01, 0.0)})
    for name, weight in model.state_dict().items():
        assert norm_difference(stepper.state[name], weight.numpy()) <= TOLERANCE, name

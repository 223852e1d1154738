"""Weight and spectral normalization against PyTorch's parametrizations."""

from pathlib import Path

import numpy as np
import pytest
from support.jobs import job_of
from support.torch_files import module_of, outputs_of

import netc
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.training.stepper import Stepper, scalars

TOLERANCE = 1e-4
STEPS = 20
# A layer with `norm=`, its input, and what it counts without and with a normalization by weight.
LAYERS = {
    "CONV(3x3, 6, groups=2": ("6x5x4", 6 * 2 * 9 + 6, 6),
    "DWCONV(3x3, multiplier=2": ("6x5x4", 8 * 9 + 8, 8),
    "UPCONV(3x3, 6": ("5x4x3", 3 * 6 * 9 + 6, 3),
    "FC(7": ("12", 12 * 7 + 7, 7),
    "LINEAR(7": ("12", 12 * 7 + 7, 7),
    "LINEAR(7, bias=no": ("5x12, sequence", 12 * 7, 7),
    "LINEAR(6": ("4x3x5", 5 * 6 + 6, 6),
    "CONV(kernel=3, 6": ("9x4, sequence", 6 * 4 * 3 + 6, 6),
}


def program(layer: str, norm: str) -> str:
    """A layer between an input and a classifier, with what trains it."""
    size, _, _ = LAYERS[layer]
    return (
        f"INPUT({size}) as x -> {layer}, norm={norm}) as l -> TANH -> FC(3, norm={norm}) as out\n"
        "train { loss = cross_entropy, optimizer = sgd(0.1, 0.9), split = (1, 0, 0) }"
    )


@pytest.mark.parametrize("norm", ["weight", "spectral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_counts(layer: str, norm: str) -> None:
    """Parameters are PyTorch's; the singular vectors of a weight are none."""
    size, params, factors = LAYERS[layer]
    net = netc.compile(f"INPUT({size}) -> {layer}, norm={norm}) as l")
    assert net.params == params + (factors if norm == "weight" else 0)
    plain = netc.compile(f"INPUT({size}) -> {layer}) as l")
    assert plain.params == params
    assert net.macs == plain.macs


@pytest.mark.parametrize("norm", ["weight", "spectral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_first_values(layer: str, norm: str) -> None:
    """With weight normalization nothing changes at first; u and v tell the singular value."""
    net = netc.compile(program(layer, norm))
    state = net.initialize(3)
    name = "l.parametrizations.weight.original"
    random = np.random.default_rng(0)
    x = random.standard_normal([4, *map(int, net.inputs[0].shape[1:])], np.float32)
    if norm == "weight":
        plain = netc.compile(program(layer, "none"))
        weights = {n.replace("parametrizations.weight.original1", "weight"): a
                   for n, a in state.items() if not n.endswith("original0")}  # fmt: skip
        found, expected = (np.asarray(n.run(x, s)) for n, s in ((net, state), (plain, weights)))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        return
    weight, u = state[name], state["l.parametrizations.weight.0._u"]
    axis = 1 if layer.startswith("UPCONV") else 0
    matrix = np.moveaxis(weight, axis, 0).reshape(len(u), -1)
    sigma = float(u @ matrix @ state["l.parametrizations.weight.0._v"])
    assert 0.85 < sigma / np.linalg.norm(matrix, 2) <= 1.0001


@pytest.mark.oracle
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("norm", ["weight", "spectral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_training_is_that_of_pytorch(layer: str, norm: str, engine: str) -> None:
    """Over 20 steps losses, weights and singular vectors are PyTorch's; so are outputs after it."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    text = program(layer, norm)
    net = netc.compile(text)
    state = net.initialize(0)
    random = np.random.default_rng(1)
    shape = [8, *map(int, net.inputs[0].shape[1:])]
    x, t = random.standard_normal(shape, np.float32), random.integers(0, 3, 8)
    stepper = Stepper(job_of(text, (x, t)).step, state, engine=engine)
    module = module_of(net, state).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    for number in range(STEPS):
        results = stepper.advance(
            {"x": x, "target": t, **scalars(stepper.step.graph, number, 0.1, 0.9)}
        )
        loss = torch.nn.functional.cross_entropy(module(torch.tensor(x)), torch.tensor(t))
        assert float(results["loss"]) == pytest.approx(loss.item(), rel=1e-4, abs=1e-6)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    theirs = module.state_dict()
    assert theirs.keys() == state.keys()
    for name, expected in theirs.items():
        assert norm_difference(stepper.state[name], expected.numpy()) <= TOLERANCE, name
    trained = {name: stepper.state[name] for name in state}
    (expected,) = outputs_of(net, module.eval(), {"x": x})
    found = net.run(x, trained)
    assert isinstance(found, np.ndarray)
    assert norm_difference(found, expected.detach().numpy()) <= TOLERANCE


@pytest.mark.oracle
@pytest.mark.parametrize("norm", ["weight", "spectral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_in_double_precision(layer: str, norm: str) -> None:
    """Loss and gradients of a step are PyTorch's in float64; nothing goes through u and v."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    net = netc.compile(program(layer, norm))
    state = {name: array.astype(np.float64) for name, array in net.initialize(2).items()}
    random = np.random.default_rng(4)
    shape = [5, *map(int, net.inputs[0].shape[1:])]
    x, t = random.standard_normal(shape), random.integers(0, 3, 5)
    module = module_of(net, net.initialize(2)).double().train()
    module.load_state_dict({name: torch.tensor(a) for name, a in state.items()})
    loss = torch.nn.functional.cross_entropy(module(torch.tensor(x)), torch.tensor(t))
    loss.backward()
    found, gradients = net.value_and_grad(x, t, state, dtype="float64")
    assert found == pytest.approx(loss.item(), rel=1e-10)
    expected = dict(module.named_parameters())
    assert gradients.keys() == expected.keys()
    for name, weight in expected.items():
        assert norm_difference(gradients[name], weight.grad.numpy()) <= 1e-8, name


def test_a_frozen_layer_keeps_its_vectors() -> None:
    """A layer that is not trained takes no step of the power method."""
    text = "INPUT(6) as x -> FC(4, norm=spectral, frozen=yes) as l -> FC(3)\ntrain { epochs = 1 }"
    random = np.random.default_rng(0)
    job = job_of(text, (random.random((9, 6), np.float32), random.integers(0, 3, 9)))
    state = netc.compile(text).initialize()
    stepper = Stepper(job.step, state)
    stepper.advance({**next(job.training.batches(0)), **scalars(stepper.step.graph, 0, 0.1, 0.0)})
    for name in ("l.parametrizations.weight.0._u", "l.parametrizations.weight.0._v"):
        np.testing.assert_array_equal(stepper.state.get(name, state[name]), state[name])


def test_given_weights_and_shared_ones() -> None:
    """Literal weights are those that are normalized, and another layer may use them, too."""
    net = netc.compile("INPUT(2) -> FC(1, norm=weight, weight=[[3, 4]], bias_value=1)")
    y = net.run(np.array([[1.0, 2.0]], np.float32))
    assert np.asarray(y) == pytest.approx(12.0)
    shared = netc.compile(
        "INPUT(4) -> FC(4, norm=spectral) as a -> TANH -> FC(4, norm=spectral, share=a) as b"
    )
    assert shared.params == 20


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("INPUT(4) -> FC(3, norm=batch)", "E103", "`none`, `weight`, `spectral`"),
        ("INPUT(4) -> FC(3, norm=weight, weight=[[1]])", "E205", "takes a `weight` of 3x4"),
        ("INPUT(4) -> FC(4) as a -> FC(4, norm=weight, share=a)", "E117", "there is no"),
    ],
)
def test_what_does_not_fit(text: str, code: str, said: str) -> None:
    """Other normalizations, other shapes, and weights of a layer that has no such tensors."""
    with pytest.raises(NetError, match=code) as caught:
        netc.compile(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("norm", ["weight", "spectral"])
@pytest.mark.parametrize("layer", LAYERS)
def test_exported_models_have_plain_weights(layer: str, norm: str, tmp_path: Path) -> None:
    """The weight is computed once; the model comes back as the layer without normalization."""
    net, plain = (netc.compile(program(layer, kind)) for kind in (norm, "none"))
    state = {name: 1.5 * array for name, array in net.initialize(5).items()}
    net.export(tmp_path / "m.onnx", state)
    back = netc.load_onnx(tmp_path / "m.onnx")
    assert {n: s for n, s in _sizes(back).items() if n.startswith("l.")} == {
        n: s for n, s in _sizes(plain).items() if n.startswith("l.")
    }
    assert (back.params, back.macs) == (plain.params, plain.macs)
    shape = [3, *map(int, net.inputs[0].shape[1:])]
    x = np.random.default_rng(6).standard_normal(shape, np.float32)
    found, expected = back.run(x, back.initialize()), net.run(x, state)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-4, atol=1e-5)


def _sizes(net: netc.Network) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in net.initialize().items()}


def test_exported_weights_stay_shared(tmp_path: Path) -> None:
    """Two layers of one normalized weight have one plain weight."""
    net = netc.compile(
        "INPUT(4) -> FC(4, norm=weight) as a -> TANH -> FC(4, norm=weight, share=a) as b"
    )
    state = net.initialize()
    net.export(tmp_path / "m.onnx", state)
    back, x = netc.load_onnx(tmp_path / "m.onnx"), np.ones((2, 4), np.float32)
    assert back.params == 20
    np.testing.assert_allclose(
        np.asarray(back.run(x, back.initialize())), np.asarray(net.run(x, state)), rtol=1e-5
    )

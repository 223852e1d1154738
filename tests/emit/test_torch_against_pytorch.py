"""Exported files, run in PyTorch with our weights: outputs and gradients are ours."""

from importlib import import_module
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from support.layers import feeds_for, norm_error, random_state
from support.torch_files import module_of, outputs_of

import netc
from netc.compiler.emit.torch.source import torch_source
from netc.sources import zoo

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch")

FAMILIES = sorted(
    path.stem for path in (Path(__file__).parents[1] / "support" / "rows").glob("[a-z]*.py")
)
# Beyond these a spec is exported, but not run here.
MOST_PARAMETERS, MOST_MACS = 35_000_000, 2_000_000_000
SMALL_MACS = 20_000_000

PROGRAMS = {
    "shared": """
        block Tower { CONV(3x3, 4) as c -> RELU -> FC(8) as f -> TANH }
        a = INPUT(8x8x1) as left -> Tower as tower
        b = INPUT(8x8x1) as right -> Tower(share=tower) as other
        output distance = ( a | b ) -> SUB -> ABS -> FC(1)
    """,
    "shared layers": """
        x = INPUT(6) -> FC(6) as a -> RELU -> FC(6, share=a) as b
        output first = x
        output second = x -> FC(3)
    """,
    "reductions": """
        x = INPUT(5x4, sequence) -> LINEAR(4) as before
        output a = x -> op("ReduceL2", axes=[1, 2], keepdims=no)
        output b = x -> op("ReduceL1", axes=[-1]) -> LINEAR(2) as after
        output c = x -> op("ReduceLogSumExp", axes=[1])
        output d = x -> EXP -> op("ReduceLogSum", axes=[2])
        output e = x -> op("ReduceSumSquare", axes=[2], keepdims=no)
        output f = x -> op("ReduceL2")
        output g = ( x | x -> TANH ) -> MUL -> REDUCE(mean, axis=channels)
    """,
    "elementary functions": """
        x = INPUT(6) -> FC(6) as before -> TANH
        output a = x -> op("Asin") -> op("Sinh") -> op("Atan") -> op("Cosh") -> op("Acosh")
        output b = x -> op("Acos") -> op("Asinh")
        output c = x -> op("Mul", B=0.5) -> op("Atanh") -> op("Tan")
        output d = x -> DETACH -> ( op("Sign") | op("Mul", B=3) -> op("Round") | op("Ceil") ) -> ADD
    """,
    "extents that operators join": """
        x = INPUT(5x4, sequence) -> LINEAR(4) as before
        size = ( x -> op("Shape", end=2) | op("Constant", value=[4]) ) -> op("Concat", axis=0)
        start = ( op("Constant", value=0.5) | size ) -> op("Expand")
        ( x | start ) -> ADD -> RELU -> LINEAR(3) as after
    """,
    "tensors that are made and repeated": """
        x = INPUT(6) -> FC(6) as before
        ones = x -> op("Shape") -> op("ConstantOfShape", value=[1.5])
        sums = x -> op("CumSum", axis=1, reverse=yes)
        ( x -> op("Tile", repeats=[1, 2]) | ( ones | sums ) -> ADD -> op("Mod", B=2.0, fmod=yes) )
          -> CONCAT -> FC(3) as end
    """,
    "extents of a branch": """
        ( INPUT(8) as x | x -> op("Shape", end=1) -> ( ID | op("Constant", value=[2]) )
            -> op("Concat", axis=0) -> ( op("Constant", value=1.0) | ID ) -> op("Expand") )
          -> CONCAT -> FC(3) as end
    """,
    "norms and the largest": """
        x = INPUT(4x6, sequence)
        output norms = ( x -> op("ReduceL2", axes=[-1]) | x -> op("ReduceL1", axes=[-1]) ) -> ADD
        (a, b) = x -> op("TopK", K=[2], axis=1, largest=no)
        output least = a -> LINEAR(2) as end
    """,
    "members that count up": """
        block Layer { BN as norm -> RELU -> CONV(3x3, 4, bias=no) as conv }
        block Dense(n) { for i in range(n) { ( ID | Layer as layer{i + 1} ) -> CONCAT } }
        INPUT(8x8x4) -> Dense(3) as a -> CONV(1x1, 8) as t -> Dense(4) as b -> GAP -> FC(2)
    """,
    "parts that some blocks lack": """
        block Squeeze(s) { ( ID | GAP -> FC(s) as a -> RELU -> FC(8) as b -> SIGMOID ) -> MUL }
        block Inverted(c, s, hard, stride) {
          let p = if s == 0 then 2 else 3
          y = CONV(1x1, 8) as block.0.0 -> BN as block.0.1 -> if hard { HARDSWISH } else { TANH }
            -> DWCONV(3x3, stride=stride) as block.1.0 -> BN as block.1.1
            -> if s > 0 { Squeeze(s) as block.2 }
            -> CONV(1x1, c) as block.{p}.0 -> BN as block.{p}.1
          if stride == 1 and c == in.channels { ( in | y ) -> ADD } else { y }
        }
        INPUT(8x8x4) -> Inverted(4, 0, no, 1) as features.0
          -> Inverted(8, 0, yes, 2) as features.1 -> Inverted(8, 2, yes, 1) as features.2
          -> Inverted(6, 3, no, 1) as features.3 -> GAP -> FC(2) as head
    """,
    "tied": "INPUT(5, dtype=int64) -> EMBED(7, 6) as wte -> LINEAR(7, bias=no, share=wte)",
    "wavenet": """
        block Gate(d) {
          PAD((d, 0), axis=length)
            -> ( CONV(kernel=2, 8, dilation=d, pad=valid) as f -> TANH
               | CONV(kernel=2, 8, dilation=d, pad=valid) as g -> SIGMOID
               ) -> MUL
        }
        block Residual(d) { ( ID | Gate(d) as gate -> CONV(kernel=1, 8) as out ) -> ADD }
        INPUT(20x1, sequence) -> CONV(kernel=1, 8) as start
          -> for i in range(4) { Residual(2^i) as stack.{i} } -> RELU -> LINEAR(5) as end
    """,
    "gpt": """
        block Layer {
          ( ID | LN as ln_1 -> ATTENTION(2, causal=yes) as attn ) -> ADD
            -> ( ID | LN as ln_2 -> LINEAR(32) as mlp.0 -> GELU -> LINEAR(8) as mlp.2 ) -> ADD
        }
        INPUT(L, dtype=int64) -> EMBED(11, 8) as wte -> POSEMBED(16) as wpe
          -> for i in range(3) { Layer as h.{i} } -> LN as ln_f -> LINEAR(11, bias=no) as head
    """,
    "masked": """
        block Layer(; x, mask) { x -> ( ID | ATTENTION(2, mask=mask) as attn ) -> ADD -> LN as ln }
        mask = INPUT(6, dtype=int64)
        hidden = INPUT(6x8, sequence)
        output y = hidden -> for i in range(3) { ( ID | mask ) -> Layer as layer.{i} }
        output z = hidden -> RMSNORM -> GAP
    """,
    "states": """
        words = INPUT(6x3, sequence)
        mask = INPUT(6, dtype=int64)
        (y, h, c) = ( words | INPUT(8) as h0 | INPUT(8) as c0 )
          -> LSTM(4, layers=2, return=states, mask=mask) as encoder
        output last = y -> GRU(4, last, direction=backward, mask=mask) as back
        output states = ( h | c ) -> ADD
    """,
    "volume": """
        INPUT(8x8x8x2) -> CONV(3x3x3, 4) as a -> BN -> RELU -> POOL -> UPCONV(2x2x2, 3) as b -> GAP
    """,
    "unpooling": """
        INPUT(8x8x2) -> CONV(3x3, 4) -> POOL as p -> CONV(3x3, 4) as c -> UNPOOL(p) -> CONV(1x1, 2)
    """,
    "reserved": "INPUT(4) -> FC(5) as train -> RELU -> FC(5) as type -> RELU -> FC(2) as class",
    "numbers": "INPUT(4) -> FC(5) as net.01 -> RELU -> FC(5) as net.2024 -> FC(2) as end.3.w",
    "frozen": """
        INPUT(8x8x2) -> CONV(3x3, 4, frozen=yes) as c -> BN(frozen=yes) as b -> RELU -> FC(2)
    """,
    "loops": """
        block Unit(c) { CONV(3x3, c) as conv -> RELU }
        INPUT(4x4x4)
          -> for i in range(4) { Unit(4) as units.{i} -> CHANNELSHUFFLE(2) -> TANH } -> FC(2) as fc
    """,
    "nested": """
        block Inner(c) { CONV(3x3, c) as 0 -> BN as 1 -> RELU }
        block Outer(c) { ( Inner(c) as body | CONV(1x1, c) as skip ) -> ADD }
        INPUT(8x8x3) -> for c in [4, 8, 8] { Outer(c) -> POOL } as stage -> GAP -> FC(2) as fc
    """,
    "dead end": """
        x = INPUT(4) -> FC(3) as a
        unused = x -> FC(2) as b
        output y = x -> RELU -> FC(2) as c
    """,
}


# What PyTorch has no counterpart for.
LACKING = ("SCAN(",)
# Here float32 alone rounds by more than what is compared.
SENSITIVE = {"detection/ssdlite320_mobilenet_v3_large", "mobile/mobilenet_v3_small"}


def _outputs_agree(
    network: netc.Network, low: float = -1.0, high: float = 1.0, *, wide: bool = False
) -> None:
    feeds, state = feeds_for(network, 2, low=low, high=high), random_state(network)
    module = module_of(network, state).eval()
    dtype: Literal["float32", "float64"] = "float64" if wide else "float32"
    if wide:
        feeds = {name: array.astype(np.float64) for name, array in feeds.items()}
        module = module.double()
    with torch.no_grad():
        found = outputs_of(network, module, feeds)
    fetch = list(network.graph.outputs)
    expected = network.run(feeds, state, fetch=fetch, dtype=dtype)
    assert isinstance(expected, dict)
    for (name, array), tensor in zip(expected.items(), found, strict=True):
        assert norm_error(tensor.numpy(), array) <= 1e-4, name


def _gradients_agree(network: netc.Network) -> None:
    """In training mode, of the mean squared error to random targets."""
    feeds, state = feeds_for(network, 4, low=-1, high=1), random_state(network)
    module = module_of(network, state).train()
    random = np.random.default_rng(2)
    outputs = dict(zip(network.graph.outputs, outputs_of(network, module, feeds), strict=True))
    targets = {
        name: random.normal(0, 1, tuple(y.shape)).astype(np.float32) for name, y in outputs.items()
    }
    pairs = [(y, torch.from_numpy(targets[name])) for name, y in outputs.items()]
    sum(torch.nn.functional.mse_loss(y, t) for y, t in pairs).backward()
    given = targets if len(targets) > 1 else next(iter(targets.values()))
    losses = dict.fromkeys(targets, "mse") if len(targets) > 1 else "mse"
    _, expected = network.value_and_grad(feeds, given, state, loss=losses)
    found = {n: p.grad for n, p in module.named_parameters() if p.requires_grad}
    scale = max(float(np.abs(array).max()) for array in expected.values())
    unread = {n for n in found.keys() - expected.keys() if found[n] is None}
    assert found.keys() - unread == expected.keys()
    for name, array in expected.items():
        gradient = np.zeros_like(array) if found[name] is None else found[name].numpy()
        assert np.abs(gradient - array).max() <= 1e-3 * scale, name


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_layers_compute_the_same(family: str) -> None:
    """Every row of the layer table, on a batch of two."""
    for row in import_module(f"support.rows.{family}").ROWS:
        network = netc.compile(row.program)
        if any(words in row.program for words in LACKING):
            with pytest.raises(netc.NetError, match="E506"):
                torch_source(network.model)
        else:
            _outputs_agree(network, row.low, row.high)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_compute_the_same(name: str) -> None:
    """Weights that are shared, several inputs and outputs, loops, masks, names that are taken."""
    network = netc.compile(_bound(PROGRAMS[name]))
    _outputs_agree(network)
    _gradients_agree(network)


OPEN = {
    "INPUT((L, 8), sequence) -> ROPE -> LINEAR(3) as end": (2, 5, 8),
    "INPUT((L, 8), sequence) -> SINUSOIDAL": (2, 7, 8),
    "INPUT((H, W, 3)) as x -> CONV(3x3, 4, stride=2) as c -> RESIZE(like=x)": (2, 3, 9, 11),
}


@pytest.mark.parametrize("program", OPEN)
def test_open_extents(program: str) -> None:
    """What an input alone determines is read from it."""
    network = netc.compile(program)
    state = random_state(network)
    x = np.random.default_rng(0).normal(size=OPEN[program]).astype(np.float32)
    with torch.no_grad():
        (y,) = outputs_of(network, module_of(network, state).eval(), {network.inputs[0].name: x})
    assert norm_error(y.numpy(), np.asarray(network.run(x, state))) <= 1e-4


def _bound(program: str) -> str:
    """A program whose free extents are numbers, as random inputs need."""
    return program.replace("INPUT(L,", "INPUT(9,")


def _specs() -> list[object]:
    """The shipped specs that are small enough, the larger of them marked."""
    found: list[object] = []
    for name in zoo():
        network = netc.load(f"zoo:{name}")
        macs = network.macs
        if network.params <= MOST_PARAMETERS and isinstance(macs, int) and macs <= MOST_MACS:
            marks = [pytest.mark.slow] if macs > SMALL_MACS else []
            found.append(pytest.param(name, marks=marks))
    return found


@pytest.mark.parametrize("name", _specs())
def test_specs_compute_the_same(name: str) -> None:
    """Shipped specs."""
    _outputs_agree(netc.load(f"zoo:{name}"), wide=name in SENSITIVE)


@pytest.mark.parametrize(
    "name",
    [
        *("lenet5", "residual", "training/shapes_unet", "dense_prediction/deconvnet"),
        pytest.param("resnet/resnet20_cifar", marks=pytest.mark.slow),
        pytest.param("volumes/cnn_3d", marks=pytest.mark.slow),
    ],
)
def test_gradients_are_the_same(name: str) -> None:
    """In training mode, where batch normalization uses the batch's statistics."""
    _gradients_agree(netc.load(f"zoo:{name}"))


def test_running_statistics_move_the_same() -> None:
    """PyTorch's momentum is what the program says, not ONNX's."""
    network = netc.compile("INPUT(5x5x3) -> BN(momentum=0.3) as bn")
    feeds, state = feeds_for(network, 4, low=-1, high=1), random_state(network)
    module = module_of(network, state).train()
    outputs_of(network, module, feeds)
    mean = feeds["input"].mean((0, 2, 3))
    expected = 0.7 * state["bn.running_mean"] + 0.3 * mean
    assert np.allclose(module.bn.running_mean.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "rate"),
    [("DROPOUT(0.4)", 0.4), ("DROPPATH(0.4)", 0.4), ("DROPCONNECT(64, 0.4)", 0.4)],
)
def test_noise_acts_in_training_alone(layer: str, rate: float) -> None:
    """`train()` drops as often as the program says, `eval()` never."""
    network = netc.compile(f"INPUT(64) -> {layer} as l")
    state = network.initialize(0)
    module = module_of(network, state)
    x = torch.ones(4000, 64)
    module.train()
    torch.manual_seed(0)
    assert not torch.equal(module(x), module(x))
    if "CONNECT" not in layer:
        assert abs(float((module(x) == 0).float().mean()) - rate) < 0.03
    module.eval()
    assert torch.equal(module(x), module(x))


def test_stochastic_pools_draw_in_training() -> None:
    """Elements of the windows, by magnitude; at inference their mean."""
    network = netc.compile("INPUT(2x2x1) -> POOL(stochastic)")
    module = module_of(network, {}).train()
    x = torch.tensor([[1.0, 3.0], [0.0, 4.0]]).reshape(1, 1, 2, 2).repeat(8000, 1, 1, 1)
    torch.manual_seed(0)
    drawn = module(x).flatten()
    shares = [float((drawn == value).float().mean()) for value in (1.0, 3.0, 4.0)]
    assert np.allclose(shares, [1 / 8, 3 / 8, 4 / 8], atol=0.02)


def test_frozen_layers_stay() -> None:
    """Their weights want no gradient, and their statistics stay in training."""
    network = netc.compile(PROGRAMS["frozen"])
    state = random_state(network)
    module = module_of(network, state).train()
    outputs_of(network, module, feeds_for(network, 4, low=-1, high=1))
    assert not module.c.weight.requires_grad
    assert not module.b.weight.requires_grad
    assert np.array_equal(module.b.running_mean.numpy(), state["b.running_mean"])


@pytest.mark.parametrize("name", ["lenet5", "training/shapes_boxes", "training/cifar10_vgg"])
def test_train_runs(name: str) -> None:
    """The function `train` takes steps that lower the loss's gradient into the weights."""
    network = netc.load(f"zoo:{name}")
    text = torch_source(network.model).replace("range(20)", "range(1)")
    text = text.replace("range(12)", "range(1)").replace("range(60)", "range(1)")
    defined: dict[str, object] = {}
    exec(compile(text, "<exported>", "exec"), defined)
    module = [v for v in defined.values() if isinstance(v, type)][-1]()
    shape = [4 if isinstance(d, str) else d for d in map(_extent, network.inputs[0].shape)]
    x = torch.rand(shape)
    targets = {"lenet5": [torch.arange(4)], "training/cifar10_vgg": [torch.arange(4)]}
    batch = (x, *targets.get(name, [torch.zeros(4, dtype=torch.int64), torch.rand(4, 4)]))
    before = {n: p.clone() for n, p in module.named_parameters()}
    train = defined["train"]
    assert callable(train)
    train(module, [batch])
    assert all(not torch.equal(before[n], p) for n, p in module.named_parameters())


def _extent(dim: object) -> object:
    return dim if isinstance(dim, int) else str(dim)

"""Small networks and how they are trained; PyTorch's, by the same names: `torch_networks`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.training.objective import Objective
from netc.compiler.training.terms import Term
from netc.runtime.kerneldef import Array
from netc.sources import zoo

STATED = re.compile(r"^assert (params|macs) == ([\d_]+)$", re.MULTILINE)


def stated(name: str) -> dict[str, int]:
    """The totals that a shipped spec asserts as numbers, which are known before it is compiled."""
    text = zoo()[name].read_text(encoding="utf-8")
    return {quantity: int(number) for quantity, number in STATED.findall(text)}


def marked_specs() -> list[object]:
    """All shipped specs; those of many parameters, which are as deep, are marked."""
    return [
        pytest.param(name, marks=[pytest.mark.slow] if stated(name)["params"] > 10_000_000 else [])
        for name in zoo()
    ]


# Everything in these hears of much else, and nothing is a scope that folds: their graphs do not
# fit a page.
SPREAD = ("segmentation/unet_plus_plus", "sequences/wavenet")


def pages() -> list[object]:
    """All shipped specs; of those that are spread, a page is expected to be too small."""
    too_wide = pytest.mark.xfail(reason="nothing folds", strict=True)
    large = {name for name in zoo() if stated(name)["params"] > 10_000_000}
    return [
        pytest.param(
            name,
            marks=[too_wide] if name in SPREAD else [pytest.mark.slow] if name in large else [],
        )
        for name in zoo()
    ]


def spec(name: str, size: str = "", smaller: str = "") -> str:
    """A shipped spec without what it asserts, for an input of another size."""
    text = zoo()[name].read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("assert")]
    return "\n".join(lines).replace(f"INPUT({size})", f"INPUT({smaller})")


@dataclass(frozen=True)
class NetworkRow:
    """A network and its loss.

    Attributes:
        name: Of the network, and of its PyTorch module.
        program: Its text.
        losses: The loss of each output, or of the only one.
        arguments: The losses' arguments.
        classes: How many classes targets have that are indices; of the tokens, where inputs are.
        batch: How many samples.
        weights: What losses are multiplied by.
        slow: Whether it takes more than a second.
    """

    name: str
    program: str = field(repr=False)
    losses: Mapping[str, str] | str = "cross_entropy"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    classes: int = 5
    batch: int = 3
    weights: Mapping[str, float] = field(default_factory=dict)
    slow: bool = False

    def objective(self, network: netc.Network) -> Objective:
        """What training minimises."""
        given = self.losses
        named = dict.fromkeys(network.graph.outputs, given) if isinstance(given, str) else given
        losses = {o: Term("loss", loss, self.arguments) for o, loss in named.items()}
        return Objective(losses, self.weights)


def random_arrays(
    types: Mapping[str, Any], *, batch: int, classes: int, seed: int = 3
) -> dict[str, Array]:
    """Random inputs or targets in float64 by name; integers are below `classes`."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for name, type in types.items():
        shape = np.array(type.bind({"N": batch}).shape, np.int64)
        real = type.dtype.is_float
        arrays[name] = random.uniform(-1, 1, shape) if real else random.integers(0, classes, shape)
    return arrays


def random_weights(network: netc.Network, seed: int = 4) -> dict[str, Array]:
    """Weights in float64 that are all different; vectors are moved, variances stay positive."""
    random = np.random.default_rng(seed)
    state: dict[str, Array] = {}
    for name, drawn in network.initialize(seed).items():
        array = drawn.astype(np.float64)
        moved = array + random.uniform(-0.3, 0.3, array.shape)
        state[name] = moved if array.ndim < 2 or not array.any() else array
    return state


RESIDUAL = """import "lib:resnet.net"
INPUT({size}) -> {blocks} as layer1 -> GAP -> FC(5) as fc"""

INCEPTION = """import "lib:inception.net"
INPUT(6x5x3)
  -> Inception(4, 3, 6, 2, 3, 4) as first
  -> InceptionA(8) as second
  -> InceptionC(6) as third
  -> GAP -> FC(5) as fc"""

DENSE = """import "lib:densenet.net"
INPUT(6x4x5) -> DenseBlock(2, 32) as block -> POOL(avg) -> GAP -> FC(5) as fc"""

MOBILE = """default CONV(bias=no)
default DWCONV(bias=no)
block Inverted(t, c, stride=1) {
  let wide = in.channels * t
  CONV(1x1, wide) as conv.0.0 -> BN as conv.0.1 -> RELU6
    -> DWCONV(3x3, stride=stride) as conv.1.0 -> BN as conv.1.1 -> RELU6
    -> CONV(1x1, c) as conv.2 -> BN as conv.3
}
INPUT(7x6x6)
  -> Inverted(2, 8, stride=2) as blocks.0
  -> ( ID | Inverted(2, 8) as blocks.1 ) -> ADD
  -> GAP -> FC(5) as fc"""

GATES = """INPUT(8x7x3) -> CONV(3x3, 8, stride=2) as conv -> HARDSWISH
  -> ( ID | GAP -> FC(4) as squeeze -> SWISH -> FC(8) as open -> SIGMOID ) -> MUL
  -> GMP -> FC(5) as fc"""

LOCAL_RESPONSE = """INPUT(6x5x3)
  -> CONV(8) as a -> LRN(5, alpha=0.7, beta=0.6, k=1.5, mean=yes)
  -> CONV(6) as b -> LRN(3, alpha=0.3, k=1)
  -> TANH -> FC(4) as fc"""

VOLUME = """INPUT(9x7x8x2)
  -> CONV(3x5x3, 6, stride=(2, 1, 2)) as a -> RELU -> POOL as pool
  -> CONV(3x3x3, 8, pad=2, dilation=2, groups=2) as b -> TANH
  -> UPCONV(3x3x3, 4, stride=2, pad=1, output_pad=1, groups=2) as up -> RELU
  -> POOL(2x3x2, avg) -> FC(5) as fc"""

TRANSPOSED = """INPUT(4x5x6)
  -> UPCONV(4x4, 8, stride=2, pad=1) as a -> TANH
  -> UPCONV(3x3, 6, stride=(3, 2), pad=1, output_pad=(2, 1), groups=2) as b -> TANH
  -> UPCONV(2x3, 4, stride=1, dilation=(3, 2)) as c -> TANH
  -> CONV(3x3, 1, stride=2, pad=1) as d"""

DILATED = """INPUT(11x10x4)
  -> CONV(3x3, 8, dilation=2, groups=2) as a -> RELU
  -> CONV(3x2, 8, stride=(3, 2), pad=(0, 1), dilation=(1, 3), groups=8) as b -> RELU
  -> CONV(3x3, 3, dilation=4) as c"""

SEQUENCE = """INPUT(11x5, sequence)
  -> CONV(kernel=3, 8) as inner.a -> RELU -> POOL(kernel=2)
  -> CONV(kernel=3, 6, dilation=2, groups=2) as inner.b -> TANH
  -> UPCONV(kernel=2, 4) as inner.up
  -> PERMUTE((channels, length)) -> FC(3) as fc"""

NORMALIZATIONS = """INPUT(5x6x3)
  -> CONV(8) as a -> GN(4) as gn -> RELU
  -> CONV(6, bias=no) as b -> IN as norm -> ELU
  -> CONV(8) as c -> LN as ln -> GELU -> RMSNORM as rms
  -> CONV(4, stride=2) as d -> LN(axes=all) as whole -> FC(5) as fc"""

TRANSFORMER = """import "lib:vit.net"
patches = INPUT(8x8x3) -> CONV(4x4, 8, stride=4, pad=valid) as conv_proj -> RESHAPE(4x8)
( PARAM(1x8, init=zeros) as class_token | patches ) -> CONCAT(axis=length)
  -> Encoder(2, 2, 12) as encoder -> SLICE(0, axis=length) -> FC(5) as heads.head"""

LANGUAGE_MODEL = """block Layer {
  ( ID | LN as ln_1 -> ATTENTION(2, causal=yes) as attn ) -> ADD
    -> ( ID | LN as ln_2 -> LINEAR(16) as mlp.c_fc -> GELU(tanh) -> LINEAR(8) as mlp.c_proj )
    -> ADD
}
INPUT(6, dtype=int64) as tokens
  -> EMBED(11, 8) as wte -> POSEMBED(6) as wpe
  -> for i in range(2) { Layer as h.{i} }
  -> LN as ln_f -> LINEAR(11, bias=no, share=wte) as head"""

MASKED = """q = INPUT(6x8, sequence) as queries
k = INPUT(5x8, sequence) as keys
m = INPUT(5, dtype=int64) as mask
y = ( q | k | k ) -> ATTENTION(4, mask=mask) as cross
( q | y ) -> ADD -> LN as ln -> LINEAR(3) as out"""

TAGGER = """INPUT(7, dtype=int64) as tokens
  -> EMBED(11, 6) as embed -> LSTM(5, layers=2, direction=both) as lstm -> LINEAR(4) as out"""

MASKED_CLASSIFIER = """words = INPUT(6x5, sequence)
mask = INPUT(6, dtype=int64)
words -> GRU(4, last, layers=2, direction=both, mask=mask) as gru -> FC(3) as out"""

TRANSLATION = """source = INPUT(6x5, sequence)
target = INPUT(4x3, sequence)
(_y, h, c) = source -> LSTM(7, states) as encoder
( target | h | c ) -> LSTM(7) as decoder -> RNN(6, activation=relu, direction=both) as top
  -> LINEAR(5) as out"""

SCANNED = """block Cell(n; x, h, c) {
  gates = ( x -> FC(4 * n) as input | h -> FC(4 * n, bias=no) as hidden ) -> ADD
  i = gates -> SLICE(0, n) -> SIGMOID
  f = gates -> SLICE(n, 2 * n) -> SIGMOID
  g = gates -> SLICE(2 * n, 3 * n) -> TANH
  o = gates -> SLICE(3 * n, 4 * n) -> SIGMOID
  next = ( ( f | c ) -> MUL | ( i | g ) -> MUL ) -> ADD
  y = ( o | next -> TANH ) -> MUL
  ( y | next )
}
INPUT(6x5, sequence) -> SCAN(Cell(4), states=[4, 4], return=last) as cell -> FC(3) as out"""

SIAMESE = """default CONV(pad=valid)
block Twin { CONV(3x3, 4) as conv1 -> RELU -> POOL -> FC(6) as fc -> SIGMOID }
a = INPUT(8x9x1) as first -> Twin as twin
b = INPUT(8x9x1) as second -> Twin(share=twin) as other
output same = ( a | b ) -> SUB -> ABS -> FC(1) as distance -> SIGMOID"""

TWO_HEADS = """x = INPUT(8x8x3) -> CONV(6) as conv1 -> RELU -> POOL
output class = x -> FC(5) as class_scores
output box = x -> FC(4) as box_corners"""

RESAMPLED = """INPUT(8x6x3)
  -> CONV(6) as a -> LRELU(0.1) -> POOL as pool
  -> CONV(6) as b -> TANH -> UNPOOL(pool)
  -> CONV(4) as c -> UPSAMPLE(2, bilinear)
  -> CONV(8) as d -> PIXELSHUFFLE(2) -> POOL(3x3, avg, stride=2, pad=1)
  -> SIGMOID -> POOL(lp, p=3) -> UPSAMPLE(3)
  -> ( ADAPTIVEPOOL(5x7, avg) | ADAPTIVEPOOL(5x7, max) ) -> CONCAT
  -> CONV(1x1, 3) as e"""

ROWS = [
    NetworkRow("lenet5", spec("lenet5"), classes=10),
    NetworkRow(
        "alexnet",
        spec("classic/alexnet", "227x227x3", "67x67x3"),
        classes=1000,
        batch=2,
        slow=True,
    ),
    NetworkRow(
        "unet",
        # A PyTorch module has a method `double`, and so no child of that name.
        spec("dense_prediction/unet_small", "64x64x1", "16x24x1").replace(" double", " twice"),
        arguments={"ignore_index": 0, "label_smoothing": 0.1},
        classes=2,
    ),
    NetworkRow("basic_blocks", RESIDUAL.format(size="7x6x4", blocks="Basics(2, 8, stride=2)")),
    NetworkRow(
        "bottlenecks",
        RESIDUAL.format(size="7x6x6", blocks="Bottlenecks(2, 8, stride=2, groups=4, base=16)"),
    ),
    NetworkRow("inception", INCEPTION),
    NetworkRow("dense_block", DENSE),
    NetworkRow("inverted_residuals", MOBILE),
    NetworkRow("squeeze_and_excitation", GATES),
    NetworkRow("local_response", LOCAL_RESPONSE, "mse"),
    NetworkRow("volume", VOLUME),
    NetworkRow("transposed", TRANSPOSED, "mae"),
    NetworkRow("dilated", DILATED, "huber", {"delta": 0.5}),
    NetworkRow("sequence", SEQUENCE, "mse"),
    NetworkRow("normalizations", NORMALIZATIONS),
    NetworkRow("transformer", TRANSFORMER),
    NetworkRow("language_model", LANGUAGE_MODEL, classes=11),
    NetworkRow("masked_attention", MASKED, classes=3),
    NetworkRow("tagger", TAGGER, classes=4),
    NetworkRow("masked_classifier", MASKED_CLASSIFIER, classes=3),
    NetworkRow("translation", TRANSLATION),
    NetworkRow("scanned", SCANNED, classes=3),
    NetworkRow("siamese", SIAMESE, "binary_cross_entropy"),
    NetworkRow(
        "two_heads",
        TWO_HEADS,
        {"class": "cross_entropy", "box": "mse"},
        weights={"class": 0.3, "box": 2.0},
    ),
    NetworkRow("resampled", RESAMPLED, "cross_entropy", classes=3),
]

"""The published architectures: their counts, PyTorch's names for their weights, both engines."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support.layers import feeds_for, norm_error, random_state
from support.reference_names import DIGESTS, digest

import netc
from netc.choices import EngineName
from netc.runtime.kerneldef import Array
from netc.sources import zoo

# spec: (parameters, MACs of convolutions and of matrix and attention products where published).
# The source is the metadata of torchvision's weights, rebuilt and recounted, at the size that a
# spec states; of others, the papers, the examples of PyTorch and Keras, and published checkpoints.
# The detector is ResNet-18's body and two convolutions.
PUBLISHED: Mapping[str, tuple[int, int | None]] = {
    "alexnet_torchvision": (61_100_840, 714_188_480),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg11_bn": (132_868_840, 7_609_090_048),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg16_bn": (138_365_992, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
    "resnext50_32x4d": (25_028_904, 4_230_479_872),
    "wide_resnet50_2": (68_883_240, 11_398_021_120),
    "densenet121": (7_978_856, 2_834_161_664),
    "densenet161": (28_681_000, 7_727_907_072),
    "googlenet": (6_624_904, 1_498_376_192),
    "squeezenet1_0": (1_248_424, 818_924_576),
    "squeezenet1_1": (1_235_496, 349_151_936),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "mobilenet_v3_large": (5_483_032, 216_589_760),
    "shufflenet_v2_x1_0": (2_278_604, 144_907_992),
    "efficientnet_b0": (5_288_548, 385_814_752),
    "mnasnet1_0": (4_383_312, 314_415_872),
    "regnet_y_400mf": (4_344_144, 401_842_848),
    "convnext_tiny": (28_589_128, 4_455_531_264),
    "vit_b_16": (86_567_656, 17_563_828_224),
    "vit_b_32": (88_224_232, 4_409_186_304),
    "swin_t": (28_288_354, 4_490_566_656),
    "inception_v3": (23_834_568, 5_713_216_096),
    "inception_v3_aux": (27_161_264, 5_718_899_296),
    "convnext_base": (88_591_464, 15_354_729_472),
    "convnext_large": (197_767_336, 34_361_433_600),
    "convnext_small": (50_223_688, 8_683_712_256),
    "densenet169": (14_149_480, 3_359_843_328),
    "densenet201": (20_013_928, 4_291_365_888),
    "efficientnet_b1": (7_794_184, 686_802_832),
    "efficientnet_b2": (9_109_994, 1_087_529_456),
    "efficientnet_b3": (12_233_232, 1_827_141_392),
    "efficientnet_b4": (19_341_616, 4_393_771_024),
    "efficientnet_b5": (30_389_784, 10_266_384_752),
    "efficientnet_b6": (43_040_704, 19_067_593_536),
    "efficientnet_b7": (66_347_960, 37_745_884_192),
    "efficientnet_v2_l": (118_515_272, 56_079_699_008),
    "efficientnet_v2_m": (54_139_356, 24_582_460_384),
    "efficientnet_v2_s": (21_458_488, 8_365_617_152),
    "mnasnet0_5": (2_218_512, 104_455_968),
    "mnasnet0_75": (3_170_208, 215_493_104),
    "mnasnet1_3": (6_282_256, 526_362_432),
    "regnet_x_16gf": (54_278_536, 15_940_755_456),
    "regnet_x_1_6gf": (9_190_136, 1_602_849_792),
    "regnet_x_32gf": (107_811_560, 31_735_929_792),
    "regnet_x_3_2gf": (15_296_552, 3_176_621_952),
    "regnet_x_400mf": (5_495_976, 413_812_608),
    "regnet_x_800mf": (7_259_656, 799_699_712),
    "regnet_x_8gf": (39_572_648, 7_995_132_416),
    "regnet_y_128gf": (644_812_894, 127_517_815_680),
    "regnet_y_16gf": (83_590_140, 15_911_510_272),
    "regnet_y_1_6gf": (11_202_430, 1_612_076_160),
    "regnet_y_32gf": (145_046_770, 32_279_552_832),
    "regnet_y_3_2gf": (19_436_338, 3_176_482_752),
    "regnet_y_8gf": (39_381_472, 8_473_070_592),
    "resnext101_32x8d": (88_791_336, 16_414_015_488),
    "resnext101_64x4d": (83_455_272, 15_460_270_080),
    "shufflenet_v2_x0_5": (1_366_792, 40_476_448),
    "shufflenet_v2_x1_5": (3_503_624, 295_759_392),
    "shufflenet_v2_x2_0": (7_393_996, 583_253_464),
    "swin_v2_t": (28_351_570, 5_939_690_496),
    "swin_v2_s": (49_737_442, 11_545_857_024),
    "swin_v2_b": (87_930_848, 20_325_134_336),
    "swin_b": (87_768_224, 15_430_946_816),
    "swin_s": (49_606_258, 8_740_875_264),
    "vgg13": (133_047_848, 11_308_466_176),
    "vgg13_bn": (133_053_736, 11_308_466_176),
    "vgg19_bn": (143_678_248, 19_632_062_464),
    "vit_h_14": (632_045_800, 167_295_109_120),
    "vit_l_16": (304_326_632, 61_554_712_576),
    "vit_l_32": (306_535_400, 15_377_539_072),
    "wide_resnet101_2": (126_886_696, 22_753_050_624),
    "mobilenet_v3_small": (2_542_856, 56_510_400),
    "fcn_resnet50": (35_322_218, 152_716_512_000),
    "fcn_resnet101": (54_314_346, 232_737_606_400),
    "deeplabv3_resnet50": (42_004_074, 178_721_945_088),
    "deeplabv3_resnet101": (60_996_202, 258_743_039_488),
    "deeplabv3_mobilenet_v3_large": (11_029_328, 10_452_447_938),
    "lraspp_mobilenet_v3_large": (3_221_538, 2_086_219_688),
    "retinanet_resnet50_fpn": (34_068_119, 151_540_437_248),
    "ssd300_vgg16": (35_641_826, 34_858_153_472),
    "regnet_y_800mf": (6_432_512, 833_856_256),
    "ssdlite320_mobilenet_v3_large": (3_440_060, 583_171_904),
    "fcos_resnet50_fpn": (32_322_720, 128_207_052_800),
    "retinanet_resnet50_fpn_v2": (38_198_935, 152_238_199_040),
    "fasterrcnn_resnet50_fpn": (41_808_406, 134_379_721_216),
    "fasterrcnn_resnet50_fpn_v2": (43_712_278, 280_370_729_472),
    "fasterrcnn_mobilenet_v3_large_fpn": (19_410_754, 18_853_144_256),
    "fasterrcnn_mobilenet_v3_large_320_fpn": (19_410_754, 2_872_931_200),
    "maskrcnn_resnet50_fpn": (44_454_513, 187_586_351_616),
    "maskrcnn_resnet50_fpn_v2": (46_359_409, 333_577_359_872),
    "keypointrcnn_resnet50_fpn": (59_190_378, 483_470_127_616),
    "r3d_18": (33_371_472, 40_696_553_472),
    "mc3_18": (11_695_440, 43_342_635_008),
    "r2plus1d_18": (31_505_325, 40_519_080_960),
    "s3d": (8_320_048, 17_978_771_456),
    "mobilevit_s": (5_578_632, 2_000_831_488),
    "mobilevit_xs": (2_317_848, 1_025_911_808),
    "mobilevit_xxs": (1_272_024, 407_364_096),
    "yolov3_tiny": (8_852_366, 2_782_480_896),
    "yolov5n": (1_872_157, 2_234_060_800),
    "yolov5s": (7_235_389, 8_216_780_800),
    "yolov5m": (21_190_557, 24_436_224_000),
    "yolov5l": (46_563_709, 54_496_870_400),
    "yolov5x": (86_749_405, 102_724_096_000),
    "unet_plus_plus": (9_163_428, 4_850_417_664),
    "tcn_mnist": (66_910, 51_607_050),
    "wavenet": (671_232, 2_747_269_120),
    "pointnet": (3_471_473, 439_637_248),
    "convnext_v2_atto": (3_708_400, 547_332_480),
    "convnext_v2_femto": (5_233_240, 779_629_824),
    "convnext_v2_pico": (9_066_280, 1_367_055_360),
    "convnext_v2_nano": (15_623_800, 2_445_528_320),
    "convnext_v2_tiny": (28_635_496, 4_455_531_264),
    "convnext_v2_base": (88_717_800, 15_354_729_472),
    "convnext_v2_large": (197_956_840, 34_361_433_600),
    "qwen2_5_0_5b": (494_032_768, 1_192_021_196_800),
    "qwen3_0_6b": (596_049_920, 1_701_612_355_584),
    "maxvit_t": (30_919_624, 5_558_046_720),
    "poolformer_s12": (11_915_176, 1_812_267_008),
    "dinov2_vits14_reg": (22_058_112 - 384, None),
    "mobilenet_v4_conv_small": (3_774_024, 186_005_568),
    "yolov8n": (3_157_200 - 16, 4_371_456_000),
    "yolov8s": (11_166_560 - 16, 14_300_774_400),
    "yolov8m": (25_902_640 - 16, 39_467_827_200),
    "yolov8l": (43_691_520 - 16, 82_573_721_600),
    "yolov8x": (68_229_648 - 16, 128_901_632_000),
    "dit_s_2": (32_963_360 - 98_304, 6_055_673_856),
    "whisper_tiny": (37_184_640, None),
    "gemma3_270m": (268_098_176, None),
    "mixtral_8x7b": (46_702_792_704, None),
    "lenet5": (61_706, 416_520),
    "mnist_mlp": (669_706, None),
    "alexnet": (60_965_224, 724_406_816),
    "unet": (31_030_658, None),
    "gpt2_small": (124_439_808, None),
    "bert_base_uncased": (109_482_240, None),
    "resnet20_cifar": (272_474, None),
    "softmax_regression": (7_850, None),
    "keras_mnist_cnn": (1_199_882, None),
    "zfnet": (62_357_608, None),
    "siamese": (38_951_745, None),
    "dcgan_generator": (3_576_704, None),
    "dcgan_discriminator": (2_765_568, None),
    "hrnet_w18": (21_299_004, None),
    "mixer_b_16": (59_880_472, None),
    "smollm_135m": (134_515_008, None),
    "tinyllama_1_1b": (1_100_048_384, None),
    "t5_small": (60_506_624, None),
    "imdb_lstm": (2_757_761 + 4 * 4 * 64, None),  # two biases, as in PyTorch, where Keras has one
    "vae": (652_824, None),
    "ddpm_cifar10": (35_746_307, None),
    "single_stage": (11_176_512 + (9 * 512 + 1) * 6 * 25, 3_770_265_600),
}

# Beyond these parameters or MACs a network runs in the long tests only, beyond `RUNNABLE`
# parameters in none, and up to `COMPARED_AS_EXPORTS` MACs in `test_specs.py`, which compares its
# export on both engines.
LONG = {"params": 30_000_000, "macs": 6_000_000_000}
RUNNABLE = 200_000_000
COMPARED_AS_EXPORTS = 1_000_000_000

# These are written as PyTorch modules, too, and compute the same.
COMPARED = [
    *("resnet18", "mobilenet_v2", "mnasnet0_5", "densenet121", "mixer_b_16"),
    *("unet_plus_plus", "tcn_mnist", "wavenet", "pointnet", "swin_v2_t"),
    *("poolformer_s12", "mobilenet_v4_conv_small", "yolov8n", "dit_s_2"),
]

# The same of these with other numbers, which tests can run: what to write in place of what, and the
# module's arguments.
SMALLER: Mapping[str, tuple[Mapping[str, str], str, tuple[int, ...]]] = {
    "dinov2_vits14_reg": (
        {"518x518": "56x56", "1370": "17", "range(12)": "range(2)"},
        "dinov2_vits14_reg",
        (4, 2),
    ),
    "whisper_tiny": (
        {"3000x80": "40x80", "1500": "20", "448": "9", "51865": "50"},
        "whisper_tiny",
        (20, 9, 50),
    ),
    "gemma3_270m": ({"512,": "9,", "262144": "50", "range(18)": "range(6)"}, "gemma3", (50, 6)),
    "mixtral_8x7b": (
        {
            "512,": "9,",
            "(32, 8, 1e6, 1e-5, no, 128, no)": "(4, 2, 1e6, 1e-5, no, 16, no)",
            **{"4096": "24", "14336": "20", "32000": "50", "range(32)": "range(2)"},
        },
        "mixtral",
        (50, 2, 24, 20),
    ),
}


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest) -> netc.Network:
    """A shipped spec."""
    return netc.load(f"zoo:{request.param}")


def _large() -> list[object]:
    """The published networks that are not run elsewhere in as short a time; all are marked."""
    rows: list[object] = []
    for name, (params, known) in PUBLISHED.items():
        macs = known or 0
        long = params > LONG["params"] or macs > LONG["macs"]
        if params <= RUNNABLE and (long or macs > COMPARED_AS_EXPORTS):
            rows.append(pytest.param(name, marks=pytest.mark.long if long else pytest.mark.slow))
    return rows


def _feeds(network: netc.Network, batch: int) -> dict[str, Array]:
    """Random inputs; integers are 0 or 1, which any vocabulary and any mask has."""
    return feeds_for(network, batch, low=-1, high=1, ids=2)


def _outputs(
    network: netc.Network,
    feeds: Mapping[str, Array],
    state: Mapping[str, Array],
    engine: EngineName,
) -> dict[str, Array]:
    found = network.run(feeds, state, engine=engine, fetch=list(network.graph.outputs))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("network", "params", "macs"),
    [(name, *counts) for name, counts in PUBLISHED.items()],
    indirect=["network"],
)
def test_counts_are_the_published_ones(
    network: netc.Network, params: int, macs: int | None
) -> None:
    """Parameters, and MACs where they are published, are exact."""
    assert network.params == params
    assert macs is None or network.macs == macs


@pytest.mark.parametrize("network", _large(), indirect=True)
def test_engines_agree(network: netc.Network) -> None:
    """NumPy and onnxruntime agree norm-wise within 1e-4 on one sample, at the spec's own size."""
    feeds, state = _feeds(network, 1), network.initialize(0)
    expected = _outputs(network, feeds, state, "onnxruntime")
    for name, array in _outputs(network, feeds, state, "numpy").items():
        assert np.isfinite(array).all()
        assert np.abs(array).max() > 0
        assert norm_error(array, expected[name]) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", ["squeezenet1_1", "shufflenet_v2_x1_0", "regnet_y_400mf", "swin_t"], indirect=True
)
def test_samples_of_a_batch_do_not_meet(network: netc.Network) -> None:
    """Splits, shuffles and windows keep the batch apart: two samples give each one's own output."""
    feeds, state = _feeds(network, 2), network.initialize(0)
    (both,) = _outputs(network, feeds, state, "onnxruntime").values()
    for i in range(2):
        one = {name: array[i : i + 1] for name, array in feeds.items()}
        (alone,) = _outputs(network, one, state, "onnxruntime").values()
        assert norm_error(both[i : i + 1], alone) <= 1e-5


@pytest.mark.parametrize("network", DIGESTS, indirect=True)
def test_weights_are_named_as_in_the_reference(
    network: netc.Network, request: pytest.FixtureRequest
) -> None:
    """A checkpoint of the reference would load: same names, same shapes."""
    shapes = ((name, value.shape) for name, value in network.graph.parameters.items())
    assert digest(shapes) == DIGESTS[request.node.callspec.params["network"]]


def _module(name: str, *arguments: int) -> Any:
    """A network of that name as a PyTorch module."""
    from support import torch_convolutional, torch_language, torch_transformers, torch_zoo

    files = (torch_convolutional, torch_language, torch_transformers, torch_zoo)
    build = next(vars(file)[name] for file in files if name in vars(file))
    return build(*arguments)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "network",
    ["vgg16", *COMPARED],
    indirect=True,
)
def test_weights_are_named_as_in_pytorch(
    network: netc.Network, request: pytest.FixtureRequest
) -> None:
    """The modules here that stand for torchvision's have the names and shapes of netc's weights."""
    import torch

    with torch.device("meta"):
        module = _module(request.node.callspec.params["network"])
    wanted = {
        name: tuple(value.shape)
        for name, value in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert {name: value.shape for name, value in network.graph.parameters.items()} == wanted


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    COMPARED,
    indirect=True,
)
def test_outputs_are_those_of_pytorch(
    network: netc.Network, request: pytest.FixtureRequest
) -> None:
    """With the same weights, the PyTorch module computes the same logits within 1e-4."""
    module = _module(request.node.callspec.params["network"]).eval()
    _compare(network, module, 1)


@pytest.mark.oracle
@pytest.mark.parametrize("name", SMALLER)
def test_smaller_outputs_are_those_of_pytorch(name: str) -> None:
    """A spec with smaller numbers has the module's names, and computes the same within 1e-4."""
    changes, module, arguments = SMALLER[name]
    path = next(path for full, path in zoo().items() if full.endswith(f"/{name}"))
    text = re.sub(r"(?m)^assert .*", "", path.read_text(encoding="utf-8"))
    for found, other in changes.items():
        assert found in text
        text = text.replace(found, other)
    network = netc.compile(text, name="<chain>")
    _compare(network, _module(module, *arguments).eval(), 2)


def _compare(network: netc.Network, module: Any, batch: int) -> None:
    """Same names and shapes; and with the same weights the same of random inputs."""
    import torch

    feeds, state = _feeds(network, batch), random_state(network)
    own = module.state_dict()
    assert {*state} == {name for name in own if not name.endswith("num_batches_tracked")}
    module.load_state_dict({n: torch.from_numpy(a) for n, a in state.items()}, strict=False)
    with torch.no_grad():
        computed = module(*map(torch.from_numpy, feeds.values()))
    expected = [computed] if isinstance(computed, torch.Tensor) else computed
    found = _outputs(network, feeds, state, "onnxruntime").values()
    for array, tensor in zip(found, expected, strict=True):
        assert norm_error(array, tensor.numpy()) <= 1e-4


@pytest.mark.oracle
def test_swin_merges_patches_as_published() -> None:
    """The channels of 2x2 positions come in the order of Liu et al.'s code: rows, then columns."""
    import torch

    network = netc.compile('import "lib:swin.net"\nINPUT(6x4x3) -> Merge as merge', name="<chain>")
    state = random_state(network)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 6, 4)).astype(np.float32)
    weights = {name: torch.from_numpy(array) for name, array in state.items()}
    image = torch.from_numpy(x).permute(0, 2, 3, 1)
    parts = [image[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
    normal = torch.nn.functional.layer_norm(
        torch.cat(parts, -1), (12,), weights["merge.norm.weight"], weights["merge.norm.bias"]
    )
    expected = (normal @ weights["merge.reduction.weight"].T).permute(0, 3, 1, 2).numpy()
    found = network.run(x, state)
    assert isinstance(found, np.ndarray)
    assert norm_error(found, expected) <= 1e-5


def test_resnets_differ_by_one_list() -> None:
    """ResNet-50 and ResNet-152 are the same text but for the blocks per stage, and what follows."""
    texts = [zoo()[f"resnet/resnet{depth}"].read_text(encoding="utf-8") for depth in (50, 152)]
    programs = [
        [line for line in text.splitlines() if not line.startswith(("#", "net", "assert"))]
        for text in texts
    ]
    differing = [pair for pair in zip(*programs, strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1
    assert differing[0][1] == differing[0][0].replace("[3, 4, 6, 3]", "[3, 8, 36, 3]")

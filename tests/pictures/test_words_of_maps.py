"""What is said of feature maps and of the layers that yield them."""

import pytest
from support.scenes import boxes_of, fits_a4, labels, problems, said
from support.volumes import volumes_of

import netc
from netc.compiler.analysis.counts import count
from netc.compiler.pictures.feature_maps import feature_maps
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.repeated_maps import fold
from netc.compiler.pictures.scene import Line, Scene
from netc.compiler.pictures.volumes import volumes

# What stands below the maps, from left to right: channels and extents.
CAPTIONS = {
    "lenet5": "1@32x32 6@28x28 6@14x14 16@10x10 16@5x5 120@1x1 84 10",
    "classic/alexnet": "3@227x227 96@55x55 96@27x27 256@27x27 256@13x13 384@13x13 384@13x13"
    " 256@13x13 256@6x6 4096 1000",
    "classic/vgg16": "3@224x224 64@224x224 64@112x112 128@112x112 128@56x56 256@56x56 256@28x28"
    " 512@28x28 512@14x14 512@14x14 512@7x7 4096 1000",
    "resnet/resnet18": "3@224x224 64@112x112 64@56x56 64@56x56 64@56x56 128@28x28 128@28x28"
    " 256@14x14 256@14x14 512@7x7 512@7x7 512 1000",
    "segmentation/unet": "1@572x572 64@570x570 64@568x568 64@284x284 128@282x282 128@280x280"
    " 128@140x140 256@138x138 256@136x136 256@68x68 512@66x66 512@64x64 512@32x32 1024@30x30"
    " 1024@28x28 1024@56x56 512@54x54 512@52x52 512@104x104 256@102x102 256@100x100 256@200x200"
    " 128@198x198 128@196x196 128@392x392 64@390x390 64@388x388 2@388x388",
    "volumes/cnn_3d": "1@64x64x64 8@32x32x32 16@32x32x32 16@16x16x16 32@16x16x16 32@8x8x8 128 10",
}


def _captions(scene: Scene) -> list[str]:
    """The captions of maps, whether they take one line or two."""
    found = []
    for group in scene.groups:
        if group.role == "label" and group.name and len(group.shapes) <= 2:
            text = "".join(said(Scene(1, 1, (group,), "#ffffff")))
            if text.replace("@", "").replace("x", "").isdigit():
                found.append(text)
    return found


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions(name: str) -> None:
    """Every map says its channels and extents."""
    scene = volumes(netc.load(f"zoo:{name}").graph)
    assert problems(scene) == []
    assert fits_a4(scene)
    assert " ".join(_captions(scene)) == CAPTIONS[name]


def test_layers_are_named() -> None:
    """The layer that yields a map stands beside it."""
    words = labels(volumes(netc.load("zoo:lenet5").graph))
    layers = [text for text in words if text.split()[-1] in ("conv", "pool") or "fc" in text]
    assert layers == [
        *("5x5 conv", "2x2 max pool", "5x5 conv", "2x2 max pool", "5x5 conv"),
        *("fc 84", "fc 10"),
    ]
    assert {"convolution", "pooling", "dense", "activation"} <= set(words)


def test_what_is_folded_says_what_it_holds() -> None:
    """A block of Inception names its layers and is cut where its branches meet; others differ."""
    scene = volumes(netc.load("zoo:inception_v3").graph)
    words = labels(scene)
    assert "Mixed_5b 7 conv, 1 pool" in words
    assert "Mixed_6a 4 conv, 1 pool" in words
    assert "Mixed_6b 10 conv, 1 pool \N{MULTIPLICATION SIGN} 4" in words
    seams = [shape for shape in boxes_of(scene)["Mixed_5b"].shapes if isinstance(shape, Line)]
    assert len(seams) == 3


def test_outputs_of_several_are_named() -> None:
    """An only output needs no name; outputs are named where words stand between maps, too."""
    last = netc.load("zoo:bert_base_uncased").graph
    found = fold(feature_maps(last, count(last)))
    assert [(r.times, found.maps[r.last].outputs) for r in found.repeats] == [
        (12, ("last_hidden_state",))
    ]
    chain = "INPUT(20) -> FC(16) as a -> TANH\noutput hidden = a\n"
    named = labels(volumes_of(f"{chain}output score = a -> FC(5) as b"))
    assert {"16 output hidden", "5 output score"} <= set(named)
    assert not any(
        "output" in text for text in labels(volumes_of("output y = INPUT(20) -> FC(16)"))
    )


def test_kernels_of_one_axis_are_no_numbers_of_layers() -> None:
    """A kernel of one axis is `k5`, and what is folded counts its layers."""
    program = "INPUT(128x4, sequence) -> CONV(kernel=5, 16) -> POOL(kernel=4) -> FC(2)"
    assert {"k5 conv", "k4 max pool"} <= set(labels(volumes_of(program)))
    block = "block B { CONV(kernel=5, 8) -> CONV(kernel=3, 8) }\n"
    folded = volumes_of(f"{block}INPUT(128x4, sequence) -> B as b -> FC(2)", depth=1)
    assert "b 2 conv" in labels(folded)


@pytest.mark.parametrize("merge", ["MUL", "ADD"])
def test_branches_that_are_as_long_are_no_shortcuts(merge: str) -> None:
    """Of a gate of two convolutions, as in WaveNet, both are drawn."""
    branches = "CONV(3x3, 8) as a -> TANH | CONV(3x3, 8) as b -> SIGMOID"
    scene = volumes_of(f"INPUT(16x16x8) -> ({branches}) -> {merge} -> CONV(1x1, 4)")
    assert {"a", "b"} <= set(boxes_of(scene))


def test_many_repetitions_are_counted_in_groups() -> None:
    """More than 999 equal layers are counted as all other numbers are."""
    scene = volumes_of("INPUT(8x8x4) -> [CONV(3x3, 4)]*1500 -> FC")
    assert "3x3 conv \N{MULTIPLICATION SIGN} 1,500" in labels(scene)


def test_sequences_are_strips() -> None:
    """A map of one axis is flat."""
    program = (
        "INPUT(128x4, sequence) -> CONV(kernel=5, 16) as c -> RELU -> POOL as p -> GAP -> FC(2)"
    )
    scene = volumes_of(program)
    assert problems(scene) == []
    assert _captions(scene) == ["4@128", "16@128", "16@64", "16", "2"]
    strip = bounds(boxes_of(scene)["c"])
    assert strip.height > 3 * strip.width

"""Sizes that are written with the channels in front are suspected, honest ones are not."""

import pytest

import netc


def codes(size: str) -> list[str]:
    """The codes of the warnings about an input."""
    return [warning.code for warning in netc.compile(f"INPUT({size}) -> GAP -> FC(2)").warnings]


@pytest.mark.parametrize(
    "size", ["3x224x224", "1x28x28", "3x32x32", "3x480x640", "1x64x64x64", "3x16x112x112"]
)
def test_channels_in_front_are_suspected(size: str) -> None:
    """PyTorch's order of a picture's or a volume's size is warned of."""
    assert "W116" in codes(size)


@pytest.mark.parametrize("size", ["16x3x224x224", "64x1x28x28"])
def test_a_batch_in_front_is_suspected(size: str) -> None:
    """PyTorch's order of a batch of pictures is no volume; the help leaves the batch out."""
    (warning,) = netc.compile(f"INPUT({size}) -> GAP -> FC(2)").warnings
    _, channels, height, width = size.split("x")
    assert warning.code == "W116"
    assert warning.help == (
        f"for {channels} channels write `INPUT({height}x{width}x{channels})`, without the batch"
    )


@pytest.mark.parametrize(
    "size",
    [
        *("224x224x3", "28x28", "28x28x1", "3x3x3", "1x1x512", "3x3x64", "1x128x64"),
        *("16x112x112x3", "16x3x8x4", "16x16x16x1"),
    ],
)
def test_honest_sizes_pass(size: str) -> None:
    """Features of few rows, pictures and volumes pass."""
    assert "W116" not in codes(size)


@pytest.mark.parametrize(
    "layer", ["LRN(5, k=0, alpha=1, beta=1)", "CONV(3x3, 4, pad=(3 - 1) // 2)"]
)
def test_settings_of_lectures_compile(layer: str) -> None:
    """Numbers that lecture notes use are accepted."""
    assert netc.compile(f"INPUT(8x8x4) -> {layer} -> GAP -> FC(2)").warnings == ()

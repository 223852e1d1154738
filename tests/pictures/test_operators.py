"""The operators of networks on a page."""

import pytest
from support.network_rows import pages
from support.scenes import check_page, said

import netc
from netc.drawing import to_scene


@pytest.mark.parametrize("name", pages())
def test_the_zoo_fits_a_page(name: str) -> None:
    """Each spec's operators fit A4 with text of 6 points, folded where they must be."""
    scene = to_scene(netc.load(f"zoo:{name}").model, "ops")
    check_page(scene)


def test_operators_have_the_names_of_onnx() -> None:
    """An operator says its name and its formula; its parameters stand before it."""
    scene = to_scene(netc.load("zoo:lenet5").model, "ops")
    words = said(scene, "box")
    assert words.count("Conv") == 3
    assert {"w * x + b", "c1.weight", "c1.bias", "Gemm", "output"} <= set(words)
    assert "N\N{MULTIPLICATION SIGN}6\N{MULTIPLICATION SIGN}28\N{MULTIPLICATION SIGN}28" in said(
        scene
    )


def test_all_outputs_are_drawn() -> None:
    """Each output ends the picture under its name, also one that is an input."""
    program = "a = INPUT(3)\nb = a -> FC(2)\noutput left = b\noutput right = a"
    words = said(to_scene(netc.compile(program).model, "ops"), "box")
    assert {"left", "right"} <= set(words)


def test_repeated_blocks_are_folded() -> None:
    """The repeated block of ResNet-18 is one box that says how often it is there."""
    words = said(to_scene(netc.load("zoo:resnet18").model, "ops"), "box")
    assert "\N{MULTIPLICATION SIGN} 2" in words

"""Sizes in messages: what the author wrote, whatever the layout is in which a layer computes."""

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.choices import EngineName

INPUTS = {
    1: ("INPUT(6x4, sequence)", "6x4", "4x6"),
    2: ("INPUT(6x5x4)", "6x5x4", "4x6x5"),
    3: ("INPUT(6x5x7x4)", "6x5x7x4", "4x6x5x7"),
}
TOO_LARGE = (
    "CONV(kernel=9, pad=0)",
    "DWCONV(kernel=9, pad=0)",
    "LOCAL(kernel=9, pad=0)",
    "POOL(kernel=9)",
    "POOL(avg, kernel=9)",
    "POOL(lp, kernel=9)",
    "POOL(stochastic, kernel=9)",
    "UPCONV(kernel=2, stride=1, pad=9)",
    "PAD(9, mode=reflect)",
    "CROP(9)",
    "RESHAPE(5x11)",
    "( ID | POOL(kernel=2, stride=1) ) -> ADD",
)
OPEN = (
    "LOCAL(kernel=3)",
    "FC",
    "ADAPTIVEPOOL(3)",
    "RESHAPE(5x11)",
    "DROPCONNECT(3)",
)


def refusal(program: str) -> str:
    """The first message, with its notes, about a program that is refused."""
    first = failure_of(netc.compile, program).diagnostics[0]
    return "; ".join((first.message, *first.notes))


@pytest.mark.parametrize("layer", TOO_LARGE)
@pytest.mark.parametrize("rank", INPUTS)
def test_the_input_is_shown_as_written(rank: int, layer: str) -> None:
    """Sequences are length x channels, images and volumes have their channels last."""
    source, written, inside = INPUTS[rank]
    message = refusal(f"{source} -> {layer}")
    assert written in message
    assert inside not in message


@pytest.mark.parametrize("layer", OPEN)
@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("INPUT((L, 4), sequence)", "L x 4"),
        ("INPUT((H, W, 4))", "H x W x 4"),
        ("INPUT((D, H, W, 4))", "D x H x W x 4"),
    ],
)
def test_open_extents_are_shown_as_written(source: str, written: str, layer: str) -> None:
    """So they are where a layer needs numbers in their place."""
    assert f"its input is {written}" in refusal(f"{source} -> {layer}")


def test_layers_behind_layers_are_shown_as_written() -> None:
    """What meets the layer is shown, and not what another layer makes of it within."""
    stack = "INPUT(12x4, sequence) -> CONV(kernel=3, 8) -> POOL(kernel=2) -> CONV(kernel=9, pad=0)"
    assert refusal(stack) == "CONV 9 needs at least 9 positions, but its input is 6x8"


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("layer", ["CONV(kernel=9, 2, pad=0)", "MAXPOOL(kernel=9)"])
def test_what_a_short_sequence_leaves_is_shown_as_written(layer: str, engine: EngineName) -> None:
    """The same holds of what an engine is given: N x length x channels."""
    network = netc.compile(f"INPUT((L, 2), sequence) -> {layer}")
    caught = failure_of(
        network.run, np.zeros((1, 3, 2), np.float32), network.initialize(0), engine=engine
    )
    (note,) = caught.diagnostics[0].notes
    assert note.startswith("it leaves N x ")
    assert note.endswith(" x 2")


def test_a_transposed_sequence_is_told_so() -> None:
    """Channels first suits images: of sequences the channels come last."""
    network = netc.compile("INPUT(6x4, sequence) -> FC(2)")
    caught = failure_of(network.run, np.zeros((1, 4, 6), np.float32), network.initialize(0))
    help = "the channels of a sequence come last: `x.transpose(0, 2, 1)`"
    assert caught.diagnostics[0].help == help

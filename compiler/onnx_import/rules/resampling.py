"""Upsample and Resize, which said less of how places are found, and samples at given places."""

import numpy as np
from onnx import AttributeProto

from ..attributes import described, value
from ..faults import fault
from ..rewriting import Draft, cannot_raise, rule

MODES = {"bilinear": "linear", "bicubic": "cubic"}


@rule("Upsample", since=7)
def scales(draft: Draft) -> None:
    """The scales of height and width become a list for all axes."""
    height, width = (draft.float_of(f"{axis}_scale", 0.0) for axis in ("height", "width"))
    mode = draft.string_of("mode", "nearest")
    draft.drop("height_scale", "width_scale")
    draft.set(scales=[1.0, 1.0, height, width], mode=MODES.get(mode, mode))


@rule("Upsample", since=9)
def scales_as_input(draft: Draft) -> None:
    """`scales` becomes an argument."""
    numbers = value(draft.node, "scales", AttributeProto.FLOATS)
    if numbers is None:
        raise fault(f"{described(draft.node)} lacks `scales`")
    draft.drop("scales")
    draft.put(1, draft.constant(np.array(numbers, np.float32), "scales"))


@rule("Upsample", since=10)
def upsample(draft: Draft) -> None:
    """It is a Resize."""
    mode = draft.string_of("mode", "nearest")
    draft.set(mode=MODES.get(mode, mode))
    draft.node.op_type = "Resize"


@rule("Resize", since=11)
def places(draft: Draft) -> None:
    """Places were scaled without an offset and rounded down."""
    x, factors = draft.input(0), draft.input(1)
    mode = draft.string_of("mode", "nearest")
    nearest = {"nearest_mode": "floor"} if mode == "nearest" else {}
    draft.become(
        "Resize", x, "", factors, mode=mode, coordinate_transformation_mode="asymmetric", **nearest
    )


@rule("Resize", since=13)
def nearest_of_tensorflow(draft: Draft) -> None:
    """A mode of TensorFlow is gone: floor(y + 1/2) is y rounded, halves up."""
    mode = "coordinate_transformation_mode"
    if draft.string_of(mode, "half_pixel") == "tf_half_pixel_for_nn":
        if draft.string_of("nearest_mode", "round_prefer_floor") != "floor":
            raise cannot_raise(draft, "rounds places of TensorFlow otherwise than down")
        draft.set(**{mode: "half_pixel", "nearest_mode": "round_prefer_ceil"})
    if draft.has(3):
        draft.put(2, "")  # what had to be there, empty


@rule("GridSample", since=20)
def modes(draft: Draft) -> None:
    """Modes have names that suit any number of axes."""
    mode = draft.string_of("mode", "bilinear")
    draft.set(mode=MODES.get(mode, mode))

"""The words that attributes of ONNX's operators may be, which its schemas do not list."""

from collections.abc import Mapping

WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("BitShift", "direction"): (
        "LEFT",
        "RIGHT",
    ),
    ("DepthToSpace", "mode"): (
        "DCR",
        "CRD",
    ),
    ("Gelu", "approximate"): (
        "none",
        "tanh",
    ),
    ("Pad", "mode"): (
        "constant",
        "reflect",
        "edge",
        "wrap",
    ),
    ("Resize", "mode"): (
        "nearest",
        "linear",
        "cubic",
    ),
    ("Resize", "coordinate_transformation_mode"): (
        *("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel"),
        *("align_corners", "asymmetric", "tf_crop_and_resize"),
    ),
    ("Resize", "keep_aspect_ratio_policy"): ("stretch", "not_larger", "not_smaller"),
    ("Resize", "nearest_mode"): (
        "round_prefer_floor",
        "round_prefer_ceil",
        "floor",
        "ceil",
    ),
    ("ScatterElements", "reduction"): (
        "none",
        "add",
        "mul",
        "max",
        "min",
    ),
    ("GridSample", "mode"): ("linear", "nearest", "cubic"),
    ("GridSample", "padding_mode"): ("zeros", "border", "reflection"),
    ("ScatterND", "reduction"): ("none", "add", "mul", "max", "min"),
    ("NegativeLogLikelihoodLoss", "reduction"): ("none", "sum", "mean"),
    ("SoftmaxCrossEntropyLoss", "reduction"): ("none", "sum", "mean"),
}

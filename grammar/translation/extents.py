"""The extent of an image, or the length of a sequence, that makes a program's dense layer fit."""

import re
from collections.abc import Sequence

from .call_text import arguments_of, by_kind
from .flow import Flow

# Extents of well-known data sets and networks first.
_EXTENTS = (32, 28, 224, 64, 96, 128, 48, 227, 299, 256, 100)
_LARGEST, _LONGEST = 300, 40  # extents and steps that are tried
_INPUT = re.compile(r"INPUT\((?:32x32x(\d+)|128x(\d+), sequence)\)")
_CALL = re.compile(r"([A-Z]+)(?:\((.*)\))?(?: as .*)?")


def fit_input(flow: Flow, features: int) -> None:
    """Give the assumed input of a chain the extent with which it has as many features at its end.

    Args:
        flow: The end of the chain, before a dense layer.
        features: How many features the dense layer expects.
    """
    steps: list[str] = []
    while len(flow.inputs) == 1:
        steps[:0] = flow.step.split(" -> ")
        (flow,) = flow.inputs
    start = _INPUT.fullmatch(flow.step)
    is_known = all(not step.startswith(("FC", "RESHAPE", "SLICE", "(")) for step in steps)
    if start is None or len(steps) > _LONGEST or not is_known:
        return
    axes, channels = (2, start[1]) if start[1] else (1, start[2])
    for extent in (32, 128)[axes == 1], *_EXTENTS, *range(1, _LARGEST):
        if _features(steps, extent, int(channels), axes) == features:
            size = f"{extent}x{extent}" if axes == 2 else f"{extent}"
            flow.step = f"INPUT({size}x{channels}{', sequence' * (axes == 1)})"
            return


def _features(steps: Sequence[str], extent: int, channels: int, axes: int) -> int | None:
    """How many features a chain has behind its steps; None where it does not get so far."""
    for step in steps:
        call = _CALL.fullmatch(step)
        if call is None or extent < 1:
            return None
        channels, extent = _behind(call[1], call[2] or "", channels, extent)
    return channels * extent**axes if extent > 0 else None


def _behind(name: str, inner: str, channels: int, extent: int) -> tuple[int, int]:
    """Channels and extent behind a step."""
    if name in ("GAP", "GMP"):
        return channels, 1
    if name not in ("CONV", "UPCONV", "DWCONV", "MAXPOOL", "AVGPOOL", "POOL", "ADAPTIVEPOOL"):
        return channels, extent
    bare, given = by_kind(arguments_of(inner))
    sizes = [int(size[1]) for text in bare if (size := re.match(r"(\d+)x", text))]
    is_pool = "POOL" in name
    kernel = (sizes or [int(given.get("kernel", "2" if is_pool or name == "UPCONV" else "3"))])[0]
    if name == "ADAPTIVEPOOL":
        return channels, kernel
    filters = next((int(text) for text in bare if text.isdigit()), channels)
    stride = _number(given.get("stride"), kernel if is_pool else 2 if name == "UPCONV" else 1)
    behind = channels if is_pool or name == "DWCONV" else filters
    dilated = _number(given.get("dilation"), 1) * (kernel - 1)
    pad = {"same": dilated, "valid": 0}.get(given.get("pad", "valid" if is_pool else "same"))
    pad = 2 * _number(given.get("pad"), 0) if pad is None else pad
    if name == "UPCONV":
        more = _number(given.get("output_pad"), 0)
        return behind, (extent - 1) * stride - pad + dilated + more + 1
    return behind, (extent + pad - dilated - 1) // max(stride, 1) + 1


def _number(text: str | None, default: int) -> int:
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else default

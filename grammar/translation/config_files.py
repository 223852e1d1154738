"""Networks in the files of Caffe and Darknet -> the chain that says the same here."""

import re
from collections.abc import Iterator, Mapping

from .call_text import ForeignArgument, closing
from .calls import translated
from .recipes import own_name

_PROTOTXT = re.compile(r"^layers?\s*\{", re.M)
_SECTION = re.compile(r"^\[(\w+)\][ \t]*(?:#.*)?$", re.M)
_SETTING = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*([^\n#]+)", re.M)
_KEPT = frozenset("num_output kernel_size stride pad pool dropout_ratio group".split())
# Darknet's sections that are steps, and what they hold.
_SECTIONS: Mapping[str, str] = {
    "convolutional": "conv",
    "connected": "dense",
    "maxpool": "maxpool",
    "avgpool": "gap",
    "dropout": "dropout",
    "softmax": "softmax",
    "upsample": "upsample",
}
_DARKNET: Mapping[str, str] = {
    "filters": "filters",
    "size": "kernel_size",
    "stride": "stride",
    "output": "units",
    "probability": "rate",
}


def config_steps(text: str) -> list[str]:
    """The steps of a prototxt, or of a cfg; none where it is neither."""
    return [*_caffe(text), *_darknet(text)]


def is_config(text: str) -> re.Match[str] | None:
    """Where a file of Caffe or Darknet starts."""
    section = _SECTION.search(text)
    known = section is not None and section[1] in (*_SECTIONS, "net", "network")
    return section if known else _PROTOTXT.search(text)


def _caffe(text: str) -> Iterator[str]:
    """The layers of a prototxt."""
    for match in _PROTOTXT.finditer(text):
        end = closing(text, match.end() - 1)
        body = text[match.end() : end] if end > 0 else ""
        kind = re.search(r"\btype\s*:\s*\"?(\w+)\"?", body)
        if kind is None or own_name(kind[1]) is None:
            continue
        pairs = re.findall(r"\b(\w+)\s*:\s*([\w.]+)", body)
        arguments = [ForeignArgument(name, value) for name, value in pairs if name in _KEPT]
        dims = re.findall(r"\bdim\s*:\s*(\d+)", body)
        if dims:
            arguments = [ForeignArgument(None, f"({', '.join(dims)})")]
        steps = translated(kind[1], arguments, pad="valid")
        if steps is not None:
            yield steps


def _darknet(text: str) -> Iterator[str]:
    """The sections of a cfg."""
    parts = _SECTION.split(text)
    for kind, body in zip(parts[1::2], parts[2::2], strict=True):
        given = {name: value.strip() for name, value in _SETTING.findall(body)}
        if kind in ("net", "network") and "height" in given:
            height, channels = given["height"], given.get("channels", "3")
            yield f"INPUT({height}x{given.get('width', height)}x{channels})"
        elif kind in _SECTIONS:
            yield _section(kind, given)


def _section(kind: str, given: Mapping[str, str]) -> str:
    """A section as steps: a convolution with its normalization and activation."""
    arguments = [ForeignArgument(_DARKNET[n], v) for n, v in given.items() if n in _DARKNET]
    if kind == "upsample":
        arguments = [ForeignArgument(None, given.get("stride", "2"))]
    if kind == "convolutional":
        pad = "same" if given.get("pad") == "1" else given.get("padding", "0")
        arguments.append(ForeignArgument("pad", pad))
    activation = given.get("activation", "linear")
    steps = [translated(_SECTIONS[kind], arguments) or ""]
    steps += ["BN"] if given.get("batch_normalize") == "1" else []
    slope = [ForeignArgument(None, "0.1")] if activation == "leaky" else []
    called = "leakyrelu" if activation == "leaky" else activation
    steps += [translated(called, slope) or ""] if activation != "linear" else []
    return " -> ".join(step for step in steps if step)

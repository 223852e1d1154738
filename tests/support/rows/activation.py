"""Activations against PyTorch's own, by name in `torch.nn.functional`."""

from collections.abc import Mapping
from typing import Any

from support.layers import LayerRow, Oracle

# The inputs, their channels' axis in PyTorch, and their sizes as the author writes them.
INPUTS = {
    "INPUT(7)": (1, "7"),
    "INPUT(5x4, sequence)": (2, "5x4"),
    "INPUT(4x5x3)": (1, "4x5x3"),
    "INPUT(2x4x5x3)": (1, "2x4x5x3"),
}
IMAGE, IMAGE_SIZE = "INPUT(4x5x3)", "4x5x3"


def functional(name: str, **options: Any) -> Oracle:
    """A function of `torch.nn.functional`."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        import torch

        return getattr(torch.nn.functional, name)(x, **options)

    return oracle


def heaviside(x: Any, state: Mapping[str, Any]) -> Any:
    """1 at 0, too."""
    import torch

    return torch.heaviside(x, torch.ones((), dtype=x.dtype))


def parametric(axis: int) -> Oracle:
    """`prelu`, which has its channels on axis 1."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        import torch

        moved = torch.nn.functional.prelu(x.movedim(axis, 1), state["l.weight"])
        return moved.movedim(1, axis)

    return oracle


# What takes no arguments, and what it is in PyTorch.
PLAIN: Mapping[str, Oracle] = {
    "RELU": functional("relu"),
    "RELU6": functional("relu6"),
    "SELU": functional("selu"),
    "SIGMOID": functional("sigmoid"),
    "HARDSIGMOID": functional("hardsigmoid"),
    "SWISH": functional("silu"),
    "SILU": functional("silu"),
    "HARDSWISH": functional("hardswish"),
    "MISH": functional("mish"),
    "TANH": functional("tanh"),
    "SOFTPLUS": functional("softplus"),
    "SOFTSIGN": functional("softsign"),
    "STEP": heaviside,
    "LRELU": functional("leaky_relu", negative_slope=0.01),
    "ELU": functional("elu"),
    "CELU": functional("celu"),
    "GELU": functional("gelu"),
}
WITH_ARGUMENTS: Mapping[str, Oracle] = {
    "LRELU(0.2)": functional("leaky_relu", negative_slope=0.2),
    "LRELU(2)": functional("leaky_relu", negative_slope=2.0),
    "LRELU(slope=-0.5)": functional("leaky_relu", negative_slope=-0.5),
    "ELU(0.3)": functional("elu", alpha=0.3),
    "ELU(alpha=2)": functional("elu", alpha=2.0),
    "CELU(0.3)": functional("celu", alpha=0.3),
    "CELU(alpha=2)": functional("celu", alpha=2.0),
    "GELU(exact)": functional("gelu", approximate="none"),
    "GELU(tanh)": functional("gelu", approximate="tanh"),
    "GELU(form=tanh)": functional("gelu", approximate="tanh"),
}

ROWS = [
    *(
        LayerRow(f"{source} -> {name} as l", size, torch=oracle, low=-8, high=8)
        for name, oracle in PLAIN.items()
        for source, (_, size) in INPUTS.items()
    ),
    *(
        LayerRow(f"{IMAGE} -> {call} as l", IMAGE_SIZE, torch=oracle, low=-4, high=4)
        for call, oracle in WITH_ARGUMENTS.items()
    ),
    *(
        LayerRow(
            f"{source} -> {name} as l",
            size,
            torch=functional(function, dim=axis),
            low=-9,
            high=9,
        )
        for name, function in {"SOFTMAX": "softmax", "LOGSOFTMAX": "log_softmax"}.items()
        for source, (axis, size) in INPUTS.items()
    ),
    *(
        LayerRow(
            f"{source} -> PRELU as l",
            size,
            params=int(size.split("x")[-1]),
            torch=parametric(axis),
        )
        for source, (axis, size) in INPUTS.items()
    ),
    *(
        LayerRow(f"{source} -> PRELU(shared=yes) as l", size, params=1, torch=parametric(axis))
        for source, (axis, size) in INPUTS.items()
    ),
    LayerRow(
        f"{IMAGE} -> PRELU(weight=[0.1, 0, -2]) as l", IMAGE_SIZE, params=3, torch=parametric(1)
    ),
    LayerRow(
        f"{IMAGE} -> PRELU(init=constant(0.5), frozen=yes) as l",
        IMAGE_SIZE,
        params=3,
        torch=parametric(1),
    ),
]

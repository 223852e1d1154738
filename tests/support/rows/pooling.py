"""Pools, adaptive pools, and the layer that undoes a max-pool."""

from collections.abc import Callable, Mapping
from typing import Any

from support.layers import LayerRow, Oracle

IMAGE, VOLUME, SEQUENCE = "INPUT(9x8x3)", "INPUT(5x6x7x2)", "INPUT(11x4, sequence)"


def pool(name: str, **options: Any) -> Oracle:
    """A function of `torch.nn.functional` of the input's rank: `max_pool` is `max_pool2d`."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn import functional

        if x.dim() == 3:
            return getattr(functional, f"{name}1d")(x.mT, **options).mT
        return getattr(functional, f"{name}{x.dim() - 2}d")(x, **options)

    return oracle


def globally(reduce: Callable[[Any], Any]) -> Oracle:
    """A reduction of all positions."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        return reduce(x.mT if x.dim() == 3 else x.flatten(2))

    return oracle


def padded(before: tuple[int, int], after: tuple[int, int], oracle: Oracle, value: float) -> Oracle:
    """The oracle on an image with each side padded by itself."""

    def asymmetric(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import pad

        sides = (before[1], after[1], before[0], after[0])
        return oracle(pad(x, sides, value=value), state)

    return asymmetric


def stochastic(kernel: int, stride: int, **options: Any) -> Oracle:
    """The mean weighted by the probabilities x / sum x (Zeiler and Fergus 2013, equation 6)."""
    mean = pool("avg_pool", kernel_size=kernel, stride=stride, **options)

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        values = mean(x, state)
        return (mean(x * x, state) / values).nan_to_num(0.0)

    return oracle


def zeroed(oracle: Oracle) -> Oracle:
    """The oracle behind a ReLU, which leaves windows of zeros."""
    return lambda x, state: oracle(x.relu(), state)


def there_and_back(kernel: int, stride: int, pad: int = 0, *, ceil: bool = False) -> Oracle:
    """A max-pool, twice its result, and its undoing by PyTorch."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn import functional

        if x.dim() == 3:
            return oracle_of(functional, "1d")(x.mT).mT
        return oracle_of(functional, f"{x.dim() - 2}d")(x)

    def oracle_of(functional: Any, rank: str) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            y, indices = getattr(functional, f"max_pool{rank}")(
                x, kernel, stride, pad, ceil_mode=ceil, return_indices=True
            )
            undo = getattr(functional, f"max_unpool{rank}")
            return undo(2 * y, indices, kernel, stride, pad, output_size=x.shape[2:])

        return run

    return oracle


MAX = pool("max_pool", kernel_size=2)
AVERAGE = pool("avg_pool", kernel_size=2)
LP = pool("lp_pool", norm_type=2, kernel_size=2)

PLAIN = [
    LayerRow(f"{IMAGE} -> POOL as l", "4x4x3", torch=MAX),
    *(LayerRow(f"{IMAGE} -> {s} as l", "4x4x3", torch=MAX) for s in ("MAXPOOL", "maxpool")),
    LayerRow(f"{VOLUME} -> POOL as l", "2x3x3x2", torch=MAX),
    LayerRow(f"{SEQUENCE} -> POOL as l", "5x4", torch=MAX),
    LayerRow(f"{IMAGE} -> POOL(avg) as l", "4x4x3", torch=AVERAGE),
    *(LayerRow(f"{IMAGE} -> {s} as l", "4x4x3", torch=AVERAGE) for s in ("AVGPOOL", "avgpool")),
    LayerRow(f"{VOLUME} -> POOL(avg) as l", "2x3x3x2", torch=AVERAGE),
    LayerRow(f"{SEQUENCE} -> POOL(avg) as l", "5x4", torch=AVERAGE),
    LayerRow(f"{IMAGE} -> POOL(lp) as l", "4x4x3", torch=LP),
    LayerRow(f"{VOLUME} -> POOL(lp) as l", "2x3x3x2", torch=LP),
    LayerRow(f"{SEQUENCE} -> POOL(lp) as l", "5x4", torch=LP),
    LayerRow(
        f"{IMAGE} -> POOL(3x3, lp, p=3, stride=2) as l",
        "4x3x3",
        torch=pool("lp_pool", norm_type=3, kernel_size=3, stride=2),
        low=0.0,  # PyTorch takes no absolute value
    ),
    LayerRow(
        f"{IMAGE} -> POOL(lp, p=1) as l",
        "4x4x3",
        torch=lambda x, state: 4 * AVERAGE(x.abs(), state),
    ),
    LayerRow(
        f"{IMAGE} -> POOL(lp, pad=(0x1, 1x0)) as l",
        "5x4x3",
        torch=padded((0, 1), (1, 0), LP, 0.0),
    ),
]

PADDED = [
    LayerRow(
        f"{IMAGE} -> POOL(3x3, {mode}, stride=2, pad=1{options}) as l",
        "5x4x3",
        torch=pool(name, kernel_size=3, stride=2, padding=1, **keywords),
    )
    for mode, options, name, keywords in [
        ("max", "", "max_pool", {}),
        ("avg", "", "avg_pool", {"count_include_pad": False}),
        ("avg", ", count_pad=yes", "avg_pool", {}),
    ]
]

ONE_SIDED = [
    LayerRow(
        f"{IMAGE} -> POOL(3x2, max, pad=(0x1, 2x0)) as l",
        "3x4x3",
        torch=padded((0, 1), (2, 0), pool("max_pool", kernel_size=(3, 2)), float("-inf")),
    ),
    LayerRow(
        f"{IMAGE} -> POOL(3x2, avg, pad=(0x1, 2x0), count_pad=yes) as l",
        "3x4x3",
        torch=padded((0, 1), (2, 0), pool("avg_pool", kernel_size=(3, 2)), 0.0),
    ),
    LayerRow(f"{IMAGE} -> POOL(2x2, avg, stride=1, pad=same) as l", "9x8x3"),
]

# mode, options, PyTorch's name and keywords
ROUNDED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("max", "", "max_pool", {}),
    ("avg", "", "avg_pool", {"count_include_pad": False}),
    ("avg", ", count_pad=yes", "avg_pool", {"count_include_pad": True}),
]

CEILED = [
    LayerRow(
        f"{program} -> POOL({mode}, kernel={kernel}, stride={stride}, pad={pad}, ceil=yes"
        f"{options}) as l",
        shape,
        torch=pool(
            name, kernel_size=kernel, stride=stride, padding=pad, ceil_mode=True, **keywords
        ),
    )
    for mode, options, name, keywords in ROUNDED
    for program, kernel, stride, pad, shape in [
        (IMAGE, 2, 2, 0, "5x4x3"),
        (IMAGE, 3, 2, 1, "5x5x3"),
        (IMAGE, 2, 3, 1, "4x3x3"),  # a window that would start in the padding is dropped
        (IMAGE, 3, 4, 0, "3x2x3"),
        (VOLUME, 2, 2, 1, "3x4x4x2"),
        (VOLUME, 3, 2, 0, "2x3x3x2"),
        (SEQUENCE, 3, 3, 0, "4x4"),
        (SEQUENCE, 2, 2, 1, "6x4"),
        ("INPUT(2x5x1)", 3, 2, 0, "1x2x1"),  # a kernel beyond the input
    ]
]

STOCHASTIC = [
    LayerRow(f"{IMAGE} -> RELU -> POOL(stochastic) as l", "4x4x3", torch=zeroed(stochastic(2, 2))),
    LayerRow(
        f"{IMAGE} -> RELU -> POOL(2x2, stochastic, stride=1) as l",
        "8x7x3",
        torch=zeroed(stochastic(2, 1)),
    ),
    LayerRow(
        f"{VOLUME} -> POOL(stochastic, kernel=3, stride=2, ceil=yes) as l",
        "2x3x3x2",
        torch=stochastic(3, 2, ceil_mode=True),
        low=0.0,
    ),
    LayerRow(f"{SEQUENCE} -> RELU -> POOL(stochastic) as l", "5x4", torch=zeroed(stochastic(2, 2))),
]

GLOBAL = [
    LayerRow(f"{program} -> {layer} as l", channels, torch=globally(reduce))
    for layer, reduce in (("GAP", lambda x: x.mean(-1)), ("GMP", lambda x: x.amax(-1)))
    for program, channels in ((IMAGE, "3"), (VOLUME, "2"), (SEQUENCE, "4"))
]

ADAPTIVE = [
    LayerRow(
        f"{program} -> ADAPTIVEPOOL({size}, {mode}) as l",
        shape,
        torch=pool(f"adaptive_{mode}_pool", output_size=output),
    )
    for mode in ("avg", "max")
    for program, size, output, shape in [
        (IMAGE, "3x4", (3, 4), "3x4x3"),  # plain
        (IMAGE, "4x3", (4, 3), "4x3x3"),  # overlapping bins at one distance, and uneven ones
        (IMAGE, "5x7", (5, 7), "5x7x3"),
        (IMAGE, "9x8", (9, 8), "9x8x3"),  # every element is a bin
        (IMAGE, "13x11", (13, 11), "13x11x3"),  # more bins than rows
        (IMAGE, "6", 6, "6x6x3"),
        (IMAGE, "1", 1, "1x1x3"),
        (VOLUME, "3x4x5", (3, 4, 5), "3x4x5x2"),
        (VOLUME, "1x1x1", (1, 1, 1), "1x1x1x2"),
        (SEQUENCE, "4", 4, "4x4"),
        (SEQUENCE, "3", 3, "3x4"),
    ]
]

UNPOOLED = [
    LayerRow(
        f"{program} -> POOL({options}) as p -> ( ID | ID ) -> ADD -> UNPOOL(p) as l",
        shape,
        torch=there_and_back(*settings, ceil=ceil),
    )
    for program, options, settings, ceil, shape in [
        (IMAGE, "2x2", (2, 2), False, "9x8x3"),
        (IMAGE, "kernel=2, stride=3", (2, 3), False, "9x8x3"),
        (IMAGE, "kernel=3, pad=1", (3, 3, 1), False, "9x8x3"),
        (IMAGE, "kernel=3, ceil=yes", (3, 3), True, "9x8x3"),
        (VOLUME, "kernel=2", (2, 2), False, "5x6x7x2"),
        (SEQUENCE, "kernel=2", (2, 2), False, "11x4"),
        (SEQUENCE, "kernel=3, ceil=yes", (3, 3), True, "11x4"),
    ]
]

ROWS = [
    *PLAIN,
    *PADDED,
    *ONE_SIDED,
    *CEILED,
    *STOCHASTIC,
    *GLOBAL,
    *ADAPTIVE,
    *UNPOOLED,
]

"""Normalizations; PyTorch has the channels on axis 1."""

from collections.abc import Mapping
from typing import Any

from support.layers import LayerRow, Oracle

VECTOR, SEQUENCE = "INPUT(6)", "INPUT(5x6, sequence)"
IMAGE, VOLUME = "INPUT(4x5x6)", "INPUT(3x4x2x6)"
EVERY = [(VECTOR, "6"), (SEQUENCE, "5x6"), (IMAGE, "4x5x6"), (VOLUME, "3x4x2x6")]
SPATIAL = EVERY[1:]


def channels_second(oracle: Oracle) -> Oracle:
    """The oracle on sequences as (N, C, L)."""
    return lambda x, state: oracle(x.mT, state).mT if x.dim() == 3 else oracle(x, state)


def channels_last(oracle: Oracle) -> Oracle:
    """The oracle on images as (N, H, W, C)."""

    def moved(x: Any, state: Mapping[str, Any]) -> Any:
        return oracle(x, state) if x.dim() < 4 else oracle(x.movedim(1, -1), state).movedim(-1, 1)

    return moved


def batch(eps: float) -> Oracle:
    """With the running statistics, as at inference."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import batch_norm

        mean, variance = state["l.running_mean"], state["l.running_var"]
        return batch_norm(x, mean, variance, state.get("l.weight"), state.get("l.bias"), eps=eps)

    return channels_second(oracle)


def layer(eps: float) -> Oracle:
    """Over the channels."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-1:], state.get("l.weight"), state.get("l.bias"), eps)

    return channels_last(oracle)


def layer_over_all(x: Any, state: Mapping[str, Any]) -> Any:
    """Over the whole sample."""
    from torch.nn.functional import layer_norm

    return layer_norm(x, x.shape[1:], state.get("l.weight"), state.get("l.bias"))


def instance(eps: float) -> Oracle:
    """Over the positions."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import instance_norm

        return instance_norm(x, weight=state.get("l.weight"), bias=state.get("l.bias"), eps=eps)

    return channels_second(oracle)


def group(groups: int, eps: float) -> Oracle:
    """Over the channels of a group and the positions."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import group_norm

        return group_norm(x, groups, state.get("l.weight"), state.get("l.bias"), eps)

    return channels_second(oracle)


def root_mean_square(eps: float) -> Oracle:
    """Over the channels."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import rms_norm

        return rms_norm(x, x.shape[-1:], state.get("l.weight"), eps)

    return channels_last(oracle)


def response(size: int, alpha: float, beta: float, k: float) -> Oracle:
    """PyTorch divides alpha by the size, and takes no vectors."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        from torch.nn.functional import local_response_norm

        image = x if x.dim() > 2 else x[..., None]
        return local_response_norm(image, size, alpha, beta, k).reshape(x.shape)

    return channels_second(oracle)


def preprocessed(mean: Any, std: Any) -> Oracle:
    """(x - mean) / std per channel, or by one number."""

    def oracle(x: Any, state: Mapping[str, Any]) -> Any:
        return (x - x.new_tensor(mean)) / x.new_tensor(std)

    return channels_last(oracle)


ROWS = [
    LayerRow(
        "INPUT(4x5x3, dtype=uint8) -> NORMALIZE(mean=[124, 116, 104], std=58) as l",
        "4x5x3",
        torch=lambda x, state: (x - x.new_tensor([124, 116, 104]).double()[:, None, None]) / 58,
        low=0,
        high=256,
    ),
    *(LayerRow(f"{x} -> BN as l", shape, 12, torch=batch(1e-5)) for x, shape in EVERY),
    *(
        LayerRow(f"{x} -> BN(affine=no, eps=0.1) as l", shape, 0, torch=batch(0.1))
        for x, shape in EVERY
    ),
    *(LayerRow(f"{x} -> LN as l", shape, 12, torch=layer(1e-5)) for x, shape in EVERY),
    *(
        LayerRow(f"{x} -> LN(affine=no, eps=0.1) as l", shape, 0, torch=layer(0.1))
        for x, shape in EVERY
    ),
    *(LayerRow(f"{x} -> LN(bias=no) as l", shape, 6, torch=layer(1e-5)) for x, shape in EVERY),
    *(
        LayerRow(f"{x} -> LN(axes=all) as l", shape, 2 * size, torch=layer_over_all)
        for (x, shape), size in zip(EVERY, (6, 5 * 6, 4 * 5 * 6, 3 * 4 * 2 * 6), strict=True)
    ),
    LayerRow(f"{IMAGE} -> LN(all, affine=no) as l", "4x5x6", torch=layer_over_all),
    *(LayerRow(f"{x} -> IN as l", shape, 12, torch=instance(1e-5)) for x, shape in SPATIAL),
    *(
        LayerRow(f"{x} -> IN(affine=no, eps=0.1) as l", shape, 0, torch=instance(0.1))
        for x, shape in SPATIAL
    ),
    *(
        LayerRow(f"{x} -> GN({groups}) as l", shape, 12, torch=group(groups, 1e-5))
        for groups in (1, 3, 6)
        for x, shape in (EVERY if groups < 6 else SPATIAL)
    ),
    *(
        LayerRow(f"{x} -> GN(groups=2, affine=no, eps=0.1) as l", shape, 0, torch=group(2, 0.1))
        for x, shape in EVERY
    ),
    *(
        LayerRow(f"{x} -> RMSNORM as l", shape, 6, torch=root_mean_square(1e-5))
        for x, shape in EVERY
    ),
    *(
        LayerRow(f"{x} -> RMSNORM(affine=no, eps=0.1) as l", shape, torch=root_mean_square(0.1))
        for x, shape in EVERY
    ),
    *(
        LayerRow(f"{x} -> LRN as l", shape, torch=response(5, 5e-4, 0.75, 2.0))
        for x, shape in EVERY
    ),
    *(
        LayerRow(
            f"{x} -> LRN(3, alpha=0.5, beta=0.6, k=1, mean=yes) as l",
            shape,
            torch=response(3, 0.5, 0.6, 1.0),
        )
        for x, shape in EVERY
    ),
    *(
        LayerRow(
            f"{x} -> LRN(5, k=0, alpha=1, beta=1) as l", shape, torch=response(5, 5.0, 1.0, 0.0)
        )
        for x, shape in EVERY
    ),
    LayerRow(f"{IMAGE} -> LRN(99, alpha=0.1) as l", "4x5x6", torch=response(99, 9.9, 0.75, 2.0)),
    *(
        LayerRow(f"{x} -> NORMALIZE(mean=0.5, std=0.25) as l", shape, torch=preprocessed(0.5, 0.25))
        for x, shape in EVERY
    ),
    *(
        LayerRow(
            f"{x} -> NORMALIZE(mean=[1, 2, 3, 4, 5, 6], std=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) as l",
            shape,
            torch=preprocessed([1, 2, 3, 4, 5, 6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        )
        for x, shape in EVERY
    ),
    *(
        LayerRow(
            f"{IMAGE} -> {call}weight=[1, 2, 3, 4, 5, 6], bias_value=0.5) as l",
            "4x5x6",
            12,
            torch=oracle,
        )
        for call, oracle in [
            ("BN(", batch(1e-5)),
            ("LN(", layer(1e-5)),
            ("IN(", instance(1e-5)),
            ("GN(3, ", group(3, 1e-5)),
        ]
    ),
    LayerRow(f"{IMAGE} -> RMSNORM(weight=2) as l", "4x5x6", 6, torch=root_mean_square(1e-5)),
]

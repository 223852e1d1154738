"""The layer table test: what one row says of a layer, and how it is checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import netc
from netc.compiler.ir.types import author_size
from netc.runtime.kerneldef import Array

Oracle = Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class LayerRow:
    """A program and what must hold of its layer that is labelled `l`.

    Attributes:
        program: The program's text.
        shape: The output of `l` as the author writes it.
        params, macs: Closed forms, independent of the compiler.
        torch: The same in PyTorch on float64 tensors: `torch(x, state) -> y`, channels first.
        engines: Whether both engines run it and must agree.
        low, high: The range of random inputs.
    """

    program: str
    shape: str
    params: int = 0
    macs: int = 0
    torch: Oracle | None = field(default=None, repr=False)
    engines: bool = True
    low: float = -1.0
    high: float = 1.0


def norm_error(found: Array, expected: Array) -> float:
    """max |difference| / max |expected|; 0 for empty arrays."""
    assert found.shape == expected.shape
    if not expected.size:
        return 0.0
    scale = float(np.max(np.abs(expected))) or 1.0
    return float(np.max(np.abs(found.astype(np.float64) - expected))) / scale


def feeds_for(
    network: netc.Network, batch: int, *, low: float, high: float, ids: int = 4
) -> dict[str, Array]:
    """Random inputs of a batch; integers are token ids below a number."""
    random = np.random.default_rng(0)
    feeds: dict[str, Array] = {}
    for spec in network.inputs:
        shape = [batch if dim == "N" else int(dim) for dim in spec.shape]
        if spec.dtype == "int64":
            feeds[spec.name] = random.integers(0, ids, shape)
        else:
            feeds[spec.name] = random.uniform(low, high, shape).astype(spec.dtype)
    return feeds


def random_state(network: netc.Network) -> dict[str, Array]:
    """Weights that are all different, biases and statistics included; literals are kept."""
    random = np.random.default_rng(1)
    state: dict[str, Array] = {}
    for name, drawn in network.initialize(0).items():
        literal = network.graph.producer(network.graph.parameters[name]).attributes["literal"]
        noise = random.uniform(0.1, 0.9, drawn.shape) / max(1, drawn[0].size if drawn.ndim else 1)
        state[name] = drawn if literal is not None else (drawn + noise).astype(drawn.dtype)
    return state


def check_counts(row: LayerRow) -> None:
    """Shape, parameters and MACs of `l` equal the row's closed forms."""
    network = netc.compile(row.program)
    layer = network.graph.layers["l"]
    counts = network.counts.layers["l"]
    assert author_size(layer.outputs[0].type) == row.shape
    assert (counts.params, counts.macs) == (row.params, row.macs)


def check_engines(row: LayerRow, batch: int) -> None:
    """NumPy and onnxruntime agree norm-wise within 1e-5 on random weights and inputs."""
    network = netc.compile(row.program)
    state = random_state(network)
    feeds = feeds_for(network, batch, low=row.low, high=row.high)
    found = network.run(feeds, state, fetch=["l"])["l"]
    expected = network.run(feeds, state, fetch=["l"], engine="onnxruntime")["l"]
    assert found.dtype == expected.dtype
    assert norm_error(found, expected) <= 1e-5


def check_torch(row: LayerRow) -> None:
    """The float64 kernel agrees with PyTorch's own implementation norm-wise within 1e-10."""
    import torch

    assert row.torch is not None
    network = netc.compile(row.program)
    feeds = feeds_for(network, 3, low=row.low, high=row.high)
    wide = {
        name: value.astype(np.float64) if value.dtype == np.float32 else value
        for name, value in feeds.items()
    }
    state = {name: value.astype(np.float64) for name, value in random_state(network).items()}
    tensors = [torch.from_numpy(value) for value in wide.values()]
    parameters = {name: torch.from_numpy(value) for name, value in state.items()}
    x = tensors[0] if len(tensors) == 1 else tensors
    expected = row.torch(x, parameters).numpy()
    found = network.run(wide, state, fetch=["l"], dtype="float64")["l"]
    assert norm_error(found, expected) <= 1e-10

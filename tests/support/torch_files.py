"""Files that define networks in PyTorch, run: their modules with our weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import netc
from netc.compiler.emit.torch.source import torch_source
from netc.runtime.kerneldef import Array


def module_of(network: netc.Network, state: Mapping[str, Array]) -> Any:
    """The network's class, which comes last, with weights; all names have to agree."""
    import torch

    defined: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(network.model), "<exported>", "exec"), defined)
    classes = [value for value in defined.values() if isinstance(value, type)]
    module = classes[-1]()
    weights = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    counters = {name for name in module.state_dict() if name.endswith("num_batches_tracked")}
    assert module.state_dict().keys() - counters == weights.keys()
    module.load_state_dict(weights)
    return module


def outputs_of(network: netc.Network, module: Any, feeds: Mapping[str, Array]) -> list[Any]:
    """What a module yields, in the order of the network's outputs."""
    import torch

    given = [torch.from_numpy(feeds[name]) for name in network.graph.inputs]
    found = module(*given)
    return list(found) if isinstance(found, tuple) else [found]

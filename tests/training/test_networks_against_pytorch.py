"""Whole networks against PyTorch: loss, gradients, and what becomes of running statistics."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.backward import FACTORS, Backward, backward, numbers
from support.network_rows import ROWS, NetworkRow, random_arrays, random_weights

import netc
from netc.compiler.passes.append_backward import GRADIENT
from netc.compiler.passes.training_mode import NEXT
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array

pytestmark = pytest.mark.oracle

TOLERANCES = {"float64": 1e-8, "float32": 1e-3}
MARKED = [pytest.param(row, marks=pytest.mark.slow) if row.slow else row for row in ROWS]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", MARKED, ids=lambda row: row.name)
def test_network(row: NetworkRow, dtype: str) -> None:
    """In training mode, loss and gradients are PyTorch's, and so are the new statistics."""
    network = netc.compile(row.program)
    found = backward(network.graph, row.objective(network), by_inputs=True)
    feeds = random_arrays(found.inputs, batch=row.batch, classes=row.classes)
    targets = random_arrays(found.targets, batch=row.batch, classes=row.classes, seed=8)
    state = random_weights(network)
    ours = numbers(found.graph, {**feeds, **targets}, state, dtype=dtype)
    theirs = pytorch(row, found, (feeds, targets, state, ours), dtype)
    compared = [name for name in ours if name.endswith((GRADIENT, NEXT)) or name == "loss"]
    assert set(compared) == theirs.keys()
    for name in compared:
        assert ours[name].dtype == dtype
        assert norm_difference(ours[name], theirs[name]) <= TOLERANCES[dtype], name


def pytorch(
    row: NetworkRow, found: Backward, arrays: tuple[Mapping[str, Array], ...], dtype: str
) -> dict[str, Array]:
    """PyTorch's numbers, with our noise."""
    import torch
    from support.torch_networks import NETWORKS

    real = getattr(torch, dtype)
    feeds, targets, state, ours = (
        {
            n: torch.from_numpy(a).to(real) if a.dtype.kind == "f" else torch.from_numpy(a)
            for n, a in given.items()
        }
        for given in arrays
    )
    module = NETWORKS[row.name]().to(real).train()
    module.load_state_dict(state, strict=False)
    for path in (name.removesuffix(FACTORS) for name in ours if name.endswith(FACTORS)):
        module.get_submodule(path).factors = ours[path + FACTORS]
    inputs = {n: x.requires_grad_(x.is_floating_point()) for n, x in feeds.items()}
    outputs = module(*inputs.values())
    loss = total_loss(row, outputs if isinstance(outputs, tuple) else (outputs,), targets)
    loss.backward()
    leaves = {**dict(module.named_parameters()), **inputs}
    gradients = {f"{n}{GRADIENT}": x.grad for n, x in leaves.items() if x.grad is not None}
    statistics = {
        f"{n}{NEXT}": x for n, x in module.named_buffers() if not n.endswith("num_batches_tracked")
    }
    results = {"loss": loss, **gradients, **statistics}
    return {name: x.detach().numpy() for name, x in results.items()}


def total_loss(row: NetworkRow, outputs: tuple[Any, ...], targets: Mapping[str, Any]) -> Any:
    """The weighed sum of PyTorch's losses."""
    from torch.nn import functional as f

    losses: dict[str, Any] = {
        "cross_entropy": f.cross_entropy,
        "mse": f.mse_loss,
        "mae": f.l1_loss,
        "huber": f.huber_loss,
        "binary_cross_entropy": f.binary_cross_entropy_with_logits,
    }
    names = [row.losses] if isinstance(row.losses, str) else row.losses.values()
    factors = row.weights.values() or [1.0]
    parts = zip(names, factors, outputs, targets.values(), strict=True)
    return sum(
        factor * losses[name](output, target, **row.arguments)
        for name, factor, output, target in parts
    )

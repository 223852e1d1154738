"""A network in PyTorch and what a recipe says -> one step of training after another."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F

from ...compiler.emit.torch.training import OPTIMIZERS
from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph
from ...compiler.passes.rewrite import rewrite
from ...compiler.training.objective import LOSS, Objective, add_loss
from ...compiler.training.output_fit import fit
from ...compiler.training.terms import Term
from .torch_network import Tensor, TorchNetwork, lacking

TorchLoss = Callable[[Tensor, Tensor], Tensor]


def classes_first(function: Callable[..., Tensor], *names: str) -> Callable[[Term, int], TorchLoss]:
    """A loss of classes, which PyTorch has on axis 1, with some of its arguments."""

    def prepare(term: Term, axis: int) -> TorchLoss:
        options = {name: term.arguments[name] for name in names}
        return lambda y, t: function(y.movedim(axis, 1), t, **options)

    return prepare


def of_numbers(function: TorchLoss) -> Callable[[Term, int], TorchLoss]:
    """A loss without arguments."""
    return lambda term, axis: function


# Losses that PyTorch computes in one call; others are computed by the operators of the graph.
LOSSES: Mapping[str, Callable[[Term, int], TorchLoss]] = {
    "cross_entropy": classes_first(F.cross_entropy, "ignore_index", "label_smoothing"),
    "nll": classes_first(F.nll_loss, "ignore_index"),
    "binary_cross_entropy": of_numbers(F.binary_cross_entropy_with_logits),
    "mae": of_numbers(F.l1_loss),
}

# How PyTorch takes a step fastest, where no fused update is.
FASTEST: Mapping[str, Mapping[str, Any]] = {"rmsprop": {"foreach": True}}
FUSED: Mapping[str, Any] = {"fused": True}


def optimizer(term: Term, lr: float, momentum: float, parameters: Any) -> Any:
    """PyTorch's optimizer with the arguments of ours."""
    if term.name not in OPTIMIZERS:
        raise lacking([term.name])
    name, _ = OPTIMIZERS[term.name]
    options = FASTEST.get(term.name, FUSED)
    given = {**term.arguments, "lr": lr}
    if "momentum" in given:
        given["momentum"] = momentum
    if "beta1" in given:
        given["betas"] = (given.pop("beta1"), given.pop("beta2"))
    return getattr(torch.optim, name)(list(parameters), **given, **options)


class TorchStep:
    """A step of training, run again and again.

    Args:
        graph: The network, mode-neutral.
        objective: What to minimise.
        update: The optimizer, with its learning rate and momentum.
        state: Weights by name.
        symbols: The extents that inputs determine.
        channels_last: See `TorchNetwork`.
    """

    def __init__(
        self,
        graph: Graph,
        objective: Objective,
        update: tuple[Term, float, float],
        state: Mapping[str, Any],
        symbols: Mapping[str, int],
        *,
        channels_last: bool,
    ) -> None:
        graph, self._losses = _measured(graph, objective)
        self.network = TorchNetwork(
            graph, state, symbols, training=True, channels_last=channels_last
        )
        self._update = update
        self._optimizer = self._first_optimizer()

    def _first_optimizer(self) -> Any:
        trained = [p for p in self.network.parameters.values() if p.requires_grad]
        return optimizer(*self._update, trained)

    def restart(self, state: Mapping[str, Any]) -> None:
        """Go back to the first step, with these weights."""
        for name, tensor in self.network.parameters.items():
            tensor.data.copy_(torch.tensor(state[name]))
        self._optimizer = self._first_optimizer()

    def __call__(self, feeds: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Take one step, and return the loss before it."""
        self._optimizer.zero_grad(set_to_none=True)
        outputs = self.network(feeds)
        losses = [
            weight * compute(outputs[name], feeds[target])
            for name, target, weight, compute in self._losses
        ]
        loss = sum(losses[1:], losses[0]) if losses else outputs[LOSS]
        loss.backward()
        self._optimizer.step()
        return {LOSS: loss.detach()}


def _measured(
    graph: Graph, objective: Objective
) -> tuple[Graph, list[tuple[str, str, float, TorchLoss]]]:
    """A graph that yields what losses take, and the losses; or one that yields the loss itself."""
    if objective.regularize or not objective.losses.keys() or _computed(objective):
        whole = add_loss(graph, objective)
        whole.outputs = {LOSS: whole.outputs[LOSS]}
        return whole, []
    taken = rewrite(graph, {})
    outputs, losses, build = {}, [], Builder(taken)
    for name, target in (objective.target_names() | objective.inputs_as_targets()).items():
        term = objective.losses[name]
        found = fit(taken, taken.outputs[name], term, name=name)
        outputs[name] = found.value(build)
        compute = LOSSES[term.name](term, found.axis)
        losses.append((name, target, objective.weights.get(name, 1.0), compute))
    taken.outputs = outputs
    return taken, losses


def _computed(objective: Objective) -> bool:
    """Whether the operators of the graph compute a loss, for want of a call of PyTorch."""
    return any(term.name not in LOSSES for term in objective.losses.values())

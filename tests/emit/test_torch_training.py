"""How exported PyTorch files train, which no PyTorch is needed for."""

import ast
import re
from collections.abc import Container

import pytest

import netc
from netc.compiler.emit.torch.losses import LOSSES
from netc.compiler.emit.torch.schedules import SCHEDULERS
from netc.compiler.emit.torch.source import torch_source
from netc.compiler.emit.torch.training import CLIPPING, OPTIMIZERS, PENALTIES
from netc.compiler.training.term_table import TERMS


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("loss = mse, optimizer = adam(lr=0.01)", "torch.optim.Adam(model.parameters(), lr=0.01)"),
        ("loss = mse, schedule = cosine", "CosineAnnealingLR(optimizer, 10 * len(loader))"),
        ("loss = mse, schedule = step(3, 0.5, per=epoch)", "StepLR(optimizer, 3, gamma=0.5)"),
        ("loss = mse, schedule = cosine(warmup=5)", "milestones=[5]"),
        ("loss = huber(delta=0.3)", "F.huber_loss(y, t, delta=0.3)"),
        (
            "loss = cross_entropy(class_weights=[1, 3])",
            "F.cross_entropy(y, t, weight=y.new_tensor([1.0, 3.0]))",
        ),
        (
            "loss = cross_entropy(class_weights=balanced)",
            "weights_of_t = balanced_weights((batch[1] for batch in loader), 2, -100)",
        ),
        ("loss = cross_entropy(class_weights=balanced)", "(y, t, weight=weights_of_t.to(y))"),
        (
            "loss = binary_cross_entropy(pos_weight=balanced)",
            "weights_of_t = balanced_pos_weight((batch[1] for batch in loader), 2, 1)",
        ),
        ("loss = binary_cross_entropy(pos_weight=3)", "pos_weight=y.new_tensor(3.0)"),
        ("loss = focal", "loss = focal_loss(y, t, 2.0, 0.25)"),
        ("loss = mse, schedule = multistep([3, 5])", "MultiStepLR(optimizer, [3, 5])"),
        ("loss = mse, schedule = restarts(4)", "CosineAnnealingWarmRestarts(optimizer, 4)"),
        (
            "loss = mse, schedule = one_cycle",
            "OneCycleLR(optimizer, 0.001, total_steps=10 * len(loader), cycle_momentum=False)",
        ),
        ("loss = mse, schedule = polynomial(0.9)", "10 * len(loader), power=0.9)"),
        (
            "loss = mse, schedule = plateau(0.5, 3)",
            "ReduceLROnPlateau(optimizer, factor=0.5, patience=3)",
        ),
        ("loss = mse, schedule = plateau", "scheduler.step(sum(losses) / len(losses))"),
        (
            "loss = mse, optimizer = adamw, decay = weights",
            '[w for w in model.parameters() if w.dim() <= 1], "weight_decay": 0.0,',
        ),
        (
            "loss = mse, lr_factors = {fc1: 0.1}",
            "optimizer = torch.optim.Adam(model.parameters(), lr=0.0001)",
        ),
        (
            'loss = mse, lr_factors = {"*.bias": 2}',
            '{"params": [w for w in model.parameters() if w.dim() <= 1], "lr": 0.002},',
        ),
        ("loss = mse, accumulate = 4", "(loss / 4).backward() batches += 1 if batches % 4 == 0:"),
        ("loss = mse, schedule = cosine, accumulate = 4", "10 * len(loader) // 4"),
        ("loss = mse, ema = 0.99", "optimizer.step() average.update_parameters(model)"),
        ("loss = mse, clip = norm(1)", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
        ("loss = mse, clip = value(0.5)", "nn.utils.clip_grad_value_(model.parameters(), 0.5)"),
        ("loss = mse, regularize = l1(0.1)", "loss += 0.1 * sum(w.abs().sum() for w in weights)"),
        (
            "loss = mse, optimizer = sgd(0.1, 0.5), momentum = linear(0.5, 0.9)",
            "set `momentum` in `optimizer.param_groups`",
        ),
    ],
)
def test_train_blocks(block: str, expected: str) -> None:
    """A `train` block is a function in PyTorch's words."""
    text = torch_source(netc.compile(f"INPUT(3) -> FC(2)\ntrain {{ {block} }}").model)
    ast.parse(text)
    assert expected in re.sub(r"\s*\n\s*", " ", text).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize(
    ("kind", "forms"),
    [
        ("loss", LOSSES),
        ("optimizer", OPTIMIZERS),
        ("schedule", SCHEDULERS),
        ("regularize", PENALTIES),
        ("clip", CLIPPING),
    ],
)
def test_every_choice_has_a_form(kind: str, forms: Container[str]) -> None:
    """Whatever a `train` block says of these can be written."""
    lacking = [name for name in TERMS[kind] if name not in forms]
    assert not lacking, f"`compiler/emit/torch` has no form of the {kind} {', '.join(lacking)}"

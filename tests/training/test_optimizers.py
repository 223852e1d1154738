"""Every optimizer against PyTorch, step by step, on random gradients."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.optimizer_rows import ROWS, OptimizerRow

import netc
from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import Plan, plan
from netc.runtime.kerneldef import Array

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
pytestmark = pytest.mark.oracle


SHAPE = (3, 4)
STEPS = 20
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}


def planned(term: Term, dtype: str, *, by_momentum: bool = False) -> tuple[Plan, tuple[str, ...]]:
    """One update as a plan: inputs `w`, `g`, the scalars and the slots; outputs `w` and slots."""
    build = Builder(Graph("update"))
    kind = TensorType(DType.FLOAT32, SHAPE)
    weight, gradient = build.input("w", kind), build.input("g", kind)
    row = OPTIMIZERS[term.name]
    names = row.slots(term, by_momentum)
    slots = {name: build.input(f"w.{name}", kind) for name in names}
    scalars = {
        "step": build.input("step", TensorType(DType.INT64, ())),
        "lr": build.input("lr", TensorType(DType.FLOAT32, ())),
        "momentum": build.input("momentum", TensorType(DType.FLOAT32, ())),
    }
    new, new_slots = row.update(build, weight, gradient, slots, scalars, term)
    assert set(new_slots) == set(names)
    assert {value.type for value in (new, *new_slots.values())} == {kind}
    build.graph.outputs = {"w": new, **{f"w.{name}": new_slots[name] for name in names}}
    verify(build.graph)
    return plan(build.graph, dtype=None if dtype == "float32" else dtype), names


def trajectory(
    term: Term, gradients: Array, start: Array, rates: list[tuple[float, float]], dtype: str
) -> list[Array]:
    """The weights after each step."""
    by_momentum = len({momentum for _, momentum in rates}) > 1
    step, slots = planned(term, dtype, by_momentum=by_momentum)
    state = {"w": start.astype(dtype), **{f"w.{slot}": np.zeros(SHAPE, dtype) for slot in slots}}
    found = []
    for i, (gradient, (lr, momentum)) in enumerate(zip(gradients, rates, strict=True)):
        feeds: Mapping[str, Array] = {
            **state,
            "g": gradient.astype(dtype),
            "step": np.array(i, np.int64),
            "lr": np.array(lr, dtype),
            "momentum": np.array(momentum, dtype),
        }
        state = run(step, {name: feeds[name] for name in step.inputs}, {})
        found.append(state["w"])
    return found


def expected(
    optimizer: Any, gradients: Array, start: Array, rates: list[tuple[float, float]], dtype: str
) -> list[Array]:
    """The weights after each of PyTorch's steps."""
    weight = torch.nn.Parameter(torch.tensor(start.astype(dtype)))
    rule = optimizer([weight])
    found = []
    for gradient, (lr, momentum) in zip(gradients, rates, strict=True):
        rule.param_groups[0]["lr"] = lr
        if "momentum" in rule.param_groups[0]:
            rule.param_groups[0]["momentum"] = momentum
        weight.grad = torch.tensor(gradient.astype(dtype))
        rule.step()
        found.append(weight.detach().numpy().copy())
    return found


def draws() -> tuple[Array, Array]:
    """Gradients of some scales, some of them 0, and first weights."""
    random = np.random.default_rng(3)
    gradients = random.normal(0, 1, (STEPS, *SHAPE)) * 10.0 ** random.uniform(-3, 1, SHAPE)
    gradients[:, 0, 0] = 0.0
    gradients[::3] *= random.random(SHAPE) < 0.5
    return gradients, random.normal(0, 1, SHAPE)


def compare(found: list[Array], wanted: list[Array], dtype: str) -> None:
    """The weights agree after each step, relative to the largest."""
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert a.dtype == b.dtype == dtype
        assert np.max(np.abs(a - b)) <= TOLERANCE[dtype] * np.max(np.abs(b)), f"step {i}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_steps_are_pytorchs(row: OptimizerRow, dtype: str) -> None:
    """Twenty steps lead where PyTorch's optimizer leads."""
    gradients, start = draws()
    given = row.term.arguments
    rates = [(given["lr"], given.get("momentum", 0.0))] * STEPS
    theirs = partial(getattr(torch.optim, row.torch), **row.theirs)
    found = trajectory(row.term, gradients, start, rates, dtype)
    compare(found, expected(theirs, gradients, start, rates, dtype), dtype)


@pytest.mark.parametrize(
    ("name", "theirs"), [("sgd", torch.optim.SGD), ("rmsprop", torch.optim.RMSprop)]
)
def test_rate_and_momentum_may_change_at_each_step(name: str, theirs: Any) -> None:
    """Ramps of both are followed, as PyTorch follows changes of its groups."""
    gradients, start = draws()
    rates = list(zip(np.linspace(0.03, 0.0001, STEPS), np.linspace(0.9, 0.999, STEPS), strict=True))
    term = OPTIMIZERS.term(name, momentum=0.9)
    found = trajectory(term, gradients, start, rates, "float64")
    wanted = expected(lambda w: theirs(w, momentum=0.9), gradients, start, rates, "float64")
    compare(found, wanted, "float64")


def test_a_scheduled_momentum_that_starts_at_zero_is_kept() -> None:
    """The slot is there although the argument is 0."""
    term = OPTIMIZERS.term("sgd")
    assert OPTIMIZERS["sgd"].slots(term) == ()
    assert OPTIMIZERS["sgd"].slots(term, by_momentum=True) == ("momentum",)
    adam = OPTIMIZERS.term("adam")
    assert OPTIMIZERS["adam"].slots(adam, by_momentum=True) == ("exp_avg", "exp_avg_sq")


def test_many_steps_of_adam_in_float32() -> None:
    """The bias correction keeps its digits in the first steps and far into a run."""
    gradients, start = draws()
    term = OPTIMIZERS.term("adam", lr=0.1)
    step, _ = planned(term, "float32")
    weight = start.astype("float32")
    for count in (1, 2, 10_000, 1_000_000):
        slots = {slot: np.abs(gradients[0]).astype("float32") for slot in ("exp_avg", "exp_avg_sq")}
        scalars = {"step": np.array(count - 1), "lr": np.float32(0.1), "momentum": np.float32(0)}
        given = {f"w.{slot}": value for slot, value in slots.items()}
        feeds = {"w": weight, "g": gradients[1].astype("float32"), **given, **scalars}
        found = run(step, {n: np.asarray(feeds[n]) for n in step.inputs}, {})["w"]
        parameter = torch.nn.Parameter(torch.tensor(weight))
        rule = torch.optim.Adam([parameter], lr=0.1)
        rule.state[parameter] = {
            "step": torch.tensor(float(count - 1)),
            **{slot: torch.tensor(value) for slot, value in slots.items()},
        }
        parameter.grad = torch.tensor(gradients[1].astype("float32"))
        rule.step()
        compare([found], [parameter.detach().numpy()], "float32")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_a_row_and_a_name_in_python(name: str) -> None:
    """It is compared with PyTorch's, and can be created as PyTorch's is."""
    spellings = {row.torch for row in ROWS if row.name == name}
    assert spellings, f"compare `{name}` with PyTorch's in `tests/support/optimizer_rows.py`"
    for spelling in spellings:
        made = getattr(netc, spelling, None)
        assert made is not None, f"`netc/optimizers.py` and `netc/__init__.py` lack {spelling}"
        assert made().name == name


@pytest.mark.parametrize(("name", "spelling"), {row.name: row.torch for row in ROWS}.items())
def test_defaults_are_pytorchs(name: str, spelling: str) -> None:
    """Arguments that are left out are what PyTorch takes, save SGD's learning rate."""
    optimizer = getattr(torch.optim, spelling)([torch.nn.Parameter(torch.zeros(1))])
    group = dict(optimizer.param_groups[0])
    if "betas" in group:
        group["beta1"], group["beta2"] = group["betas"]
    if name == "sgd":
        group["lr"] = 0.01
    for argument, default in OPTIMIZERS[name].defaults.items():
        assert group[argument] == default, argument

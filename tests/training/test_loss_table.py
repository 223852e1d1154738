"""Each row of the table of losses is complete, and nothing else knows losses by their names."""

import ast
from pathlib import Path

import numpy as np
import pytest
from support.jobs import job_of
from support.loss_rows import ROWS, LossRow, target

from netc.compiler.ops.opdef import Yields
from netc.compiler.training.lossdef import Values
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.term_table import spell_term
from netc.runtime.inspection.random_feeds import DRAWN
from netc.runtime.metrics.by_task import EVALUATING, FOLLOWING
from netc.runtime.metrics.definitions import METRICS
from netc.runtime.sanity.checks import AS_EXPECTED
from netc.runtime.sanity.expected_loss import expected_loss
from netc.runtime.sanity.guessed_loss import OF_CLASSES, OF_DECISIONS, guessed_loss
from netc.runtime.sanity.subject import Subject

ROOT = Path(__file__).parents[2]
# The rows themselves, names of other frameworks, PyTorch's own losses, as the benchmark and as
# programs for PyTorch call them, what a `train` block says by default, and metrics of others.
NAMED = {
    "definitions.py",
    "losses.py",
    "foreign.py",
    "recipe.py",
    "settings.py",
    "torch_training.py",
    "training.py",
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_row_says_all(name: str) -> None:
    """What the rest of netc reads of a loss is there."""
    row = LOSSES[name]
    task, values = row.targets.task, row.targets.values
    assert name in {row.name for row in ROWS}, f"`{name}` has no row in tests/support/loss_rows.py"
    assert set(row.kinds) == set(row.defaults), f"an argument of `{name}` has no default"
    assert Yields.ANYTHING in row.fits, f"`{name}` does not say which outputs fit"
    assert values in DRAWN, f"no targets of {values} are drawn at random"
    guesses = {"classes": OF_CLASSES, "decisions": OF_DECISIONS}.get(task)
    is_sought = values is Values.SOUGHT
    assert guesses is None or is_sought or values in guesses, (
        f"no constant answer is best for {values}"
    )
    for metrics in (*FOLLOWING[task], *EVALUATING[task]):
        assert task in METRICS[metrics].tasks, f"`{metrics}` does not measure {task}"
    arguments = dict(row.defaults)
    for indexed in (False, True):
        assert row.formula(indexed=indexed, **arguments).gradient, f"`{name}` has no formula"
    if row.start is not None:
        assert row.start.text.format(classes=3), f"`{name}` does not say what it starts with"
        assert row.start.value(classes=3, **arguments) > 0


@pytest.mark.parametrize("row", [row for row in ROWS if LOSSES[row.name].compares], ids=str)
def test_what_ignorance_costs(row: LossRow) -> None:
    """Small weights cost what is expected, and the best constant answer costs no more."""
    random = np.random.default_rng(5)
    t = target(row.kind, random, (60, 3)) + (row.kind == "numbers")
    ends = {"log_probabilities": "FC(3) -> LOGSOFTMAX", "probabilities": "FC(3) -> SIGMOID"}
    end = ends.get(LOSSES[row.name].scores, "FC(3)")
    loss = spell_term(LOSSES.term(row.name, **row.arguments))
    x = random.normal(0, 1, (60, 5)).astype(np.float32)
    t = t if t.dtype.kind == "i" else t.astype(np.float32)
    job = job_of(f"INPUT(5) -> {end}\ntrain {{ loss = {loss}, split = (1, 0, 0) }}", (x, t))
    subject = Subject(job, 20, 10)
    given = (job.graph, subject.objective, job.wiring, subject.feeds)
    expected = expected_loss(*given)
    found = subject.loss(subject.graph, subject.small, dtype="float64")
    assert found == pytest.approx(expected, rel=AS_EXPECTED / 2)
    assert 0 < guessed_loss(*given) <= expected


def test_no_other_file_knows_a_loss() -> None:
    """What depends on a loss is read from its row, and never chosen by its name."""
    names = LOSSES.keys() - METRICS.keys()
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} knows the loss {node.value!r}"
        for folder in ("compiler", "runtime", "src/netc/cli")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in NAMED
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and str(node.value) in names
    }
    assert not found

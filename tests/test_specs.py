"""The shipped specs: assertions hold, both engines agree, exports run with any batch."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.layers import feeds_for, norm_error

import netc
from netc.runtime.session import Session
from netc.sources import zoo

SPECS = zoo()

# Parameters beyond which drawing and exporting them is marked `slow`, or `long`, and beyond which
# a spec is checked and counted only: more than a test machine should hold twice.
SLOW, LONG, RUNNABLE = 30_000_000, 100_000_000, 200_000_000

TOTAL = re.compile(r"^assert params == ([\d_]+)$", re.MULTILINE)


def _stated(name: str) -> int | None:
    """The total that a spec asserts as a number, which is known before it is compiled."""
    found = TOTAL.findall(SPECS[name].read_text(encoding="utf-8"))
    return int(found[-1]) if found else None


def _runnable() -> list[object]:
    """The specs that both engines can run, with the marks that their size asks for."""
    rows: list[object] = []
    for name in sorted(SPECS):
        params = _stated(name) or 0
        if params <= RUNNABLE:
            marks = (
                [pytest.mark.long] if params > LONG else [pytest.mark.slow] if params > SLOW else []
            )
            rows.append(pytest.param(name, marks=marks))
    return rows


@pytest.fixture(scope="module", params=sorted(SPECS))
def network(request: pytest.FixtureRequest) -> netc.Network:
    """A shipped spec; compiling it checks its own assertions."""
    return netc.load(SPECS[request.param])


def test_no_warnings(network: netc.Network) -> None:
    """What ships is clean under `netc check --strict`."""
    assert network.warnings == ()


@pytest.mark.parametrize("name", sorted(SPECS))
def test_total_is_stated_as_a_number(name: str) -> None:
    """A reader of a spec finds its size: the last `assert params` compares with one number."""
    assert _stated(name) is not None


def test_names_differ_without_their_folders() -> None:
    """`zoo:NAME` may leave out the folder, so that a name must mean one spec."""
    stems = [Path(name).name for name in SPECS]
    assert sorted(stems) == sorted(set(stems))


@pytest.mark.parametrize("network", _runnable(), indirect=True)
def test_engines_agree_on_the_export(network: netc.Network, tmp_path: Path) -> None:
    """One exported model with a symbolic batch gives NumPy's numbers for batch 1, 3 and 7."""
    state = dict(network.initialize(1))
    path = str(tmp_path / "model.onnx")
    network.export(path, state)
    onnx.checker.check_model(path, full_check=True)
    session = Session(path)
    light = isinstance(network.macs, int) and network.macs < 10**9
    for batch in (1, 3, 7) if light else (1, 3):
        feeds = feeds_for(network, batch, low=-1.0, high=1.0)
        found = session.run(feeds)
        expected = network.run(feeds, state, fetch=list(network.graph.outputs))
        assert isinstance(expected, dict)
        for name, array in expected.items():
            assert norm_error(found[name], array) <= 1e-4
            assert np.isfinite(array).all()

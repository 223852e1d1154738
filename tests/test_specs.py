"""The shipped specs: assertions hold, both engines agree, exports run with any batch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from support.layers import feeds_for, norm_error
from support.network_rows import stated

import netc
from netc.runtime.engines.session import Session
from netc.sources import zoo

SPECS = zoo()

# A spec's export is run and compared on both engines. Beyond these parameters or MACs that is
# marked `slow`, or `long`, and beyond `RUNNABLE` a spec is checked and counted only.
SLOW = {"params": 30_000_000, "macs": 200_000_000}
LONG = {"params": 100_000_000, "macs": 1_000_000_000}
RUNNABLE = 200_000_000  # parameters


def macs(network: netc.Network) -> int:
    """The multiply-accumulates of a network without symbolic extents."""
    assert isinstance(network.macs, int)
    return network.macs


def exceeds(totals: dict[str, int], limits: dict[str, int]) -> bool:
    """Whether some total is above its limit."""
    return any(totals.get(quantity, 0) > limit for quantity, limit in limits.items())


def runnable() -> list[object]:
    """The specs that both engines can run, with the marks that their size asks for."""
    rows: list[object] = []
    for name in sorted(SPECS):
        totals = stated(name)
        long, slow = exceeds(totals, LONG), exceeds(totals, SLOW)
        marks = [pytest.mark.long] if long else [pytest.mark.slow] if slow else []
        if not exceeds(totals, {"params": RUNNABLE}):
            rows.append(pytest.param(name, marks=marks))
    return rows


@pytest.fixture(scope="module", params=sorted(SPECS))
def network(request: pytest.FixtureRequest) -> netc.Network:
    """A shipped spec; compiling it checks its own assertions."""
    return netc.load(SPECS[request.param])


def test_no_warnings(network: netc.Network) -> None:
    """What ships is clean under `netc check --strict`."""
    assert network.warnings == ()


def test_size_is_stated(network: netc.Network, request: pytest.FixtureRequest) -> None:
    """A reader of a spec finds its total parameters, and if they are many, its MACs as a number."""
    totals = stated(request.node.callspec.params["network"])
    assert totals.get("params") == network.params
    assert "macs" in totals or macs(network) <= SLOW["macs"]


def test_names_differ_without_their_folders() -> None:
    """`zoo:NAME` may leave out the folder, so that a name must mean one spec."""
    stems = [Path(name).name for name in SPECS]
    assert sorted(stems) == sorted(set(stems))


@pytest.mark.parametrize("network", runnable(), indirect=True)
def test_engines_agree_on_the_export(network: netc.Network, tmp_path: Path) -> None:
    """One exported model with a symbolic batch gives NumPy's numbers for batch 1, 3 and 7.

    Of large networks, batches of 1 and 3 show as much.
    """
    state = dict(network.initialize(1))
    path = str(tmp_path / "model.onnx")
    network.export(path, state)
    onnx.checker.check_model(path, full_check=True)
    session = Session(path)
    for batch in (1, 3, 7) if macs(network) < SLOW["macs"] else (1, 3):
        feeds = feeds_for(network, batch, low=-1.0, high=1.0)
        found = session.run(feeds)
        expected = network.run(feeds, state, fetch=list(network.graph.outputs))
        assert isinstance(expected, dict)
        for name, array in expected.items():
            assert norm_error(found[name], array) <= 1e-4
            assert np.isfinite(array).all()
            assert np.abs(array).max() > 0 or network.params < 20  # steps of logic may be 0

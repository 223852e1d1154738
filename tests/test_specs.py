"""The shipped specs: assertions hold, both engines agree, exports run with any batch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from support.layers import feeds_for, norm_error

import netc
from netc.runtime.session import Session
from netc.sources import zoo

SPECS = zoo()
RUNNABLE = 200_000_000  # parameters; beyond that a spec is checked and counted only


@pytest.fixture(scope="module", params=sorted(SPECS))
def network(request: pytest.FixtureRequest) -> netc.Network:
    """A shipped spec; compiling it checks its own assertions."""
    return netc.load(SPECS[request.param])


def test_no_warnings(network: netc.Network) -> None:
    """What ships is clean under `netc check --strict`."""
    assert network.warnings == ()


def test_engines_agree_on_the_export(network: netc.Network, tmp_path: Path) -> None:
    """One exported model with a symbolic batch gives NumPy's numbers for batch 1, 3 and 7."""
    if network.params > RUNNABLE:
        pytest.skip("more parameters than a test machine should draw")
    state = dict(network.initialize(1))
    path = str(tmp_path / "model.onnx")
    network.export(path, state)
    onnx.checker.check_model(path, full_check=True)
    session = Session(path)
    for batch in (1, 3, 7) if network.params < 20_000_000 else (1, 3):
        feeds = feeds_for(network, batch, low=-1.0, high=1.0)
        found = session.run(feeds)
        expected = network.run(feeds, state, fetch=list(network.graph.outputs))
        assert isinstance(expected, dict)
        for name, array in expected.items():
            assert norm_error(found[name], array) <= 1e-4
            assert np.isfinite(array).all()

"""ONNX's own test suites: all cases are computed but for those of a list, which says why."""

from fnmatch import fnmatch

import pytest
from support.conformance import OWN, REFERENCE, SUITES, cases, outcome, outcome_of_layers

RANDOM = "it draws random numbers"
OTHERWISE = "onnxruntime and PyTorch, as netc, compute other numbers"
LEFT_OUT = {
    "test_affine_grid_3d_align_corners_expanded": "its branches yield a scalar and a vector",
    "test_bernoulli*": RANDOM,
    "test_maxunpool_export_with_output_shape": OTHERWISE,
    "test_resize_downsample_scales_*_align_corners": OTHERWISE,
    "test_training_dropout*": RANDOM,
}


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_suites(suite: str) -> None:
    """Each case is computed by a kernel of ours or by onnx's reference, or is on the list."""
    wrong: list[str] = []
    for case in cases(suite):
        found = outcome(case)
        listed = any(fnmatch(case.name, pattern) for pattern in LEFT_OUT)
        if found not in (OWN, REFERENCE) and not listed:
            wrong.append(f"{case.name}: {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_layers_compute_the_same(suite: str) -> None:
    """What is read as layers yields what the operators do; inputs that nobody reads may fail."""
    wrong: list[str] = []
    for case in cases(suite):
        found = outcome_of_layers(case)
        listed = any(fnmatch(case.name, pattern) for pattern in LEFT_OUT)
        if found and not listed:
            wrong.append(f"{case.name}: {found}")
    assert not wrong, "\n".join(wrong)


def test_operators_of_networks_are_own() -> None:
    """The converted models of PyTorch need no kernel of onnx."""
    for case in cases("pytorch-operator"):
        assert outcome(case) == OWN, case.name

"""Values from outside in the place of a program's own `let`s."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc

PROGRAM = """\
let inputs = 4  # features
let widths = [8, 2 * inputs]
let (a, b) = (1, 2)
let name = "one"
let bias = yes
INPUT(inputs) -> FC(widths[0], bias=bias) -> FC(widths[1])
"""


@pytest.mark.parametrize(
    ("values", "shapes"),
    [
        ({}, [(8, 4), (8,), (8, 8), (8,)]),
        ({"inputs": 3}, [(8, 3), (8,), (6, 8), (6,)]),
        ({"inputs": np.int64(3), "widths": [5, 2]}, [(5, 3), (5,), (2, 5), (2,)]),
        ({"widths": (5, 2), "bias": False}, [(5, 4), (2, 5), (2,)]),
        ({"name": "two"}, [(8, 4), (8,), (8, 8), (8,)]),
    ],
)
def test_values(values: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    """Sizes follow the values; a comment and all that is not named stay."""
    net = netc.compile(PROGRAM, lets=values)
    assert [a.shape for a in net.initialize().values()] == shapes
    assert "# features" in net.model.text


def test_the_text_is_what_was_compiled(tmp_path: Path) -> None:
    """The program of the network has the values, so that a run's folder says what was trained."""
    (tmp_path / "net.net").write_text(PROGRAM)
    net = netc.load(tmp_path / "net.net", lets={"inputs": 7, "name": "other"})
    lines = PROGRAM.replace("inputs = 4", "inputs = 7").replace('"one"', '"other"')
    assert net.model.text == lines
    assert netc.compile(net.model.text).params == net.params


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"input": 3},
            "error[E101]: `<chain>` has no `let input`\n  = help: did you mean `inputs`?",
        ),
        ({"a": 3}, "error[E101]: `<chain>` has no `let a`"),
        ({"inputs": float("nan")}, "error[E125]: `inputs` cannot be `nan`"),
        ({"inputs": None}, "error[E125]: `inputs` cannot be `None`"),
        ({"widths": [3, {}]}, "error[E125]: `widths` cannot be `{}`"),
        ({"name": 'a"b'}, "error[E125]: `name` cannot be `'a\"b'`"),
        ({"inputs": -1}, "error["),
    ],
    ids=str,
)
def test_what_does_not_fit(values: dict[str, Any], message: str) -> None:
    """Names and values that the program cannot have are errors."""
    assert refusal(netc.compile, PROGRAM, lets=values).startswith(message)


def test_models_have_none(tmp_path: Path) -> None:
    """An ONNX model has no `let`."""
    path = str(tmp_path / "net.onnx")
    netc.compile("INPUT(2) -> FC(2)").export(path)
    with pytest.raises(netc.NetError, match="E101"):
        netc.load(path, lets={"inputs": 2})

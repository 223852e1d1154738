"""The choices that public signatures list are those that are accepted when the program runs."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc import choices
from netc.compiler.emit import dot
from netc.compiler.ir.graph import Graph
from netc.compiler.model import Model
from netc.runtime.engines.engine import ENGINES
from netc.runtime.training.job import PARTS


def test_literal_types_list_the_choices() -> None:
    """The choices in public signatures are those that are accepted when the program runs."""
    assert get_args(choices.EngineName) == tuple(ENGINES)
    assert set(choices.PARTS) == set(get_args(choices.PartName)) == set(PARTS)
    assert set(get_args(choices.Direction)) == set(dot.CHOICES["direction"])
    assert set(get_args(choices.ThemeName)) == set(dot.CHOICES["theme"])


def test_unknown_choices_are_refused_all_the_same() -> None:
    """A choice that no literal type lists raises a `NetError`, never a foreign exception."""
    net = netc.compile("INPUT(2) -> FC(1)")
    state, x = net.initialize(), np.zeros((1, 2), "float32")
    for wrong in ({"engine": "tpu"}, {"device": "tpu"}, {"dtype": "float16"}):
        with pytest.raises(netc.NetError):
            net.run(x, state, **wrong)  # type: ignore[arg-type]  # a wrong choice on purpose
    for wrong in ({"style": "x"}, {"direction": "x"}, {"theme": "x"}, {"format": "x"}):
        with pytest.raises(netc.NetError):
            net.draw("x.svg", **wrong)  # type: ignore[arg-type]  # a wrong choice on purpose


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": -5}, "`width` must be from 1 to 30,000, not -5"),
        ({"width": float("nan")}, "`width` must be a whole number, not `nan`"),
        ({"dpi": "x"}, "`dpi` must be a whole number, not `'x'`"),
        ({"depth": 1.5}, "`depth` must be a whole number, not `1.5`"),
        ({"depth": 0}, "the depth of a diagram must be at least 1, not 0"),
        ({"compact": "no"}, "`compact` must be True or False, not `'no'`"),
        ({"show": 5}, "`show` must be a list of words, not `5`"),
        ({"page": (100, 100)}, "unknown page `(100, 100)`"),
        ({"layout": 1}, "unknown diagram layout `1`"),
        ({"direction": 1}, "unknown diagram direction `1`"),
        ({"theme": "solar"}, "unknown diagram theme `solar`"),
        ({"theme": [1]}, "unknown diagram theme `[1]`"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_choices_of_any_type(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What Python gives for a picture is checked as the command line checks it."""
    net = netc.compile("INPUT(8) -> FC(2)")
    caught = refusal(net.draw, tmp_path / "x.svg", **options)
    assert caught.splitlines()[0] == f"error[E511]: {message}"
    assert list(tmp_path.iterdir()) == []


def test_one_word_to_show(tmp_path: Path) -> None:
    """A word is a list of one, and a graph of nothing is a picture of nothing."""
    netc.compile("INPUT(8) -> FC(2)").draw(tmp_path / "x.svg", show="names")
    assert "params" not in (tmp_path / "x.svg").read_text().partition("</g>")[2]
    netc.Network(Model(Graph("empty"))).draw(tmp_path / "empty.svg")
    assert "empty" in (tmp_path / "empty.svg").read_text()


def test_none_of_an_unknown_setting() -> None:
    """None leaves a setting as it is; what is no setting is refused all the same."""
    net = netc.compile("INPUT(8) -> FC(2)")
    with pytest.raises(netc.NetError, match="no setting `nonsense`"):
        net.with_settings(nonsense=None)

"""Every style of pictures: what it takes, what its picture says, and that nothing is hidden."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.scenes import problems, said
from support.style_rows import ROWS, StyleRow

import netc
from netc.choices import STYLES
from netc.drawing import SCENES, options_of, to_picture_text, to_scene
from netc.grammar.diagnostics import NetError

DOT = ("backward",)  # which takes options of its own


@pytest.mark.parametrize("style", dict.fromkeys([*STYLES, *SCENES]))
def test_every_style_has_a_row(style: str) -> None:
    """A style can be named, is drawn by something, and is tested."""
    assert style in STYLES, f"`Style` in `netc/choices.py` does not list `{style}`"
    assert style in (*SCENES, *DOT), f"`SCENES` in `netc/drawing.py` does not draw `{style}`"
    assert style in {row.style for row in ROWS}, f"`tests/support/style_rows.py` has no `{style}`"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_pictures(row: StyleRow, theme: str) -> None:
    """A picture says what it should, the same each time; nothing is small, cut off or hidden."""
    model = netc.compile(row.program).model
    choices = {"theme": theme, **row.options}
    if row.style in DOT:
        text = to_picture_text(model, style=row.style, **choices)
        assert text == to_picture_text(model, style=row.style, **choices)
        words = [word for word in row.says if not re.search(rf"(?<!\w){re.escape(word)}", text)]
        assert words == []
        return
    scene = to_scene(model, row.style, **choices)
    assert scene == to_scene(model, row.style, **choices)
    assert problems(scene) == []
    assert (
        set(row.says) - {text for group in scene.groups for text in said(scene, group.role)}
        == set()
    )


@pytest.mark.parametrize("style", SCENES)
def test_options_of_other_styles_are_refused(style: str) -> None:
    """A style takes the options that its function has, and names them where another is given."""
    assert "theme" in options_of(SCENES[style])
    model = netc.compile(ROWS[-1].program).model
    with pytest.raises(NetError, match=f"E511.*`{style}` takes no `loss`"):
        to_scene(model, style, loss="mse")


@pytest.mark.parametrize("style", STYLES)
def test_titles(style: str) -> None:
    """Every style says whose picture it is, and how large the network is, unless told not to."""
    row = next(row for row in ROWS if row.style == style)
    network = netc.compile(row.program)
    heading = [network.graph.name, network.counts.headline]
    assert said(to_scene(network.model, style), "title") == heading
    assert said(to_scene(network.model, style, title=False), "title") == []


def test_unknown_styles_are_refused() -> None:
    """A style that there is not is an error with the ones that there are."""
    with pytest.raises(NetError, match=r"E511.*unknown diagram style `volume`"):
        netc.compile("INPUT(8) -> RELU").draw("x.svg", style="volume")  # type: ignore[arg-type]  # a wrong choice


@pytest.mark.parametrize("options", [{"style": "neurons"}, {"style": "backward", "loss": "mse"}])
def test_weights_of_another_network_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    """A picture never leaves out in silence the weights that it is to show."""
    other = netc.compile("INPUT(2) -> FC(3) as other").initialize()
    with pytest.raises(NetError, match="E501"):
        netc.compile("INPUT(2) -> FC(3)").draw(tmp_path / "x.svg", state=other, **options)
    assert list(tmp_path.iterdir()) == []

"""Style files: colours and labels of a house style, and what is refused."""

import re
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.refusals import refusal
from support.scenes import crossings, problems, said

import netc
from netc.compiler.emit.palette import (
    LEGIBLE,
    LIGHT,
    THEMES,
    Look,
    contrast,
    fill,
    ink,
    meaning,
    stroke,
)
from netc.compiler.pictures.scene import Ellipse, Group, Rectangle, Scene, Text, texts
from netc.compiler.pictures.style_file import families, kinds, read_style
from netc.drawing import to_picture, to_scene

CNN = "INPUT(16x16x3) -> [CONV(8) as c -> BN -> RELU]*2 as block -> POOL -> FC(4) as scores"
HOUSE = """
[family.convolution]
fill = "#036"
stroke = "#ABCDEF"
label = "filters"
[family.activation]
fill = "#f77f00"
[kind.FC]
fill = "#777777"
label = "Dense"
[layer.scores]
label = "what it answers"
[layer.block]
label = "the trunk"
fill = "#eeeeee"
"""
HOSTILE = r"""<script>"&'#;`\input{x}%$_^{"""
FORMATS = ("svg", "png", "pdf", "tex", "dot", "mmd")


def _house(folder: Path, text: str = HOUSE) -> str:
    (folder / "house.toml").write_text(text, encoding="utf-8")
    return str(folder / "house.toml")


def _scene(folder: Path, text: str = HOUSE, style: str = "graph", **choices: Any) -> Scene:
    model = netc.compile(CNN).model
    return to_scene(model, style, style_file=_house(folder, text), **choices)


def _box(scene: Scene, name: str) -> Group:
    return next(group for group in scene.groups if group.role == "box" and group.name == name)


def _outline(group: Group) -> Rectangle | Ellipse:
    return next(s for s in group.shapes if isinstance(s, Rectangle | Ellipse))


def test_the_most_particular_says_most(tmp_path: Path) -> None:
    """A layer's setting goes before its kind's, and that before its family's."""
    conv, dense = ("family", "convolution"), ("kind", "DWCONV")
    looks = {
        conv: Look("#111111", "#222222", "filters"),
        dense: Look(fill="#333333"),
        ("layer", "a"): Look(stroke="#444444"),
    }
    theme = LIGHT.styled(looks)
    assert (fill(theme, "CONV", "b"), stroke(theme, "CONV", "b")) == ("#111111", "#222222")
    assert (fill(theme, "DWCONV", "a"), stroke(theme, "DWCONV", "a")) == ("#333333", "#444444")
    assert meaning(theme, "CONV") == ("filters", "#111111")
    assert meaning(theme, "DWCONV") == ("DWCONV", "#333333")
    assert meaning(theme, "FC") == ("dense", LIGHT.families["dense"])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("compact", [False, True])
def test_a_graph_in_a_house_style(theme: str, compact: bool, tmp_path: Path) -> None:
    """Boxes and frames have its colours and words; all text fits and is legible."""
    scene = _scene(tmp_path, theme=theme, compact=compact)
    assert problems(scene) == []
    assert crossings(scene) == []
    assert "#003366" in _paints(_box(scene, "block.0.c"))
    words = said(scene, "box")
    assert {"filters", "Dense", "what it answers"} <= set(words)
    assert "the trunk" in said(scene, "frame")
    for group in scene.groups:
        if group.role == "box" and len(_paints(group)) == 1:
            (back,) = _paints(group)
            assert all(contrast(text.colour, back) >= LEGIBLE for text in texts((group,)))
    if compact:
        assert "filters" in said(scene, "legend")


def _paints(group: Group) -> set[str]:
    return {s.paint.fill for s in group.shapes if not isinstance(s, Text | Group) and s.paint.fill}


def test_text_is_legible_on_any_colour() -> None:
    """Text, and softer text, stands out on every colour by WCAG's measure."""
    steps = range(0, 256, 51)
    for theme in THEMES.values():
        for back in (f"#{r:02x}{g:02x}{b:02x}" for r in steps for g in steps for b in steps):
            assert min(contrast(colour, back) for colour in ink(theme, back)) >= LEGIBLE
        for back in (*theme.families.values(), theme.other, theme.background):
            assert ink(theme, back)[0] == theme.text


def test_volumes_and_neurons(tmp_path: Path) -> None:
    """Feature maps take the colours of their layers, and legends the labels."""
    scene = _scene(tmp_path, style="volumes")
    assert "filters" in said(scene, "legend")
    assert "#003366" in str(scene.shapes)
    net = netc.compile("INPUT(3) as x -> FC(2) as h -> TANH -> FC(1)")
    text = '[kind.TANH]\nfill = "#111111"\nlabel = "squash"\n[layer.h]\nlabel = "inner"\n'
    drawn = to_scene(net.model, "neurons", style_file=_house(tmp_path, text))
    assert {"squash", "inner"} <= set(said(drawn, "label"))
    assert _outline(_box(drawn, "h")).paint.fill == "#111111"


@pytest.mark.parametrize("format", FORMATS)
def test_labels_are_text_in_every_format(format: str, tmp_path: Path) -> None:
    """What a format would execute is shown, marks of direction are left out."""
    label = HOSTILE.replace("\\", "\\\\").replace('"', '\\"') + "\\u05e9\\u202e"
    style = _house(tmp_path, f'[kind.FC]\nlabel = "{label}"\nfill = "#123456"\n')
    data = to_picture(netc.compile("INPUT(3) -> FC(2)").model, format, style_file=style)
    if format in ("png", "pdf"):
        assert data
        return
    text = data.decode("utf-8")
    assert "<script" not in text
    assert "\u202e" not in text
    assert re.search("#?123456", text)
    if format == "svg":
        ElementTree.fromstring(text)
    if format == "tex":
        assert r"\textbackslash{}" in text
        assert r"\input" not in text
    if format == "mmd":
        assert "#60;script#62;" in text
    if format == "dot":
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize("format", ["svg", "dot", "mmd"])
def test_colours_without_a_file_stay(format: str, tmp_path: Path) -> None:
    """An empty file changes nothing."""
    model = netc.compile(CNN).model
    assert to_picture(model, format) == to_picture(
        model, format, style_file=_house(tmp_path, "# nothing\n")
    )


REFUSED = {
    "fil": ('[kind.CONV]\nfil = "#fff"', "2:1", "there is no setting `fil`", "mean `fill`?"),
    "kind": ("[kind.CONVV]", "1:7", "there is no kind `CONVV`", "did you mean `CONV`?"),
    "family": ("[family.conv]", "1:9", "there is no family `conv`", "convolution"),
    "level": (
        "[kind.dense]",
        "1:7",
        "there is no kind `dense`",
        "`dense` is a family: write `[family.dense]`",
    ),
    "layer": ("[layer.score]", "1:8", "there is no layer `score`", "did you mean `scores`?"),
    "table": ("[page]", "1:2", "there is no table `page`", "`family`, `kind`, `layer`"),
    "colour": ('kind = {FC = {fill = "red"}}', "1:22", "`red` is not a colour", "`#rrggbb`"),
    "digits": ('[kind.FC]\nfill = "#12345"', "2:8", "`#12345` is not a colour", "`#rrggbb`"),
    "number": ("[kind.FC]\nfill = 3", "2:8", "`fill` takes a text in quotes", ""),
    "text": ('[kind]\nFC = "#fff"', "2:6", "`kind.FC` must be a table", "write `[kind.FC]`"),
    "value": ("kind = 1", "1:8", "`kind` must be a table", "write `[kind.NAME]`"),
    "blank": ('[kind.FC]\nlabel = " \\u202e"', "2:9", "a label needs a character", ""),
    "long": (f'[kind.FC]\nlabel = "{"a" * 81}"', "2:9", "a label has at most 80 characters", ""),
    "toml": ("[kind.FC\n", "1:9", "`house.toml` is not TOML: expected ']'", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error points at the place in the file, and says what there is; no picture is written."""
    text, place, message, help = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    _house(tmp_path, text)
    shown = refusal(netc.compile(CNN).draw, "x.svg", style_file="house.toml")
    assert shown.startswith(f"error[E512]: {message}")
    assert f"--> house.toml:{place}\n" in shown
    assert help in shown
    assert not (tmp_path / "x.svg").exists()


def test_where_no_style_file_goes(tmp_path: Path) -> None:
    """Colours that do not follow layers cannot be set; a file must be one that is there."""
    net, style = netc.compile("INPUT(3) -> FC(2)"), _house(tmp_path)
    for other in ("ops", "backward"):
        with pytest.raises(netc.NetError, match=f"E511.*`{other}` takes no `style_file`"):
            to_scene(net.model, other, style_file=style)
    with pytest.raises(netc.NetError, match="E001"):
        net.draw(tmp_path / "x.svg", style_file=tmp_path / "none.toml")
    with pytest.raises(netc.NetError, match=r"E511.*`style_file` must be a path, not `3`"):
        net.draw(tmp_path / "x.svg", style_file=3)


def test_every_family_and_kind_can_be_set() -> None:
    """The tables take what layers there are."""
    assert {"convolution", "source", "output", "shaping"} <= set(families())
    assert {"CONV", "INPUT", "OUTPUT"} <= set(kinds())


@pytest.mark.parametrize("style", ["graph", "volumes"])
def test_a_colour_of_one_layer_is_in_the_legend(style: str, tmp_path: Path) -> None:
    """It is called by its label, or by its path."""
    text = '[layer.a]\nfill = "#123456"\n[layer.b]\nfill = "#654321"\nlabel = "the second"\n'
    net = netc.compile("INPUT(8x8x3) -> CONV(4) as a -> BN -> RELU -> CONV(8) as b -> RELU")
    compact: dict[str, Any] = {"compact": True} if style == "graph" else {}
    scene = to_scene(net.model, style, style_file=_house(tmp_path, text), **compact)
    assert {"a", "the second"} <= set(said(scene, "legend"))


def test_a_layer_that_is_not_drawn_is_said(tmp_path: Path) -> None:
    """A later turn of a repetition has no box, and the first has one."""
    net = netc.compile("INPUT(8) -> [FC(8) as f -> RELU]*3 as run -> FC(2)")
    first, *_, last = (path for path in net.graph.layers if path.endswith("f"))
    with pytest.warns(UserWarning, match=rf"`\[layer\.{re.escape(last)}\]` has no effect"):
        to_scene(net.model, "graph", style_file=_house(tmp_path, _filled(last)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_scene(net.model, "graph", style_file=_house(tmp_path, _filled(first)))


def _filled(path: str) -> str:
    return f'[layer."{path}"]\nfill = "#123456"\n'


def test_the_file_of_the_manual(tmp_path: Path) -> None:
    """What the manual shows is a style file for LeNet-5."""
    manual = Path(__file__).resolve().parents[2] / "docs" / "drawing.md"
    (text,) = re.findall(r"```toml house.toml\n(.*?)```", manual.read_text("utf-8"), re.DOTALL)
    graph = netc.load("zoo:lenet5").graph
    looks = read_style(_house(tmp_path, text), graph)
    assert looks["family", "convolution"] == Look("#003049", "#669bbc")
    assert looks["layer", "c3"].label == "second convolution"

"""Scenes as files: SVG, PNG, PDF."""

import io
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from unicodedata import category
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import findfont, get_font

import netc
from netc.compiler.emit.palette import THEMES
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.graph import graph_scene
from netc.compiler.pictures.mermaid import to_mermaid
from netc.compiler.pictures.scene import (
    Ellipse,
    Group,
    Line,
    Paint,
    Polygon,
    Rectangle,
    Scene,
    Text,
    placed,
    texts,
)
from netc.compiler.pictures.svg import to_svg
from netc.compiler.pictures.tikz import to_tikz
from netc.drawing import to_picture, to_picture_text
from netc.runtime.plots import glyphs, scenes
from netc.runtime.plots.glyphs import OWN
from netc.runtime.plots.scenes import scene_picture

NAME = '<script>alert("x")</script> & \u202eabc\x07'
INK = Paint("#d6e4f2", "#8a93a3")
SCENE = Scene(
    200,
    100,
    (
        Group(
            (
                Rectangle(10, 10, 80, 30, INK, radius=4),
                Text(50, 28, NAME, 8, "#1f2430", bold=True),
            ),
            role="box",
            title=NAME,
            name=NAME,
        ),
        Line(((50, 40), (50, 60), (90, 60), (90, 80)), Paint(stroke="#000000"), 5, curved=True),
        Line(((10, 90), (190, 90)), Paint(stroke="#000000", dash=(3, 2))),
        Ellipse(150, 30, 12, 8, INK),
        Polygon(((120, 60), (140, 60), (130, 75)), INK),
        Text(180, 50, "turned", 7, "#000000", italic=True, anchor="end", turned=-90),
    ),
    "#ffffff",
    NAME,
)


def test_svg_is_valid_and_harmless() -> None:
    """Names are text, whatever they hold."""
    root = ElementTree.fromstring(to_svg(SCENE))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert "script" not in tags
    shown = NAME.replace("\x07", " ").replace("\u202e", " ")
    said = [element.text for element in root.iter() if element.tag.endswith(("title", "text"))]
    assert said == [shown, shown, shown, "turned"]
    assert (root.get("width"), root.get("viewBox")) == ("200", "0 0 200 100")
    assert ElementTree.fromstring(to_svg(SCENE, width=400)).get("height") == "200"


def test_png_has_the_size_that_is_asked_for() -> None:
    """Points become pixels by the resolution."""
    image = pytest.importorskip("PIL.Image", reason="reads the picture")
    picture = image.open(io.BytesIO(scene_picture(SCENE, "png", dpi=144)))
    assert picture.size == (400, 200)
    colours = {pixel for _, pixel in picture.convert("RGB").getcolors(1 << 20)}
    assert (0xD6, 0xE4, 0xF2) in colours


def test_a_png_that_no_memory_holds_is_refused() -> None:
    """Many pixels are an error that names a width which is drawn, at once and not after minutes."""
    network = netc.compile("INPUT(8x8x3) -> [CONV(3x3, 4) -> RELU]*8 -> FC(2)")
    message = r"E511.*pixels is too large(.|\n)*a width of \d+,\d+ or less"
    with pytest.raises(netc.NetError, match=message):
        to_picture(network.model, "png", width=30_000)
    assert to_picture(network.model, "svg", width=30_000)


def test_png_draws_what_the_scene_says() -> None:
    """Shapes, outlines and dashes are where the scene has them, and as wide."""
    image = pytest.importorskip("PIL.Image", reason="reads the picture")
    ink = Paint("#336699", "#cc3300", 4)
    shapes = (
        Rectangle(10, 10, 30, 20, ink, radius=4),
        Rectangle(60, 10, 30, 20, ink),
        Ellipse(120, 20, 15, 10, ink),
        Polygon(((150, 10), (190, 10), (170, 30)), ink),
        Line(((10, 60), (190, 60)), Paint(stroke="#cc3300", width=4, dash=(8, 8))),
        Line(((10, 80), (150, 80)), Paint(stroke="#cc3300", width=2), 12),
    )
    data = scene_picture(Scene(200, 100, shapes, "#ffffff"), "png", dpi=144)
    picture = image.open(io.BytesIO(data)).convert("RGB")

    def colour(x: float, y: float) -> str:
        return "#{:02x}{:02x}{:02x}".format(*picture.getpixel((round(2 * x), round(2 * y))))

    assert {colour(x, 18) for x in (25, 75, 120, 170)} == {"#336699"}
    assert {colour(x, 20) for x in (10, 40, 60, 90, 105, 135)} == {"#cc3300"}
    assert {colour(x, 20) for x in (6, 44, 56, 94, 101, 139)} == {"#ffffff"}
    assert {colour(x, 60) for x in (14, 30, 46)} == {"#cc3300"}
    assert {colour(x, 60) for x in (22, 38, 54)} == {"#ffffff"}
    assert {colour(141, y) for y in (78, 80, 82)} == {"#cc3300"}
    assert colour(100, 77) == colour(155, 80) == "#ffffff"


def test_words_of_a_kind_are_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capitals and narrow letters are not larger because matplotlib's font fits them."""
    sizes: dict[str, float] = {}
    drawn = glyphs.font_of

    def font_of(text: str, size: float, **style: bool) -> object:
        sizes[text] = size
        return drawn(text, size, **style)

    monkeypatch.setattr(scenes, "font_of", font_of)
    words = ("add", "slice", "RELU", "pool /2", "3x3 conv", "1")
    lines = tuple(Text(50, 10 * i, word, 8, "#000000") for i, word in enumerate(words, 1))
    scene_picture(Scene(100, 80, lines, "#ffffff"), "png")
    assert set(sizes) == set(words)
    assert max(sizes.values()) < 1.02 * min(sizes.values())


def test_a_text_takes_what_a_font_lacks_from_another() -> None:
    """Characters that matplotlib's own font has not come from one that has them."""
    own, other = (set(get_font(findfont(name)).get_charmap()) for name in (OWN, "STIXGeneral"))
    character = next(chr(c) for c in sorted(other - own) if category(chr(c)) == "Sm")
    families, lacking = glyphs.fonts_for(f"a {character}")
    assert families
    assert not lacking
    assert glyphs.fonts_for("Ответ, ñ, ∑") == ([], set())


def test_what_no_font_has_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of characters that no font of the machine has is drawn with boxes, and says so."""
    monkeypatch.setattr(glyphs, "_installed", tuple)
    words = tuple(Text(50, y, "\U00012000\U00012001", 8, "#000000") for y in (20, 40))
    with pytest.warns(UserWarning, match=r"no font of this machine has .* \(CUNEIFORM\)") as said:
        scene_picture(Scene(100, 50, words, "#ffffff"), "png", dpi=50)
    assert len(said) == 1


def test_pdf_holds_text() -> None:
    """A PDF names fonts for its text, and is the same each time."""
    data = scene_picture(SCENE, "pdf")
    assert data.startswith(b"%PDF")
    assert b"/FontFile2" in data
    streams = [part.split(b"endstream")[0] for part in data.split(b"stream\n")[1::1]]
    drawn = b"".join(zlib.decompress(s.strip(b"\r\n")) for s in streams if s[:1] == b"x")
    assert b"Tj" in drawn or b"TJ" in drawn
    assert data == scene_picture(SCENE, "pdf")


def test_tikz_shows_what_latex_would_execute() -> None:
    """No character of a name is a command, a comment or the end of a group."""
    hostile = r"\input{x} 50% of $a_1^2 & #1 ~ {" + "\u05e9"
    scene = Scene(90, 20, (Text(45, 12, hostile, 8, "#1f2430"),), "#ffffff", "two\nlines")
    with pytest.warns(UserWarning, match="HEBREW"):
        written = to_tikz(scene)
    (node,) = re.findall(r"\\node\[.*?\] at \(45,12\) \{(.*)\};", written)
    assert node == (
        r"\textbackslash{}input\{x\} 50\% of \$a\_1\textasciicircum{}2 \& \#1 \textasciitilde{} \{"
        "\\ifPDFTeX ?\\else \u05e9\\fi{}"
    )
    assert written.startswith("% two lines\n")
    assert "".join(re.findall(r"HTML\}\{(\w+)\}", to_tikz(SCENE))).isupper()


def test_tikz_warns_of_what_pdflatex_lacks() -> None:
    """Names in other scripts than Latin need another LaTeX; netc's own signs and Latin do not."""
    plain = Text(5, 8, "\u2212\u00d7\u03a3 \u00e9".replace("\u03a3", "\u2211"), 8, "#000000")
    to_tikz(Scene(90, 20, (plain,), "#ffffff"))
    words = Text(5, 8, "\u7573\u307f \u0633", 8, "#000000")
    with pytest.warns(UserWarning, match=r"\(ARABIC and CJK and HIRAGANA\).*XeLaTeX or LuaLaTeX"):
        to_tikz(Scene(90, 20, (plain, words), "#ffffff"))


@pytest.mark.slow
def test_latex_compiles_it(tmp_path: Path) -> None:
    """The document is complete, whatever names it holds."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    for number, scene in enumerate((SCENE, graph_scene(netc.load("zoo:residual").graph))):
        (tmp_path / f"{number}.tex").write_text(to_tikz(scene))
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", f"{number}.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert (tmp_path / f"{number}.pdf").read_bytes().startswith(b"%PDF")


def test_mermaid_holds_boxes_frames_and_edges() -> None:
    """Repetitions are subgraphs that say how often, merges circles, and names plain text."""
    block = "[( CONV(4) -> RELU | ID ) -> ADD]*3 as block"
    program = f"INPUT(8x8x3) -> CONV(4) as c -> {block} -> FC(2)"
    lines = to_mermaid(netc.compile(program).graph).splitlines()
    assert lines[0] == "flowchart TB"
    assert '  n1["<b>CONV</b> c<br>3x3, 4 filters<br>8x8x4 \N{MIDDLE DOT} 112 params"]' in lines
    (frame,) = (line for line in lines if line.strip().startswith("subgraph"))
    assert frame.endswith(' \N{MULTIPLICATION SIGN} 3"]')
    assert sum(line.strip() == "end" for line in lines) == 1
    assert any(line.endswith('(("+"))') for line in lines)
    assert any(" -.-> " in line for line in lines)
    assert to_mermaid(netc.compile(program).graph, direction="LR").startswith("flowchart LR")


def test_mermaid_shows_any_name() -> None:
    """What Mermaid would read as Markdown, HTML or an entity is a code."""
    net = netc.compile("INPUT(4) -> FC(2)")
    net.graph.outputs['<b>"x"#35;`'] = net.graph.outputs.pop("output")
    text = to_mermaid(net.graph)
    assert "#60;b#62;#34;x#34;#35;35;#96;" in text


def test_shapes_move_and_grow_with_what_they_hold() -> None:
    """Scaling a group scales its outlines and its text."""
    box = SCENE.shapes[0]
    moved = placed(box, 100, 50, 2.0)
    (text,) = texts([moved])
    assert (text.x, text.y, text.size) == (200, 106, 16)
    before, after = bounds(SCENE.shapes[0]), bounds(moved)
    assert after.width == pytest.approx(2 * before.width)
    assert bounds(SCENE.shapes[-1]).width < bounds(SCENE.shapes[-1]).height


@pytest.mark.parametrize("style", ["ops", "backward"])
def test_circuits_as_text(style: str) -> None:
    """Operators and gradients are boxes by their roles, in Graphviz's language and in Mermaid."""
    model = netc.load("zoo:relu_layer").model
    lines = to_picture_text(model, style=style, format="mmd", direction="TB").splitlines()
    assert lines[:3] == ["%% ReluLayer", "flowchart TB", '  n0(["X"])']
    assert '  n0 -->|"N\N{MULTIPLICATION SIGN}3"| n3' in lines
    assert "  class n1,n2 parameter" in lines
    assert any("==>" in line for line in lines) == (style == "backward")
    assert any("-.->" in line for line in lines) == (style == "backward")
    dark = to_picture_text(model, style=style, format="mmd", theme="dark")
    assert THEMES["dark"].families["convolution"] in dark
    dot = to_picture_text(model, style=style, format="dot")
    assert dot.startswith('digraph "ReluLayer" {\n  graph [rankdir=LR')
    with pytest.raises(
        netc.NetError, match=rf"E511.*`{style}` in the format `mmd` takes no `page`"
    ):
        to_picture_text(model, style=style, format="mmd", page="a4")


def test_mermaid_shows_any_name_of_a_circuit() -> None:
    """Names of networks, inputs and outputs are text."""
    net = netc.compile("INPUT(4) -> FC(2)")
    net.graph.outputs['<b>"x"#35;`'] = net.graph.outputs.pop("output")
    net.graph.name = "%%{init: {}}%%\n<i>"
    text = to_picture_text(net.model, style="ops", format="mmd")
    assert text.startswith("%% #37;#37;#123;init: #123;#125;#125;#37;#37; #60;i#62;\nflowchart")
    assert "#60;b#62;#34;x#34;#35;35;#96;" in text
    assert "<b>" not in text

"""Scenes as files: SVG, PNG, PDF."""

import io
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

import netc
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
    (node,) = re.findall(r"\\node\[.*?\] at \(45,12\) \{(.*)\};", to_tikz(scene))
    assert node == (
        r"\textbackslash{}input\{x\} 50\% of \$a\_1\textasciicircum{}2 \& \#1 \textasciitilde{} \{"
        "\\ifPDFTeX ?\\else \u05e9\\fi{}"
    )
    assert to_tikz(scene).startswith("% two lines\n")
    assert "".join(re.findall(r"HTML\}\{(\w+)\}", to_tikz(SCENE))).isupper()


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

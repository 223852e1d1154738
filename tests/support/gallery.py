"""The page of the gallery, its pictures, and what a command draws."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner
from PIL import Image

from netc.cli import cli

from .gallery_rows import PICTURES, SECTIONS, Picture
from .peer_rows import COMPARISONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = DOCS / "images" / "gallery"
PAGE = DOCS / "gallery.md"
MOST_PIXELS = 900  # of the width of a picture in the repository
MOST_BESIDE = 480  # of the width of one beside others

INTRODUCTION = """\
# Gallery

Each picture stands above the command that drew it. `pytest tests/pictures --update-golden` makes
the whole page from the table in `tests/support/gallery_rows.py`; the tests compare every SVG
with what its command draws today.
"""

BESIDE = """\
The same networks by other tools, each asked for its own style with its own defaults. The models are
PyTorch 2.13 modules and Keras 3.15 models with the same layers. visualkeras 0.2.0 stops with an
error on Keras 3 and is missing. Pictures are shrunk to this page.
"""


def run(*commands: str) -> None:
    """Run commands of netc, given without `netc`, in the working directory."""
    for command in commands:
        done = CliRunner().invoke(cli, shlex.split(command))
        assert done.exit_code == 0, f"netc {command}\n{done.output}"


def make(picture: Picture, folder: Path) -> None:
    """Draw a picture, in the working directory first.

    One that shows a page stays as it is where there is no Chromium.
    """
    if picture.program:
        Path(shlex.split(picture.command)[1]).write_text(picture.program, encoding="utf-8")
    if picture.is_page and shutil.which("chromium") is None:
        return
    run(*picture.commands)
    if picture.is_page:
        page = Path(picture.name).with_suffix(".html").resolve()
        options = "--headless --no-sandbox --hide-scrollbars --window-size=1280,800".split()
        shot = ["chromium", *options, f"--screenshot={Path(picture.name).resolve()}", page.as_uri()]
        subprocess.run(shot, check=True, capture_output=True, timeout=120)
    if not picture.is_lasting:
        _shrink(Path(picture.name))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(picture.name, folder / picture.name)


def _shrink(file: Path) -> None:
    """Make a PNG as wide as pages show it, in 256 colours."""
    with Image.open(file) as image:
        shown = image.convert("RGB")
    shown.thumbnail((MOST_PIXELS, 10 * MOST_PIXELS), Image.Resampling.LANCZOS)
    shown.quantize(256).save(file, optimize=True)


def page() -> str:
    """The text of the page."""
    return "\n".join([INTRODUCTION, *_sections(), *_comparisons()])


def _sections() -> Iterator[str]:
    shown = {""}
    for section in SECTIONS:
        yield f"## {section.title}\n\n{section.says}\n"
        for picture in section.pictures:
            yield f"### {picture.title}\n\n{picture.says}\n"
            yield f"![{picture.title}](images/gallery/{picture.name})\n"
            if picture.program not in shown:
                shown.add(picture.program)
                yield f"```net\n{picture.program}```\n"
            # `bash`, not `sh`: the test of the page's pictures runs these commands already.
            lines = "\n".join(f"netc {command}" for command in picture.commands)
            yield f"```bash\n{lines}\n```\n"


def _comparisons() -> Iterator[str]:
    if COMPARISONS:
        yield f"## Side by side\n\n{BESIDE}"
    named = {picture.name: picture for picture in PICTURES}
    for comparison in COMPARISONS:
        yield f"### {comparison.title} by several tools\n"
        yield "| picture | what it shows, and what it lacks |\n|---|---|"
        command = f"`netc {named[comparison.ours].command}`"
        yield _beside(comparison.ours, "netc", f"{comparison.says} {command}")
        for peer in comparison.peers:
            yield _beside(f"peers/{peer.file}", peer.tool, peer.says)
        yield ""


def _beside(file: str, tool: str, says: str) -> str:
    width = MOST_BESIDE
    if file.endswith(".png"):
        with Image.open(FOLDER / file) as image:
            width = min(width, image.width)
    shown = f'<img src="images/gallery/{file}" alt="{tool}" width="{width}">'
    return f"| {shown} | **{tool}**: {says} |"

"""How wide text is."""

from pathlib import Path

import pytest

from netc.compiler.pictures.fonts import shortened, text_width


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_helvetica_s(bold: bool) -> None:
    """The tables agree with the metrics that Adobe published, which matplotlib ships."""
    matplotlib = pytest.importorskip("matplotlib", reason="holds the metrics")
    name = "Helvetica-Bold.afm" if bold else "Helvetica.afm"
    file = Path(matplotlib.get_data_path()) / "fonts" / "pdfcorefonts" / name
    widths = {}
    for line in file.read_text("latin-1").splitlines():
        if line.startswith("C ") and not line.startswith("C -1"):
            code, width = (int(field.split()[1]) for field in line.split(";")[:2])
            widths[code] = width
    curled = {39, 96}  # quotes in the standard encoding
    for code in set(range(32, 127)) - curled:
        assert text_width(chr(code), 1000, bold=bold) == widths[code], chr(code)


def test_other_characters() -> None:
    """Wide characters are square, marks take no room, others are as wide as most letters."""
    assert text_width("\u6f22", 10) == 10
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("\u0416", 10) == 6


def test_long_names_lose_their_middle() -> None:
    """Both ends of a name that is too long stay readable."""
    name = "backbone.layer4.2.downsample.very_long_name_of_a_convolution"
    short = shortened(name, 100, 10)
    assert text_width(short, 10) <= 100
    head, tail = short.split("\N{HORIZONTAL ELLIPSIS}")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert len(head) > 5 < len(tail)
    assert shortened("fc", 100, 10) == "fc"

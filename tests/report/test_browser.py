"""The report in Chromium: what people do with it, and what it must never do."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from support.browser import CHROMIUM, browser

import netc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look with"),
]


PLAIN = {ord("\N{MULTIPLICATION SIGN}"): "x", ord("\N{MINUS SIGN}"): "-"}


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of ResNet-50 with drawn weights."""
    path = tmp_path_factory.mktemp("report") / "resnet50.html"
    netc.load("zoo:resnet50").report(path)
    return path


def test_a_report_is_used(resnet: Path) -> None:
    """Folding, search, choosing, sorting, themes and keys work, in silence, on no network."""
    assert resnet.stat().st_size < 3_000_000
    with browser(resnet) as page:
        page.wait("document.querySelectorAll('#table tbody tr').length === 175")
        boxes = "document.querySelectorAll('#diagram .box').length"
        overview = page.js(boxes)
        page.js("$('level').value = 0, $('level').onchange()")
        assert 0 < page.js(boxes) < overview
        page.js("show(data.levels.length - 1)")
        assert page.js(boxes) > overview
        page.js("$('search').value = 'layer4.0.conv', search()")
        assert page.js("$('found').textContent") == "3 layers"
        assert page.js("document.querySelectorAll('#diagram .box.hit').length") == 3
        page.click("#matches button")
        assert page.js("$('panel').querySelector('h3').textContent") == "CONV layer4.0.conv1"
        page.js("stage.focus()")
        page.press("Escape")
        assert page.js("$('search').value") == ""
        page.press("ArrowDown", "ArrowDown", "Enter")
        assert page.js("$('panel').querySelector('h3').textContent") == "CONV conv1"
        assert page.js("document.activeElement.id") == "panel"
        panel = page.js("$('panel').textContent").translate(PLAIN)
        for text in ("7 x 7 x 3 x 64 = 9,408", "⌊(224 + 2 x 3 - 7) / 2⌋ + 1 = 112"):
            assert text in panel
        page.click("#table th:nth-child(4) button")
        page.click("#table th:nth-child(4) button")
        assert page.js("document.querySelector('#table tbody td').textContent") == (
            "layer4.0.conv2"
        )
        assert page.js("document.querySelectorAll('th[aria-sort=descending]').length") == 1
        page.click("#theme")
        assert page.js("document.documentElement.dataset.theme") == "dark"
        background = "getComputedStyle(drawing.querySelector('rect')).fill"
        assert page.js(background) == "rgb(22, 25, 31)"
        assert page.problems == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


def test_paper_is_light(resnet: Path) -> None:
    """A dark page is printed in light colours, and is dark again."""
    with browser(resnet) as page:
        page.js("theme(true), dispatchEvent(new Event('beforeprint'))")
        assert page.js("document.documentElement.dataset.theme") == "light"
        page.js("dispatchEvent(new Event('afterprint'))")
        assert page.js("document.documentElement.dataset.theme") == "dark"


def test_folding_follows_clicks(resnet: Path) -> None:
    """A click on a frame folds it, one on a folded box opens it."""
    with browser(resnet) as page:
        page.js("zoom(6, 60, 60), 0")
        page.click('#diagram .box[data-name="conv1"]')
        assert page.js("$('panel').querySelector('h3').textContent") == "CONV conv1"
        page.js("show(data.levels.length - 1), fold('layer1')")
        assert page.js("data.levels[level].depth") == 1
        named = "[...drawing.querySelectorAll('.box')].map(b => b.dataset.name)"
        assert "layer1" in page.js(named)
        page.js("unfold('layer1', rows.findIndex(r => r.name === 'layer1.0.conv2'))")
        assert page.js("data.levels[level].depth") > 1
        assert page.problems == []


def test_lines_and_layers_find_each_other(tmp_path: Path) -> None:
    """A line of the program shows its layers, and a layer its line; keys move along lines."""
    path = tmp_path / "lenet5.html"
    netc.load("zoo:lenet5").report(path)
    with browser(path) as page:
        page.js("choose(rows.findIndex(r => r.name === 'c3'))")
        assert "CONV(5x5, 16" in page.js("document.querySelector('#code .chosen').textContent")
        page.js("code.focus()")
        page.press(*["ArrowDown"] * 7)
        near = "[...drawing.querySelectorAll('.near')].map(b => b.dataset.name)"
        assert page.js(near) == ["c1", "relu1", "s2"]
        assert page.problems == []


def test_names_are_never_executed(tmp_path: Path) -> None:
    """What looks like markup is text: nothing of it becomes an element or runs."""
    path = tmp_path / "hostile.html"
    net = netc.compile("INPUT(8x8x3) -> CONV(3x3, 4) -> FC(2)", name="</script><img src=x>")
    hostile = netc.compile(
        "# </script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\n"
        "net n\nINPUT(8x8x3) -> CONV(3x3, 4) -> FC(2)"
    )
    net.graph.name += "long" * 200
    hostile.graph.name = '"><svg onload=alert(1)></script><script>window.hacked = 1</script>'
    for each in (net, hostile):
        each.report(path)
        with browser(path) as page:
            page.wait("document.querySelectorAll('#table tbody tr').length === 3")
            assert page.js("window.hacked") is None
            assert page.js("document.documentElement.scrollWidth") <= 1280
            assert page.js("document.querySelectorAll('img, script:not([id])').length") == 1
            assert page.js("$('name').textContent") == each.graph.name
            assert page.problems == []


def test_many_layers_are_painted_soon(tmp_path: Path) -> None:
    """A network of 5,000 layers that no level folds is there within two seconds."""
    path = tmp_path / "deep.html"
    text = "INPUT(16x16x4)" + " -> CONV(3x3, 4) -> BN -> RELU" * 1666 + " -> FC(2)"
    netc.compile(text).report(path)
    with browser(path) as page:
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait(paint)
        assert page.js(paint) < 2_000
        assert page.js("rows.length") > 4_900
        assert page.problems == []


@pytest.mark.skipif(find_spec("axe_core_python") is None, reason="axe-core is not installed")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_it(resnet: Path, width: int, dark: bool) -> None:
    """axe-core finds nothing serious, and no page is wider than a phone."""
    import axe_core_python

    script = Path(str(axe_core_python.__file__)).with_name("axe.min.js").read_text("utf-8")
    with browser(resnet, width=width) as page:
        page.js(f"theme({str(dark).lower()}), choose(4), 0")
        page.js(script + ";0")
        found: list[dict[str, Any]] = page.js(
            "axe.run().then(r => r.violations.map(v => ({id: v.id, impact: v.impact,"
            " nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 150))})))"
        )
        assert [each for each in found if each["impact"] in ("serious", "critical")] == []
        assert page.js("document.documentElement.scrollWidth") <= width

"""The report in Chromium: what people do with it, and what it must never do."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.browser import CHROMIUM, Page, browser

import netc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look with"),
]


PLAIN = {ord("\N{MULTIPLICATION SIGN}"): "x", ord("\N{MINUS SIGN}"): "-"}


@contextmanager
def opened(file: Path, **size: int) -> Iterator[Page]:
    """A report whose script has run."""
    with browser(file, **size) as page:
        page.wait("typeof drawing !== 'undefined' && drawing")
        yield page


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of ResNet-50 with drawn weights."""
    path = tmp_path_factory.mktemp("report") / "resnet50.html"
    netc.load("zoo:resnet50").report(path)
    return path


def test_a_report_is_used(resnet: Path) -> None:
    """Folding, search, choosing, sorting, themes and keys work, in silence, on no network."""
    assert resnet.stat().st_size < 3_000_000
    with opened(resnet) as page:
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
        for order in ("ascending", "descending"):
            page.click("#table th:nth-child(4) button")
            page.wait(f"document.querySelectorAll('th[aria-sort={order}]').length === 1")
        assert page.js("document.querySelector('#table tbody td').textContent") == (
            "layer4.0.conv2"
        )
        page.click("#theme")
        assert page.js("document.documentElement.dataset.theme") == "dark"
        background = "getComputedStyle(drawing.querySelector('rect')).fill"
        assert page.js(background) == "rgb(22, 25, 31)"
        assert page.problems == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


def test_paper_is_light(resnet: Path) -> None:
    """A dark page is printed in light colours, and is dark again."""
    with opened(resnet) as page:
        page.js("theme(true), dispatchEvent(new Event('beforeprint'))")
        assert page.js("document.documentElement.dataset.theme") == "light"
        page.js("dispatchEvent(new Event('afterprint'))")
        assert page.js("document.documentElement.dataset.theme") == "dark"


NAMED = "[...drawing.querySelectorAll('.{}:not(.gone)')].map(b => b.dataset.name)"
BOXES, FRAMES = NAMED.format("box"), NAMED.format("frame")


def test_a_click_folds_one_frame(resnet: Path) -> None:
    """A click on a frame folds it alone, one on what it became opens it; the rest moves up."""
    with opened(resnet) as page:
        page.js("show(data.levels.findIndex(each => each.name === 'depth 3'))")
        frames, boxes = page.js(FRAMES), page.js(BOXES)
        lower = "homes[at.get('layer1.1.conv1')].getBoundingClientRect().top - homes[0]"
        lower += ".getBoundingClientRect().top"
        page.js("zoom(1), 0")
        before = page.js(f"({lower}) / drawing.getScreenCTM().d")
        page.js("mouse = drawing.querySelector('.frame[data-name=\"layer1.0\"] text'), 0")
        x, y = page.js(
            "(() => { const b = mouse.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        page.tap(x, y)
        assert set(frames) - set(page.js(FRAMES)) == {"layer1.0"}
        assert [name for name in page.js(BOXES) if name not in boxes] == ["layer1.0"]
        chip = "drawing.querySelector('.chip .sum').textContent"
        assert page.js(chip) == "12 layers \u00b7 75,008 params"
        assert page.js(f"({lower}) / drawing.getScreenCTM().d") < before - 100
        page.click("#diagram .box.chip")
        assert page.js(FRAMES) == frames
        assert page.js(BOXES) == boxes
        assert page.js(f"({lower}) / drawing.getScreenCTM().d") == pytest.approx(before, abs=0.5)
        page.js("fold(drawing.querySelector('.frame[data-name=\"layer3\"]'))")
        page.click("#open")
        assert page.js(FRAMES) == frames
        assert page.problems == []


def test_folded_frames_overlap_nothing(tmp_path: Path) -> None:
    """Whatever frame is folded, no two boxes lie over each other, and lines end where they did."""
    path = tmp_path / "googlenet.html"
    netc.load("zoo:googlenet").report(path)
    with opened(path) as page:
        page.js("show(data.levels.findIndex(each => each.name === 'depth 3'))")
        for scope in ("inception3a", "inception3b.branch2", "inception4e.branch3"):
            page.js(f"fold(drawing.querySelector('.frame[data-name=\"{scope}\"]'))")
        overlaps = page.js(
            "(() => { const boxes = [...drawing.querySelectorAll('.box:not(.gone)')]"
            ".map(b => [b.dataset.name, b.querySelector('rect, ellipse').getBoundingClientRect()]);"
            " return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>"
            " p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1"
            " && q.top < p.bottom - 1).map(([b]) => [a, b])); })()"
        )
        assert overlaps == []
        assert page.js("document.querySelectorAll('#diagram .chip.box').length") == 3
        assert page.problems == []


def test_one_box_of_a_level_is_opened(resnet: Path) -> None:
    """A box that a level folds opens alone: what else was folded stays so, by keys as well."""
    with opened(resnet) as page:
        page.js("show(0), choose(at.get('layer2.0.conv1'))")
        assert page.js("homes[chosen].dataset.name") == "layer2"
        page.js("$('panel').querySelector('.action').focus()")
        page.press("Enter")
        assert page.js(FRAMES) == ["layer2"]
        assert {"layer1", "layer2.0", "layer3"} <= set(page.js(BOXES))
        page.js("choose(at.get('layer2.0.conv1')), $('panel').querySelector('.action').click()")
        assert page.js(FRAMES) == ["layer2", "layer2.0"]
        assert {"layer1", "layer3", "layer4"} <= set(page.js(BOXES))
        folding = "[...$('panel').querySelectorAll('.action')].map(each => each.textContent)"
        assert page.js(folding) == ["Fold layer2.0", "Fold layer2"]
        assert page.problems == []


def test_mouse_keys_and_fingers_move_the_picture(resnet: Path) -> None:
    """The wheel zooms about the pointer, dragging pans, fingers pinch, and keys do the same."""
    with opened(resnet) as page:
        page.call("Emulation.setTouchEmulationEnabled", enabled=True)
        x, y = page.middle("#diagram")
        x, y = round(x) + 100, round(y) - 50
        under = f"spot({x}, {y})"
        place, width = page.js(under), page.js("view.w")
        page.wheel(x, y, -200)
        page.wait(f"view.w < {width}")
        assert page.js(under) == pytest.approx(place, abs=0.01)
        view, size = page.js("({ ...view })"), page.js("scale()")
        page.drag(x, y, 60, 40)
        assert page.js("view.x") == pytest.approx(view["x"] - 60 * size)
        assert page.js("view.y") == pytest.approx(view["y"] - 40 * size)
        assert page.js("chosen") == -1, "a drag is no click"
        width = page.js("view.w")
        page.pinch(x, y, 80, 160)
        page.wait(f"view.w < {width * 0.75}")
        page.js("stage.focus()")
        page.press("0")
        assert page.js("view.w") == page.js("whole.w")
        page.press("+")
        assert page.js("view.w") < page.js("whole.w")
        page.press("-", "ArrowRight", "ArrowRight", "ArrowLeft")
        assert page.js("rows[chosen].name") == "input"
        page.press("/")
        assert page.js("document.activeElement.id") == "search"
        for letter in "fc":
            page.press(letter)
        page.press("Enter")
        assert page.js("document.activeElement.id") == "panel"
        assert page.js("rows[chosen].name") == "fc"
        assert page.problems == []


def test_tab_reaches_everything(resnet: Path) -> None:
    """Tab goes through links, theme, level, search, zoom, the diagram and the table."""
    with opened(resnet) as page:
        seen = []
        for _ in range(24):
            page.press("Tab")
            seen.append(page.js("document.activeElement.id || document.activeElement.tagName"))
        order = ["theme", "level", "search", "out", "fit", "in", "diagram"]
        assert [name for name in seen if name in order] == order
        assert seen.count("BUTTON") == 7, "the headings of the table"


def test_lines_and_layers_find_each_other(tmp_path: Path) -> None:
    """A line of the program shows its layers, and a layer its line; keys move along lines."""
    path = tmp_path / "lenet5.html"
    netc.load("zoo:lenet5").report(path)
    with opened(path) as page:
        page.js("choose(rows.findIndex(r => r.name === 'c3'))")
        assert "CONV(5x5, 16" in page.js("document.querySelector('#code .chosen').textContent")
        page.js("code.focus()")
        page.press(*["ArrowDown"] * 7)
        near = "[...drawing.querySelectorAll('.near')].map(b => b.dataset.name)"
        assert page.js(near) == ["c1", "relu1", "s2"]
        shown = "[...$('peek').children].map(each => each.getAttribute('aria-label'))"
        assert page.js(shown) == ["CONV c1", "RELU relu1", "POOL s2"]
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
        with opened(path) as page:
            page.wait("document.querySelectorAll('#table tbody tr').length === 3")
            assert page.js("window.hacked") is None
            assert page.js("document.documentElement.scrollWidth") <= 1280
            assert page.js("document.querySelectorAll('img, script:not([id])').length") == 2
            assert page.js("$('name').textContent") == each.graph.name
            assert page.problems == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that learns which half of a picture is lighter."""
    path = tmp_path_factory.mktemp("run") / "run.html"
    x = np.random.default_rng(0).normal(size=(60, 1, 6, 6)).astype(np.float32)
    net = netc.compile(
        "INPUT(6x6x1) -> CONV(3x3, 4) -> RELU -> FC(2)\ntrain { loss = cross_entropy, epochs = 3 }"
    )
    net.report(path, run=net.train((x, (x[:, 0, :3].mean((1, 2)) > 0).astype(np.int64))))
    return path


def test_a_run_is_shown(trained: Path) -> None:
    """Curves, a confusion matrix, filters, feature maps and histograms, in the theme's colours."""
    with opened(trained) as page:
        page.js("theme(true), choose(1)")
        titles = page.js("[...document.querySelectorAll('figcaption')].map(e => e.textContent)")
        for title in ("loss", "accuracy", "conv1: filters", "feature maps of a sample"):
            assert any(each.startswith(title) for each in titles), title
        assert page.js("document.querySelectorAll('.matrix td').length") == 5
        assert page.js("$('panel').querySelectorAll('[aria-label^=Histogram]').length") == 2
        paper = "getComputedStyle(document.querySelector('.picture [fill=\"#ffffff\"]')).fill"
        ink = "getComputedStyle(document.querySelector('.picture [fill=\"#1f2430\"]')).fill"
        assert page.js(paper) == "rgb(22, 25, 31)"
        assert page.js(ink) == "rgb(236, 239, 244)"
        assert page.problems == []


@pytest.mark.parametrize(
    "text",
    [
        f"INPUT(8x8x3) as {'x' * 500} -> CONV(3x3, 4) as {'y' * 500} -> FC(2)",
        "INPUT(8x8x3) -> CONV(3x3, 4) as \u0634\u0628\u0643\u0629 -> FC(2)  # \U0001f642 \u05d0",
        "INPUT(3)",
        "PARAM(3x3) -> RELU",
        "INPUT(8x16x16x1) -> CONV(3x3x3, 4) -> RELU -> POOL -> FC(2)",
    ],
)
def test_any_network_fits_a_phone(tmp_path: Path, text: str) -> None:
    """Long and foreign names, one layer, no input, three axes: each layer and level shows."""
    path = tmp_path / "any.html"
    net = netc.compile(text)
    net.report(path, weights=net.initialize(seed=0))
    with opened(path, width=390) as page:
        page.js("rows.forEach((_, i) => choose(i)), data.levels.forEach((_, i) => show(i))")
        name = list(net.graph.layers)[-1]
        page.js("choose(rows.length - 1)")
        assert page.js("$('panel').querySelector('h3').textContent").endswith(f" {name}")
        assert page.js("document.documentElement.scrollWidth") <= 390
        assert page.problems == []


def test_many_layers_are_painted_soon(tmp_path: Path) -> None:
    """A network of 5,000 layers that no level folds is there within two seconds."""
    path = tmp_path / "deep.html"
    text = "INPUT(16x16x4)" + " -> CONV(3x3, 4) -> BN -> RELU" * 1666 + " -> FC(2)"
    netc.compile(text).report(path)
    with opened(path) as page:
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait(paint)
        assert page.js(paint) < 2_000
        assert page.js("rows.length") > 4_900
        assert page.problems == []


@pytest.mark.skipif(find_spec("axe_core_python") is None, reason="axe-core is not installed")
@pytest.mark.parametrize("report", ["resnet", "trained"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it(report: str, width: int, request: pytest.FixtureRequest) -> None:
    """axe-core finds nothing serious in either theme, and no page is wider than a phone."""
    import axe_core_python

    script = Path(str(axe_core_python.__file__)).with_name("axe.min.js").read_text("utf-8")
    with opened(request.getfixturevalue(report), width=width) as page:
        page.js(script + ";0")
        for dark in ("false", "true"):
            page.js(
                f"theme({dark}), choose(2), drawing.querySelector('.frame') && fold("
                "drawing.querySelector('.frame')), 0"
            )
            found: list[dict[str, Any]] = page.js(
                "axe.run().then(r => r.violations.map(v => ({id: v.id, impact: v.impact,"
                " nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 150))})))"
            )
            assert [each for each in found if each["impact"] in ("serious", "critical")] == []
        assert page.js("document.documentElement.scrollWidth") <= width

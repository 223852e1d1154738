"""The panel of VS Code beside a text: the extension's page in a browser, the server's pictures."""

import base64
import json
import re
from pathlib import Path

import pytest
from support.browser import CHROMIUM, browser
from support.editing import at

from netc.compiler.emit.palette import THEMES
from netc.language_server.pictures import picture

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look with"),
]


def page() -> str:
    """The page, as the extension writes it, with a policy of its own source."""
    text = (EXTENSION / "src" / "page.ts").read_text(encoding="utf-8")
    found = re.search(r"return `(.*)`;", text, re.DOTALL)
    policy = re.search(r"const policy = `(.*)`;", text)
    assert found is not None
    assert policy is not None
    html = found[1].replace("${policy}", policy[1])
    return html.replace("${nonce}", "n0nce").replace("${source}", "'self'")


@pytest.mark.parametrize("theme", THEMES)
def test_the_panel(tmp_path: Path, theme: str) -> None:
    """The picture fits, in the editor's theme, with the layer at the cursor marked."""
    file = tmp_path / "panel.html"
    file.write_text(page().replace("<body>", f'<body class="vscode-{theme}">'), encoding="utf-8")
    chain = "INPUT(28x28) -> [CONV(8) -> RELU -> POOL]*2 -> F¦C -> RELU -> FC(10)"
    found = picture(*at(chain), THEMES[theme])
    with browser(file, width=640, height=900) as panel:
        assert "no errors" in panel.js("document.querySelector('main').textContent")
        panel.js(f"window.postMessage({json.dumps(found)}, '*')")
        panel.wait("document.querySelector('.active') !== null")
        assert panel.js("document.querySelector('.active').dataset.name") == "fc1"
        assert panel.js("document.querySelectorAll('.active').length") == 1
        width = panel.js("document.querySelector('svg').getBoundingClientRect().width")
        assert 100 < width <= 640
        ground = panel.js("getComputedStyle(document.body).backgroundColor")
        drawn = panel.js("getComputedStyle(document.querySelector('svg rect')).fill")
        assert ground == drawn
        assert panel.problems == []
        shot = panel.call("Page.captureScreenshot", format="png")["data"]
        (tmp_path / "panel.png").write_bytes(base64.b64decode(shot))

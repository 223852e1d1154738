"""The notebooks of the manual run, need nothing internal, and are kept without outputs."""

import ast
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
website = runpy.run_path(str(ROOT / "website" / "notebooks.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_file(path: Path) -> None:
    """A notebook of format 4.5 in one form: no outputs, no counts, no metadata of an editor."""
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        if cell["cell_type"] == "code":
            bare: dict[str, Any] = {"execution_count": None, "metadata": {}, "outputs": []}
            assert {name: cell[name] for name in bare} == bare, "clear outputs before committing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_imports_are_public(path: Path) -> None:
    """What a notebook imports of netc is `netc` itself, or a public module."""
    for kind, text in website["cells"](path):
        if kind != "code" or text.startswith("%"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{each.name}" for each in node.names]
            else:
                continue
            ours = {name for name in names if name.split(".")[0] == "netc"}
            assert ours <= {"netc", "netc.show"}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell runs in IPython, shows what it should, and becomes part of a page."""
    pytest.importorskip("IPython")
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    code = [text for kind, text in website["cells"](path) if kind == "code"]
    ran = website["run"](path)
    for text, cell in zip(code, ran, strict=True):
        assert cell.error is None, text
        last = text.splitlines()[-1]
        if last.startswith("SVG("):
            assert "image/svg+xml" in cell.shown[-1]
        if last.startswith("print("):
            assert cell.text.strip()
    page = website["as_page"](path, ran)
    assert page.startswith("# ")
    assert page.count("```") % 2 == 0
    assert "Traceback" not in page


def test_the_manual_names_each() -> None:
    """The page about notebooks links them all, and the site's navigation has them."""
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    navigation = (ROOT / "website" / "mkdocs.yml").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) >= 4
    for path in NOTEBOOKS:
        assert f"](notebooks/{path.name})" in page
        assert f"- notebooks/{path.stem}.md" in navigation

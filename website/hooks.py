"""What the site has besides `docs/`: pages of the repository's root, the API, notebooks that ran.

`docs/` stays readable where the repository is read: its links lead to files, and are led here to
the pages that those became.
"""

import logging
import re
import sys
from functools import cache
from pathlib import Path
from posixpath import join, normpath
from typing import Any

import notebooks
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
# Files outside `docs/` that links name -> the pages that they are here.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "LICENSE": "license.md",
}
_FENCE = re.compile(r"^( *`{3,}\w+) [^\n`]*$", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")
_PICTURE = re.compile(r'<img src="(?=images/)')
_ROW, _CODE = re.compile(r"^\|.*$", re.MULTILINE), re.compile(r"`[^`]*`")
_SHOWN = re.compile(r'<img [^>]*src="([^":]+)"')
_log = logging.getLogger("mkdocs.hooks.netc")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not in `docs/`."""
    docs = files.get_file_from_path("README.md")
    if docs is not None:
        files.remove(docs)  # a list of what the navigation holds
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        is_markdown = source.endswith(".md")
        content = _led(text, source) if is_markdown else f"# {source.title()}\n\n```\n{text}```\n"
        files.append(File.generated(config, page, content=content))
    for path in sorted((ROOT / "website" / "api").glob("*.md")):
        content = path.read_text(encoding="utf-8")
        files.append(File.generated(config, f"api/{path.name}", content=content))
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        content = _notebook(path, path.read_text(encoding="utf-8"))
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=content))
    style = (ROOT / "website" / "site.css").read_text(encoding="utf-8")
    files.append(File.generated(config, "stylesheets/site.css", content=style))
    files.append(File.generated(config, "decisions.md", content=_decisions()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links out of `docs/` to the pages that the files became.

    The words behind a fence's language are for the tests, and MkDocs takes such a fence for none.
    """
    markdown = _FENCE.sub(r"\1", markdown)
    # A page is a folder, which Markdown's own pictures know, and those written as HTML do not.
    up = "../" * (page.file.url.count("/") - page.file.src_uri.count("/"))
    markdown = _PICTURE.sub(rf"\g<0>{up}", markdown)
    markdown = _ROW.sub(lambda row: _CODE.sub(_unescaped, row[0]), markdown)
    if page.file.src_uri in PAGES.values():
        return markdown
    return _led(markdown, f"docs/{page.file.src_uri}")


def _unescaped(code: re.Match[str]) -> str:
    """Code in a table, whose bars GitHub wants escaped, and Python-Markdown wants as they are."""
    return code[0].replace("\\|", "|")


def on_page_content(html: str, page: Any, files: Files, **_: Any) -> str:
    """Warn of pictures that are not there, which `--strict` refuses."""
    known = {file.url for file in files}
    for source in _SHOWN.findall(html):
        if normpath(join(page.url, source)) not in known:
            _log.warning("%s shows `%s`, which is not there", page.file.src_uri, source)
    return html


def _led(text: str, source: str) -> str:
    """A text with links to files outside `docs/` led to pages, and those of pages into `docs/`."""
    here = (ROOT / source).parent

    def lead(match: re.Match[str]) -> str:
        link = match[0]
        if "://" in link or link.startswith("mailto:"):
            return link
        target = (here / link).resolve()
        if not target.is_relative_to(ROOT):
            return link
        name = target.relative_to(ROOT).as_posix()
        if name in PAGES:
            depth = 0 if source in PAGES else source.count("/") - 1
            return "../" * depth + PAGES[name]
        if name.endswith(".ipynb") and here != target.parent:
            return link.removesuffix(".ipynb") + ".md"
        if name == "docs/README.md":
            return "index.md"
        if name == "docs/decisions":
            return "decisions.md"
        return name.removeprefix("docs/") if source in PAGES and name.startswith("docs/") else link

    return _LINK.sub(lead, text)


@cache
def _notebook(path: Path, text: str) -> str:
    """The page of a notebook, which runs again where its text has changed, on this checkout."""
    sys.path.insert(0, str(ROOT / "src"))
    return notebooks.as_page(path, notebooks.run(path))


def _decisions() -> str:
    """A list of the decision records, with their headings."""
    rows = ["# Decisions", "", "Why the compiler is built as it is, half a page each.", ""]
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        head = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        rows.append(f"- [{head}](decisions/{path.name})")
    return "\n".join(rows) + "\n"

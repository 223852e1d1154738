"""Diagnostics of several files -> JSON, GitHub's annotations, and SARIF 2.1.0."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..compiler.lower import Library
from ..grammar.codes import CODES
from ..grammar.diagnostics import Diagnostic
from ..grammar.records import record
from ..grammar.source import Span
from ..network import Network
from ..tables import counted

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@record
class Checked:
    """What was found in one file.

    Attributes:
        file: The file, as it was named.
        network: The network; None where there are errors, and for a library.
        diagnostics: Its errors, or else its warnings.
        strict: Whether warnings are errors.
        library: What a file of blocks and values alone defines.
    """

    file: str
    network: Network | None
    diagnostics: tuple[Diagnostic, ...]
    strict: bool = False
    library: Library | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is an error."""
        return not any(self.level(diagnostic) == "error" for diagnostic in self.diagnostics)

    def level(self, diagnostic: Diagnostic) -> str:
        """`error` or `warning`."""
        return "error" if self.strict else diagnostic.severity

    def to_dict(self) -> dict[str, Any]:
        """The object of a file in JSON."""
        found = [diagnostic.to_dict() for diagnostic in self.diagnostics]
        if self.library is not None:
            defined = {"blocks": self.library.blocks, "values": self.library.values}
            return {"file": self.file, "ok": self.ok, **defined, "diagnostics": found}
        if self.network is None:
            return {"file": self.file, "ok": False, "diagnostics": found}
        counts = self.network.counts
        return {
            "file": self.file,
            "name": self.network.name,
            "ok": self.ok,
            "params": counts.params,
            "trainable": counts.trainable,
            "buffers": counts.buffers,
            "macs": _plain(counts.macs),
            "flops": _plain(counts.flops),
            "layers": len(self.network.graph.layers),
            "inputs": [asdict(spec) for spec in self.network.inputs],
            "outputs": [asdict(spec) for spec in self.network.outputs],
            "diagnostics": found,
        }


def _plain(count: object) -> int | str:
    """A count for JSON: an integer, or the formula where extents are symbolic."""
    return count if isinstance(count, int) else str(count)


def to_json(files: Sequence[Checked]) -> str:
    """A list with an object per file."""
    return json.dumps([checked.to_dict() for checked in files], indent=1)


def to_github(files: Sequence[Checked]) -> str:
    """A workflow command per diagnostic, which GitHub Actions show beside the line."""
    return "\n".join(
        _annotation(checked, diagnostic) for checked in files for diagnostic in checked.diagnostics
    )


def _annotation(checked: Checked, diagnostic: Diagnostic) -> str:
    place: dict[str, Any] = {"file": os.path.normpath(checked.file)}
    if diagnostic.span is not None:
        region = _region(diagnostic.span)
        place = {
            "file": os.path.normpath(diagnostic.span.source.name),
            "line": region["startLine"],
            "col": region["startColumn"],
            "endLine": region["endLine"],
            "endColumn": region["endColumn"],
        }
    place["title"] = f"{diagnostic.severity}[{diagnostic.code}]"
    properties = ",".join(f"{key}={_escaped(value, also=':,')}" for key, value in place.items())
    return f"::{checked.level(diagnostic)} {properties}::{_escaped(_message(diagnostic))}"


def _escaped(value: object, *, also: str = "") -> str:
    """A value as workflow commands spell it."""
    return "".join(f"%{ord(c):02X}" if c in "%\r\n" + also else c for c in str(value))


def _message(diagnostic: Diagnostic) -> str:
    """The message with its notes and its help, a line each."""
    notes = [f"note: {note}" for note in diagnostic.notes]
    help = [] if diagnostic.help is None else [f"help: {diagnostic.help}"]
    return "\n".join([diagnostic.message, *notes, *help])


def to_sarif(files: Sequence[Checked]) -> str:
    """A log in SARIF 2.1.0 with a result per diagnostic."""
    codes = sorted({diagnostic.code for checked in files for diagnostic in checked.diagnostics})
    driver = {
        "name": "netc",
        "version": __version__,
        "rules": [{"id": code, "shortDescription": {"text": CODES[code]}} for code in codes],
    }
    results = [
        _result(checked, diagnostic, codes.index(diagnostic.code))
        for checked in files
        for diagnostic in checked.diagnostics
    ]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _result(checked: Checked, diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    span = diagnostic.span
    related = [
        {
            "id": place,
            "message": {"text": _well_formed(pointer.text)},
            **_location(checked.file, pointer.span),
        }
        for place, pointer in enumerate(diagnostic.also, start=1)
    ]
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": checked.level(diagnostic),
        "message": {"text": _well_formed(_message(diagnostic))},
        "locations": [_location(checked.file, span)],
        **({"relatedLocations": related} if related else {}),
    }


def _well_formed(text: str) -> str:
    """A text without halves of characters, by which a file's name keeps bytes that are no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _location(file: str, span: Span | None) -> dict[str, Any]:
    where: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if span is not None:
        where = {"artifactLocation": {"uri": _uri(span.source.name)}, "region": _region(span)}
    return {"physicalLocation": where}


def _uri(file: str) -> str:
    """A file's address, relative to this folder if it lies in it."""
    path = Path(os.path.normpath(file))
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")


def _region(span: Span) -> dict[str, int]:
    """Lines and columns from 1, as editors count them; the end is after the last character."""
    line, column = span.source.locate_utf16(span.start)
    end_line, end_column = span.source.locate_utf16(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


# What `--format` names, apart from `text`.
FORMS: Mapping[str, Callable[[Sequence[Checked]], str]] = {
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
}


def closing_line(files: Iterable[Checked]) -> str:
    """How many files were checked, and how many errors and warnings they have."""
    files = list(files)
    levels = [each.level(diagnostic) for each in files for diagnostic in each.diagnostics]
    found = [counted(levels.count("error"), "error")]
    if "warning" in levels:
        found.append(counted(levels.count("warning"), "warning"))
    return ", ".join([counted(len(files), "file"), *found])

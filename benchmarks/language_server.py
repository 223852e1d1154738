"""How long `netc lsp` takes to answer an editor that holds a program of 300 lines.

Prints a Markdown table. One server; for each question the median and the longest of 20 answers,
each after a change of the text, so that nothing is known of it.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from lsprotocol import types as lsp
from measure import markdown
from pygls.lsp.client import LanguageClient

URI = "file:///program.net"
REPEAT = 20
LINES = 300


def program() -> str:
    """A chain of convolutions, a layer in each line, every eighth with a label."""
    lines = ["net Long", "let widths = [8, 16, 24, 32]", "INPUT(64x64x3)"]
    for place in range(LINES - len(lines) - 1):
        label = f" as c{place}" if place % 8 == 0 else ""
        layer = (f"CONV(3x3, widths[{place % 4}])", "BN", "RELU")[place % 3]
        lines.append(f"  -> {layer}{label}")
    return "\n".join([*lines, "  -> GAP -> FC(10)"]) + "\n"


Ask = Callable[[LanguageClient, lsp.TextDocumentIdentifier], Awaitable[Any]]
PLACE = lsp.Position(150, 8)
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(LINES, 0))
QUESTIONS: dict[str, Ask] = {
    "completion": lambda c, t: c.text_document_completion_async(lsp.CompletionParams(t, PLACE)),
    "signature help": lambda c, t: c.text_document_signature_help_async(
        lsp.SignatureHelpParams(t, PLACE)
    ),
    "hover": lambda c, t: c.text_document_hover_async(lsp.HoverParams(t, lsp.Position(150, 6))),
    "shapes": lambda c, t: c.text_document_inlay_hint_async(lsp.InlayHintParams(t, WHOLE)),
    "counts": lambda c, t: c.text_document_code_lens_async(lsp.CodeLensParams(t)),
    "outline": lambda c, t: c.text_document_document_symbol_async(lsp.DocumentSymbolParams(t)),
    "folding": lambda c, t: c.text_document_folding_range_async(lsp.FoldingRangeParams(t)),
    "references": lambda c, t: c.text_document_references_async(
        lsp.ReferenceParams(lsp.ReferenceContext(True), t, lsp.Position(1, 6))
    ),
    "formatting": lambda c, t: c.text_document_formatting_async(
        lsp.DocumentFormattingParams(t, lsp.FormattingOptions(2, True))
    ),
}


async def measure() -> list[list[str]]:
    """A row for each question."""
    client = LanguageClient("benchmark", "1")
    await client.start_io(sys.executable, "-m", "netc", "lsp")
    await client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    text, version = program(), 1
    client.text_document_did_open(
        lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(URI, "net", version, text))
    )
    rows = []
    for name, ask in QUESTIONS.items():
        times = []
        for _ in range(REPEAT):
            version += 1
            changed = f"{text}# {version}\n"
            client.text_document_did_change(
                lsp.DidChangeTextDocumentParams(
                    lsp.VersionedTextDocumentIdentifier(version, URI),
                    [lsp.TextDocumentContentChangeWholeDocument(changed)],
                )
            )
            start = time.perf_counter()
            await ask(client, lsp.TextDocumentIdentifier(URI))
            times.append(1000 * (time.perf_counter() - start))
        rows.append([name, f"{median(times):.0f}", f"{max(times):.0f}"])
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]  # of pygls
    return rows


def main() -> None:
    """Measure every question and print the table."""
    print(markdown(["question", "ms", "longest"], asyncio.run(measure())))


if __name__ == "__main__":
    main()

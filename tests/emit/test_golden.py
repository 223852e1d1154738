"""Golden files: a program, and what it becomes step by step, each as text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from netc.compiler.emit.dot import to_dot
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType
from netc.compiler.ir.verify import verify
from netc.compiler.passes.block_channels import block_channels
from netc.compiler.passes.cancel_reshapes import cancel_reshapes
from netc.compiler.passes.cancel_transposes import cancel_transposes
from netc.compiler.passes.eliminate_common_subexpressions import eliminate_common_subexpressions
from netc.compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from netc.compiler.passes.fold_constants import fold_constants
from netc.compiler.passes.fold_normalizations import fold_normalizations
from netc.compiler.passes.half_precision import half_precision
from netc.compiler.passes.remove_identities import remove_identities
from netc.compiler.passes.set_mode import set_mode
from netc.compiler.training.train_step import expose_parameters

FILES = sorted((Path(__file__).parent / "golden").glob("*.txt"))
MARK = "--- "

# What a section's title stands for: it transforms the graph of the section before it.
PASSES: dict[str, Callable[[Graph], Graph]] = {
    "lower": lambda graph: graph,
    "inference": lambda graph: set_mode(graph, training=False),
    "training": lambda graph: set_mode(graph, training=True),
    "block_channels": lambda graph: block_channels(graph, 16),
    "cancel_reshapes": cancel_reshapes,
    "cancel_transposes": cancel_transposes,
    "eliminate_common_subexpressions": eliminate_common_subexpressions,
    "eliminate_dead_nodes": eliminate_dead_nodes,
    "expose_parameters": expose_parameters,
    "fold_constants": fold_constants,
    "fold_normalizations": fold_normalizations,
    "float16": lambda graph: half_precision(graph, DType.FLOAT16),
    "bfloat16": lambda graph: half_precision(graph, DType.BFLOAT16, keep_io_types=False),
    "remove_identities": remove_identities,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_golden(file: Path, graph_of: Callable[[str], Graph], update_golden: bool) -> None:
    """Each step of each program gives the text in its file, and leaves the graph before alone."""
    text = file.read_text(encoding="utf-8")
    program, *sections = text.split(f"\n{MARK}")
    graph = graph_of(program)
    found = program
    for title in (section.splitlines()[0] for section in sections):
        if title == "dot":
            found += f"\n{MARK}dot\n{to_dot(graph)}"
            continue
        before = to_text(graph)
        result = PASSES[title](graph)
        verify(result, after=title)
        assert to_text(graph) == before
        graph = result
        found += f"\n{MARK}{title}\n{to_text(graph)}"
    if update_golden:
        file.write_text(found, encoding="utf-8")
        text = found
    assert found == text


def test_golden_files_are_there() -> None:
    """The folder of golden files is found, and every pass has one."""
    texts = [file.read_text(encoding="utf-8") for file in FILES]
    for title in (*PASSES, "dot"):
        assert any(f"\n{MARK}{title}\n" in text for text in texts), title

"""The rules of the architecture that can be read off the source: who imports whom, how much."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# In the order in which imports may look back.
LEVELS = {"specs": 0, "grammar": 1, "compiler": 2, "runtime": 3, "face": 4}
# Within a part, from the bottom up; a package imports those before it.
ORDERS = {
    "grammar": (
        *("records", "source", "ast", "remarks", "codes", "diagnostics", "explanations", "limits"),
        *("files", "toml", "lexing", "translation", "syntax_failures", "parsing", "formatting"),
    ),
    "compiler": (
        *("ir", "ops", "onnx_standard", "passes", "expressions", "layers"),
        *("analysis", "training", "model", "onnx_import", "lower", "emit", "pictures", "pipeline"),
        "decompile",
    ),
    "runtime": (
        *("extras", "kerneldef", "arrays", "weights", "kernels", "ranks", "engines", "data"),
        *("metrics", "feeding"),
        *("run_folder", "plots", "inference", "training", "inspection", "monitoring", "sanity"),
        *("learning_curves", "benchmarking", "bulk"),
    ),
    "face": (
        *("choices", "callbacks", "data", "sources", "lets", "arrays", "tensor_specs", "tables"),
        "optimizers",
        *(
            "array_text",
            "summary",
            "exports",
            "training",
            "gradients",
            "gradient_checks",
            "chain_rules",
        ),
        *("drawing", "benchmarks", "scaling", "programs", "evaluation", "prediction"),
        *("bulk_prediction", "cross_validation", "inspection"),
        *("report", "live_curves"),
        *("training_bar", "trainable", "evaluable", "network", "loading", "notebook", "comparison"),
        *("records", "show"),
        *("sklearn", "onnx_backend", "pygments_lexer", "language_server", "cli"),
    ),
    "face/cli": (
        "streams",
        "groups",
        "completion",
        "terminal",
        "ranks",
        "options",
        "weights",
        "findings",
        "commands",
    ),
}
MAX_LINES = 600  # 400 is a signal to look for a second idea; this says that nobody did

# Where a third-party package may enter; a package that is not here may enter nowhere.
ENTRANCES = {
    "IPython": ["src/netc/live_curves.py"],
    "PIL": ["runtime/data/picture_files.py"],
    "click": ["src/netc/cli/*"],
    "google": ["compiler/onnx_import/read.py"],  # protobuf, which comes with onnx
    "lark": ["grammar/lexing/lark_tables.py"],
    "lsprotocol": ["src/netc/language_server/*"],
    "matplotlib": [f"runtime/plots/{name}.py" for name in ("canvas", "glyphs", "scenes")],
    "ml_dtypes": ["runtime/arrays/element_types.py"],
    "mpi4py": ["runtime/ranks/team.py"],
    "networkx": ["compiler/ir/graph.py"],
    "numpy": [
        "compiler/emit/*",
        "compiler/onnx_standard/*",
        "compiler/onnx_import/*",
        "runtime/*",
        "src/netc/*",
    ],
    "onnx": [
        "compiler/emit/onnx/*",
        "compiler/onnx_standard/*",
        "compiler/onnx_import/*",
        "runtime/engines/fallback.py",
        "src/netc/onnx_backend.py",
    ],
    "onnxruntime": ["runtime/engines/session.py"],
    "pyarrow": ["runtime/data/parquet.py"],
    "pygls": ["src/netc/language_server/server.py", "src/netc/cli/commands/lsp.py"],
    "pygments": ["src/netc/pygments_lexer.py"],
    "ray": ["runtime/bulk/on_ray.py"],
    "rich": ["src/netc/training_bar.py"],
    "safetensors": ["runtime/*"],
    "sklearn": ["src/netc/sklearn.py"],
    "tensorboard": ["runtime/training/event_files.py"],
    "threadpoolctl": ["runtime/engines/threads.py"],
    "torch": ["runtime/benchmarking/*", "runtime/weights/torch_file.py"],
}

# Files whose functions import others of ours, so that most programs start faster.
LATE = {
    *(f"compiler/{name}.py" for name in ("lower/advice", "lower/references", "lower/statements")),
    *("compiler/pipeline.py", "grammar/lexing/tables.py", "grammar/parsing/parser.py"),
    "grammar/syntax_failures/imported.py",
    "grammar/syntax_failures/spacing.py",
    *(f"grammar/translation/{name}.py" for name in ("programs", "statements")),
    "runtime/benchmarking/contenders.py",
    "src/netc/cli/commands/lsp.py",  # whose package is optional
    "src/netc/language_server/completion.py",  # metrics, which need NumPy
    *("runtime/engines/engine.py", "runtime/engines/fallback.py", "runtime/training/run.py"),
    *(
        f"src/netc/{name}.py"
        for name in (
            "bulk_prediction",
            "choices",
            "drawing",
            "evaluable",
            "loading",
            "network",
            "trainable",
        )
    ),
}

HEAVY = {
    "lark",
    "matplotlib",
    "mpi4py",
    "networkx",
    "numpy",
    "onnx",
    "onnxruntime",
    "rich",
    "torch",
}


def _modules() -> list[Path]:
    """Every module of the product, each once: the links in src/netc are left out."""
    parts = [f for part in LEVELS if part != "face" for f in (ROOT / part).rglob("*.py")]
    face = ROOT / "src" / "netc"
    own = [f for f in face.rglob("*.py") if f.relative_to(face).parts[0] not in LEVELS]
    return sorted(parts + own)


def _dotted(module: Path) -> list[str]:
    """The names of a module's package: `compiler/ops/linear.py` is in `netc compiler ops`."""
    parts = module.relative_to(ROOT).parts
    return [*(parts[1:-1] if parts[0] == "src" else ("netc", *parts[:-1]))]


def _imports(module: Path) -> Iterator[str]:
    """The absolute names of all that a module imports, in functions and for types, too."""
    yield from _imports_of(ast.parse(module.read_text(encoding="utf-8")), module)


def _imports_of(part: ast.AST, module: Path) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _dotted(module)
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*origin, alias.name]) for alias in node.names)


def _part(dotted: list[str]) -> str:
    return dotted[1] if len(dotted) > 1 and dotted[1] in LEVELS else "face"


@pytest.mark.parametrize("module", _modules(), ids=lambda m: str(m.relative_to(ROOT)))
def test_imports_go_one_way(module: Path) -> None:
    """Imports go grammar <- compiler <- runtime <- face, and a package enters only where it may."""
    here = module.relative_to(ROOT).as_posix()
    own = _part(_dotted(module))
    for name in _imports(module):
        top, *_ = name.split(".")
        if top == "netc":
            other = _part(name.split("."))
            assert LEVELS[other] <= LEVELS[own], f"{here}: {own} imports {other} ({name})"
        elif top not in sys.stdlib_module_names:
            entrances = ENTRANCES.get(top, [])
            assert any(fnmatch(here, e) for e in entrances), f"{here} may not import {top}"


def test_imports_stand_at_the_top() -> None:
    """Functions import slow or optional packages, and modules of ours only in files of a list."""
    late: set[str] = set()
    for module in _modules():
        here = module.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                tops = {name.partition(".")[0] for name in _imports_of(node, module)}
                late |= {here} if "netc" in tops else set()
                others = tops - {"netc"} - set(ENTRANCES)
                assert not others, f"{here}: {node.name} imports {', '.join(others)}"
    assert late == LATE


@pytest.mark.parametrize("part", ORDERS)
def test_packages_have_an_order(part: str) -> None:
    """Within a part a package imports only those below it; none is missing in the table."""
    order, top, *inner = ORDERS[part], *part.split("/")
    prefix = ["netc", *([] if top == "face" else [top]), *inner]
    for module in _modules():
        name = [*_dotted(module), module.stem]
        if _part(name) != top or name[: len(prefix)] != prefix or module.stem.startswith("__"):
            continue
        own = name[len(prefix)]
        parts = [n.split(".") for n in _imports(module) if _part(n.split(".")) == top]
        found = [other[len(prefix)] for other in parts if other[: len(prefix)] == prefix]
        above = {other for other in found if not other.startswith("__")} - {own}
        above -= set(order[: order.index(own)])
        assert not above, f"{module.relative_to(ROOT)} imports from {', '.join(sorted(above))}"


def test_no_module_imports_itself() -> None:
    """No chain of imports leads back to where it starts, in functions and for types, too."""
    names = {".".join([*_dotted(m), m.stem]).removesuffix(".__init__"): m for m in _modules()}
    above = {
        name: {n if n in names else n.rpartition(".")[0] for n in _imports(module)} & set(names)
        for name, module in names.items()
        if name != "netc"  # which loads each of its names on first use
    }
    TopologicalSorter({name: found - {name} for name, found in above.items()}).prepare()


def test_files_are_short() -> None:
    """One file, one idea: no file of ours is longer than it can be read in one go."""
    folders = ["grammar", "compiler", "runtime", "specs", "src", "tests", "benchmarks", ".ci"]
    files = [f for folder in folders for f in (ROOT / folder).rglob("*.py") if not _linked(f)]
    lengths = {f.relative_to(ROOT).as_posix(): len(f.read_bytes().splitlines()) for f in files}
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def _linked(file: Path) -> bool:
    return any(parent.is_symlink() for parent in file.parents)


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import netc"], ["-m", "netc", "--help"]],
    ids=["import", "help"],
)
def test_start_is_light(arguments: list[str]) -> None:
    """`import netc` and `netc --help` load none of the heavy packages."""
    loaded = _loaded(arguments)
    assert "netc" in loaded
    assert loaded & HEAVY == set()


def test_checks_are_light() -> None:
    """A program whose layers hold constants is checked without NumPy, which is slow to load.

    Lark only makes tables, which are kept.
    """
    check = ["-m", "netc", "check", str(ROOT / "specs" / "transformers" / "vit_b_16.net")]
    assert _loaded(check) & HEAVY <= {"lark"}
    assert _loaded(check) & HEAVY == set()


def _loaded(arguments: list[str]) -> set[str]:
    """The packages that Python loads."""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    rows = [row for row in run.stderr.splitlines() if row.startswith("import time:")]
    return {row.rsplit("|", 1)[1].strip().split(".")[0] for row in rows}

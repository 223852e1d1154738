"""How long networks are in netc, in PyTorch and in Keras: lines and tokens of what defines them.

Prints two Markdown tables. The others' code is that of torchvision and of Keras' applications as
they are installed, read and not run: `pip install --no-deps torchvision==0.28.0 keras==3.15.1`.

What counts is what a network is made of: from its spec, or from the function that builds it, all
definitions that it names, directly or through others, in the same package: blocks, functions and
values of the shipped library; classes, functions and constants of torchvision and of Keras'
applications, but not of PyTorch or Keras themselves. Of the specs all counts but comments,
assertions included. Of Python neither comments and docstrings count, nor imports, decorators,
annotations, and what is about published weights, logging and the checks of options (`ASIDE`). A
line counts where a token begins.

The second table has networks that the tests compare with PyTorch modules of nothing but what
these need, in `tests/support/torch_zoo.py`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from measure import markdown

from netc.grammar.ast import ImportStatement, Module, Statement
from netc.grammar.lexing.lexer import tokens
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source
from netc.sources import zoo

# spec: the function that builds it, in torchvision's models and in Keras' applications.
NETWORKS = {
    "alexnet_torchvision": ("alexnet:alexnet", None),
    "vgg16": ("vgg:vgg16", "vgg16:VGG16"),
    "googlenet": ("googlenet:googlenet", None),
    "inception_v3": ("inception:inception_v3", "inception_v3:InceptionV3"),
    "resnet50": ("resnet:resnet50", "resnet:ResNet50"),
    "densenet121": ("densenet:densenet121", "densenet:DenseNet121"),
    "squeezenet1_1": ("squeezenet:squeezenet1_1", None),
    "mobilenet_v2": ("mobilenetv2:mobilenet_v2", "mobilenet_v2:MobileNetV2"),
    "mobilenet_v3_large": ("mobilenetv3:mobilenet_v3_large", "mobilenet_v3:MobileNetV3Large"),
    "shufflenet_v2_x1_0": ("shufflenetv2:shufflenet_v2_x1_0", None),
    "efficientnet_b0": ("efficientnet:efficientnet_b0", "efficientnet:EfficientNetB0"),
    "regnet_y_400mf": ("regnet:regnet_y_400mf", None),
    "convnext_tiny": ("convnext:convnext_tiny", "convnext:ConvNeXtTiny"),
    "vit_b_16": ("vision_transformer:vit_b_16", None),
    "swin_t": ("swin_transformer:swin_t", None),
    "maxvit_t": ("maxvit:maxvit_t", None),
    "deeplabv3_resnet50": ("segmentation/deeplabv3:deeplabv3_resnet50", None),
    "r2plus1d_18": ("video/resnet:r2plus1d_18", None),
    "s3d": ("video/s3d:s3d", None),
}
BY_HAND = (
    *("resnet18", "vgg16", "mobilenet_v2", "mnasnet0_5", "densenet121", "mixer_b_16"),
    *("unet_plus_plus", "tcn_mnist", "wavenet", "pointnet"),
)
MODULES = Path(__file__).resolve().parents[1] / "tests" / "support" / "torch_zoo.py"
DEFINES = re.compile(r"(?:block|let)\s+\(?([\w,\s]+)")
HEAD = ("lines / tokens", "spec", "its part of the library", "both")
FOLDERS = {"torchvision": "models", "keras": "src/applications"}

# Published weights, checks of options, and logging.
ASIDE = re.compile(
    r".*_Weights|WEIGHTS_.*|BASE_.*PATH|.*_DOCSTRING|.*_WEIGHTS.*|_ovewrite_.*|_log_api_usage_once"
    r"|.*_WEIGHT_PATH.*|WeightsEnum|register_model|handle_legacy_interface"
    r"|validate_activation|obtain_input_shape"
)


@dataclass(frozen=True)
class Size:
    """How long some text is."""

    lines: int = 0
    tokens: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.lines + other.lines, self.tokens + other.tokens)

    def __str__(self) -> str:
        return f"{self.lines:,} / {self.tokens:,}"


@dataclass(frozen=True)
class File:
    """A file of a package."""

    folder: Path
    path: Path

    def module(self, level: int, name: str | None) -> "File | None":
        """A module that an import names, if it is one of this package."""
        parts = (name or "").split(".")
        if level:
            base = self.path.parents[level - 1]
        elif parts[0] == self.folder.name:
            base, parts = self.folder, parts[1:]
        else:
            return None
        found = base.joinpath(*parts)
        paths = (found.with_suffix(".py"), found / "__init__.py")
        return next((File(self.folder, path) for path in paths if path.is_file()), None)


Definition = tuple[File, ast.stmt]


def of_spec(name: str) -> tuple[Size, Size]:
    """A spec's own size, and that of what it takes from the library."""
    path = next(p for full, p in zoo().items() if name in (full, full.rpartition("/")[2]))
    module = _parsed(path)
    definitions, always = _library(module, path.parents[1] / "lib")
    reached: dict[str, str] = {}
    pending = [module.source.text]
    while pending:
        for word in set(re.findall(r"[A-Za-z_]\w*", _bare(pending.pop()))):
            if word in definitions and word not in reached:
                reached[word] = definitions[word][1]
                pending.append(reached[word])
    files = {definitions[word][0] for word in reached}
    held = [*dict.fromkeys(reached.values())]
    held += [text for file in files for text in always.get(file, ())]
    return _net_size(module.source.text), sum(map(_net_size, held), Size())


def _library(
    module: Module, folder: Path
) -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
    """What imported files define, by name, with its file; and what holds for a whole file."""
    definitions: dict[str, tuple[str, str]] = {}
    always: dict[str, list[str]] = {}
    pending = [module]
    while pending:
        for file in filter(None, map(_imported, pending.pop().statements)):
            if file in always:
                continue
            always[file] = []
            pending.append(_parsed(folder / file))
            for statement in pending[-1].statements:
                text = statement.span.text
                names = DEFINES.match(text)
                if names is None:
                    always[file].append(text)
                for name in re.findall(r"\w+", names[1]) if names else ():
                    definitions.setdefault(name, (file, text))
    return definitions, always


def _imported(statement: Statement) -> str | None:
    """The file of the library that a statement imports."""
    found = re.search(r'"lib:(.*?)"', statement.span.text)
    return found[1] if found and isinstance(statement, ImportStatement) else None


def _parsed(path: Path) -> Module:
    return parse(Source(path.name, path.read_text(encoding="utf-8")))


def _bare(text: str) -> str:
    return re.sub(r"#.*", "", text)


def _net_size(text: str) -> Size:
    bare = _bare(text)
    lines = [line for line in bare.splitlines() if line.strip()]
    return Size(len(lines), sum(1 for _ in tokens(bare)))


def of_package(package: str, place: str) -> Size | None:
    """The size of what a function builds a network from; None where the package is not there."""
    found = find_spec(package)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    path, _, name = place.partition(":")
    return of_function(File(folder, folder / FOLDERS[package] / f"{path}.py"), name)


def of_function(file: File, name: str) -> Size:
    """The size of a function and of all that it names."""
    reached: dict[tuple[Path, int], Definition] = {}
    pending = list(_defined(file, name))
    while pending:
        held, statement = pending.pop()
        if (held.path, statement.lineno) in reached:
            continue
        reached[held.path, statement.lineno] = held, statement
        for used in _names(statement):
            if not any(map(ASIDE.fullmatch, used.split("."))):
                pending += _defined(held, used)
    return sum((_python_size(*definition) for definition in reached.values()), Size())


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _defined(file: File, name: str) -> Iterator[Definition]:
    """What a name of a file stands for, in that file or where it is imported from."""
    name, _, attribute = name.partition(".")
    for statement in _tree(file.path).body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) != name:
                    continue
                inner = ".".join(filter(None, (statement.module, alias.name)))
                module = file.module(statement.level, inner)
                if module is not None and attribute:
                    yield from _of_package(module, attribute)
                elif (module := file.module(statement.level, statement.module)) is not None:
                    yield from _of_package(module, alias.name)
        elif name in _bound(statement) and not attribute:
            yield file, statement


def _of_package(file: File, name: str) -> Iterator[Definition]:
    """What a name of another file stands for: of Keras, its applications alone."""
    if file.folder.name != "keras" or FOLDERS["keras"] in file.path.as_posix():
        yield from _defined(file, name)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _names(statement: ast.stmt) -> set[str]:
    """The names that a statement uses, and attributes of names."""
    found: set[str] = set()
    for node in _walked(statement):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that `_left_out` leaves out."""
    yield node
    left_out = set(map(id, _left_out(node)))
    for child in ast.iter_child_nodes(node):
        if id(child) not in left_out:
            yield from _walked(child)


def _left_out(node: ast.AST) -> Iterable[ast.AST]:
    """Decorators, annotations and docstrings of a node."""
    yield from getattr(node, "decorator_list", ())
    for name in ("annotation", "returns"):
        if (part := getattr(node, name, None)) is not None:
            yield part
    body = getattr(node, "body", None)
    for statement in body if isinstance(body, list) else ():
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield statement


def _python_size(file: File, statement: ast.stmt) -> Size:
    text = file.path.read_text(encoding="utf-8")
    spans = [
        ((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0))
        for node in _walked(statement)
        for part in _left_out(node)
        if isinstance(part, ast.expr | ast.stmt)
    ]
    first, last = statement.lineno, statement.end_lineno or 0
    lines: set[int] = set()
    count = 0
    for token in _tokens(text):
        within = first <= token.start[0] <= last
        if within and not any(start <= token.start < end for start, end in spans):
            lines.add(token.start[0])
            count += 1
    return Size(len(lines), count)


@cache
def _tokens(text: str) -> list[tokenize.TokenInfo]:
    """The tokens that a reader reads."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    layout |= {tokenize.ENCODING, tokenize.ENDMARKER}
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in read if token.type not in layout]


def published() -> list[list[str]]:
    """A row for each network that torchvision has."""
    rows = []
    for name, (torchvision, keras) in NETWORKS.items():
        places = (("torchvision", torchvision), ("keras", keras))
        others = [of_package(package, place) if place else None for package, place in places]
        rows.append([*of_netc(name), *("" if size is None else str(size) for size in others)])
    return rows


def by_hand() -> list[list[str]]:
    """A row for each network that the tests have as a PyTorch module."""
    file = File(MODULES.parent, MODULES)
    return [[*of_netc(name), str(of_function(file, name))] for name in BY_HAND]


def of_netc(name: str) -> list[str]:
    """The first columns of a row."""
    own, library = of_spec(name)
    return [name, *map(str, (own, library, own + library))]


def main() -> None:
    """Count and print the tables."""
    print(markdown([*HEAD, "torchvision", "Keras"], published()))
    print()
    print(markdown([*HEAD, "PyTorch"], by_hand()))


if __name__ == "__main__":
    main()

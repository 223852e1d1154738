"""`import`: what comes in, where it is looked for, and what goes wrong."""

from pathlib import Path

import pytest
from support.refusals import refusal

import netc

BLOCKS = """\
let width = 8
default CONV(3x3, bias=no)
block Unit(c) {
  CONV(c) -> RELU
}
"""
USE = 'import "blocks.net"\nINPUT -> Unit(width) -> CONV(5x5, 4) as last -> GAP -> FC\n'


def write(folder: Path, **files: str) -> str:
    """Write files, `__` in a name for a folder's separator; returns the path of `main`."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.net"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder / "main.net")


def refused(path: str) -> str:
    """The rendered errors of a file, its folder's name left out."""
    return refusal(netc.load, path).replace(str(Path(path).parent) + "/", "")


def test_lets_and_blocks_come_in(tmp_path: Path) -> None:
    """An imported file's `let`s and blocks are at hand as if they stood there."""
    network = netc.load(write(tmp_path, main=USE, blocks=BLOCKS))
    assert "unit1.conv1.weight" in network.graph.parameters
    assert network.graph.parameters["unit1.conv1.weight"].shape == (8, 3, 3, 3)


def test_defaults_stay_in_their_file(tmp_path: Path) -> None:
    """A `default` holds in the blocks of its own file, and not where they are imported."""
    parameters = netc.load(write(tmp_path, main=USE, blocks=BLOCKS)).graph.parameters
    assert "unit1.conv1.bias" not in parameters
    assert "last.bias" in parameters


def test_chains_and_assertions_stay_in_their_file(tmp_path: Path) -> None:
    """A file that is a network as well can be imported: its chains add nothing."""
    blocks = BLOCKS + "INPUT -> Unit(4) -> FC\nassert params == 1\n"
    alone = netc.load(write(tmp_path, main=USE, blocks=BLOCKS))
    assert netc.load(write(tmp_path, main=USE, blocks=blocks)).params == alone.params


def test_paths_are_relative_to_the_importing_file(tmp_path: Path) -> None:
    """A file in a folder imports from that folder, wherever the run starts."""
    main = 'import "parts/a.net"\nINPUT -> A -> FC\n'
    inner = 'import "b.net"\nblock A { CONV(3x3, n) }\n'
    path = write(tmp_path, main=main, parts__a=inner, parts__b="let n = 5\n")
    assert netc.load(path).graph.parameters["a1.conv1.weight"].shape[0] == 5


def test_the_library(tmp_path: Path) -> None:
    """`lib:` imports a shipped file."""
    found = netc.load("zoo:resnet18")
    text = Path(found.model.origin).read_text()
    assert 'import "lib:' in text
    assert netc.load(write(tmp_path, main=text)).params == found.params


def test_a_file_that_is_imported_twice(tmp_path: Path) -> None:
    """Files that share a third are no cycle, however often the sharing goes on."""
    files = {f"a{i}": f'import "a{i + 1}.net"\nimport "./a{i + 1}.net"\n' for i in range(40)}
    path = write(tmp_path, main='import "a0.net"\nINPUT -> FC(n)\n', a40="let n = 3\n", **files)
    assert netc.load(path).outputs[0].shape == ("N", 3)


def test_own_names_go_first(tmp_path: Path) -> None:
    """A block of the file itself hides an imported one."""
    main = 'import "blocks.net"\nblock Unit(c) { ID }\nINPUT(4) -> Unit(1) -> FC(2)\n'
    assert netc.load(write(tmp_path, main=main, blocks=BLOCKS)).params == 10


def test_cycle(tmp_path: Path) -> None:
    """Files that import each other are refused, and the cycle is shown."""
    path = write(
        tmp_path,
        main='import "a.net"\nINPUT -> FC\n',
        a='import "b.net"\n',
        b='import "a.net"\n',
    )
    assert refused(path) == (
        "error[E121]: files import each other: a.net -> b.net -> a.net\n"
        "  --> b.net:1:1\n"
        "   |\n"
        ' 1 | import "a.net"\n'
        "   | ^^^^^^^^^^^^^^"
    )


def test_a_file_that_imports_itself(tmp_path: Path) -> None:
    """The shortest cycle is one, too."""
    text = refused(write(tmp_path, main='import "main.net"\nINPUT -> FC\n'))
    assert "files import each other: main.net -> main.net" in text


def test_imports_nested_too_deep(tmp_path: Path) -> None:
    """A line of files longer than the limit on nesting is refused, not followed."""
    files = {f"a{i}": f'import "a{i + 1}.net"\n' for i in range(150)}
    path = write(tmp_path, main='import "a0.net"\nINPUT -> FC\n', a150="let n = 1\n", **files)
    assert "error[E402]: imports nested more than 100 levels deep" in refused(path)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is told at the import."""
    assert refused(write(tmp_path, main='import "parts/none.net"\nINPUT -> FC\n')) == (
        "error[E001]: cannot read `parts/none.net`: no such file or folder\n"
        "  --> main.net:1:1\n"
        "   |\n"
        ' 1 | import "parts/none.net"\n'
        "   | ^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   |\n"
        "   = help: check the path"
    )


def test_wrong_syntax_in_the_imported_file(tmp_path: Path) -> None:
    """An error is shown where it is, in the imported file."""
    text = refused(write(tmp_path, main=USE, blocks="let width = 8\nblock Unit(c) {\n"))
    assert "--> blocks.net:2:15" in text
    assert "main.net" not in text


def test_wrong_layer_in_an_imported_block(tmp_path: Path) -> None:
    """An error in a block points into its file, and from there to the call."""
    blocks = BLOCKS.replace("RELU", "RELUU")
    assert refused(write(tmp_path, main=USE, blocks=blocks)) == (
        "error[E101]: unknown layer `RELUU`\n"
        "  --> blocks.net:4:14\n"
        "   |\n"
        " 4 |   CONV(c) -> RELUU\n"
        "   |              ^^^^^\n"
        "  ::: main.net:2:10\n"
        "   |\n"
        " 2 | INPUT -> Unit(width) -> CONV(5x5, 4) as last -> GAP -> FC\n"
        "   |          ---- in this call of `Unit`\n"
        "   |\n"
        "   = help: did you mean `RELU`?"
    )


def test_wrong_value_in_the_imported_file(tmp_path: Path) -> None:
    """A `let` that cannot be computed is shown where it stands."""
    text = refused(write(tmp_path, main=USE, blocks="let width = 1 // 0\n" + BLOCKS))
    assert "error[E303]: division by zero\n  --> blocks.net:1:18" in text


OUTSIDE = ("../a.net", "parts/../../a.net", "/a.net", "lib:../lenet5.net", "lib:/etc/passwd")


@pytest.mark.parametrize("target", OUTSIDE)
def test_paths_that_leave_their_folder(target: str, tmp_path: Path) -> None:
    """Neither the importing file's folder nor the library can be left."""
    (tmp_path / "a.net").write_text("let n = 1\n")
    path = write(tmp_path / "inner", main=f'import "{target}"\nINPUT -> FC\n')
    text = refused(path)
    assert text.startswith(f"error[E120]: the import `{target}` leaves its folder\n")
    assert "  --> main.net:1:1\n" in text


HIDING = {
    "two imports": ('import "a.net"\nimport "b.net"\n', 3, ["block `B`", "value `k`"]),
    "the other order": ('import "b.net"\nimport "a.net"\n', 5, ["block `B`", "value `k`"]),
    "own": ('import "a.net"\nblock B { ID }\nlet k = 7\n', 7, ["block `B`", "value `k`"]),
    "own before": ('let k = 7\nblock B { ID }\nimport "a.net"\n', 7, ["block `B`", "value `k`"]),
    "through another": ('import "c.net"\nimport "b.net"\n', 3, ["block `B`", "value `k`"]),
    "in an import": ('import "d.net"\n', 9, ["value `k`"]),
    "the same twice": ('import "a.net"\nimport "a.net"\n', 3, []),
    "on two ways": ('import "a.net"\nimport "c.net"\n', 3, []),
}


@pytest.mark.parametrize("case", HIDING)
def test_a_definition_that_hides_an_imported_one_is_warned_of(case: str, tmp_path: Path) -> None:
    """A file's own definitions hold before imported ones, and of these the first; each is told."""
    (tmp_path / "a.net").write_text("block B { RELU }\nlet k = 3\n")
    (tmp_path / "b.net").write_text("block B { TANH }\nlet k = 5\n")
    (tmp_path / "c.net").write_text('import "a.net"\n')
    (tmp_path / "d.net").write_text('import "a.net"\nlet k = 9\n')
    imports, kept, hidden = HIDING[case]
    (tmp_path / "net.net").write_text(
        f"{imports}INPUT(3) -> FC(k) as f -> B\nassert shape(f) == k\n"
    )
    net = netc.load(tmp_path / "net.net")
    assert net.graph.layers["f"].arguments["units"] == kept
    found = sorted(w.message for w in net.warnings if w.code == "W109")
    assert found == [f"the {n} hides another {n.split()[0]} of that name" for n in hidden]
    assert all(len(w.also) == 1 for w in net.warnings if w.code == "W109")


NAMED = """\
let width = 8
let twice(x) = 2 * _once(x)
let _once(x) = x
block Unit(c) { CONV(3x3, c) as conv -> _Rest }
block _Rest { RELU }
"""


def test_a_named_import(tmp_path: Path) -> None:
    """Blocks, functions and values of a file go by its name, in blocks and assertions, too."""
    main = (
        'import "blocks.net" as b\nimport "./blocks.net" as other\n'
        "block Own(c) { b.Unit(c) -> other.Unit(b.width) as last }\n"
        "INPUT(4x4x3) -> b.Unit(b.twice(b.width)) -> b.Unit(4) as u -> Own(b.twice(1))\n"
        "assert params(u) == b.twice(288) + 4\n"
    )
    net = netc.load(write(tmp_path, main=main, blocks=NAMED))
    weights = {path: value.shape[0] for path, value in net.graph.parameters.items()}
    assert {path: n for path, n in weights.items() if path.endswith("weight")} == {
        "unit1.conv.weight": 16,
        "u.conv.weight": 4,
        "own1.unit1.conv.weight": 2,
        "own1.last.conv.weight": 8,
    }
    assert net.warnings == ()


def test_a_block_without_arguments_of_a_named_import(tmp_path: Path) -> None:
    """It is a bare word, which may start a branch."""
    main = 'import "a.net" as a\nINPUT(3) -> ( a.B | ID ) -> ADD -> FC(2)\n'
    net = netc.load(write(tmp_path, main=main, a="block B { FC(3) }\n"))
    assert "b1.fc1.weight" in net.graph.parameters


@pytest.mark.parametrize("cell", ["a.Cell", "a.Cell(4)", "a.Cell(n=a.width // 2)"])
def test_a_layer_that_takes_a_block_of_an_import(cell: str, tmp_path: Path) -> None:
    """Layers that call blocks call those of imports; its functions are still known there."""
    main = f'import "a.net" as a\nINPUT(5x3, sequence) -> SCAN({cell}, states=4) as s -> FC(2)\n'
    inner = "let width = 8\nblock Cell(n=4; x, h) { ( x | h ) -> CONCAT -> FC(n) -> TANH }\n"
    net = netc.load(write(tmp_path, main=main, a=inner))
    assert net.graph.parameters["s.fc1.weight"].shape == (4, 7)
    wrong = main.replace("a.Cell", "a.Cel")
    assert "error[E101]: `a` has no value or function `Cel`" in refused(
        write(tmp_path, main=wrong, a=inner)
    )


def test_what_a_file_imports_is_its_own(tmp_path: Path) -> None:
    """A name of an import and what starts with `_` stay in their file."""
    inner = f'import "named.net" as n\n{NAMED}block Of(c) {{ n.Unit(c) }}\n'
    for use, found in (("_Rest", "_Rest"), ("n.Unit(3)", "n")):
        path = write(tmp_path, main=f'import "a.net"\nINPUT -> {use} -> FC\n', a=inner, named=NAMED)
        assert f"error[E101]: unknown layer or value `{found}`" in refused(path).replace(
            "unknown name", "unknown layer or value"
        )
    main = 'import "a.net" as a\nINPUT(4x4x3) -> a.Of(3) -> FC(a._once(3))\n'
    assert "`a` has no value or function `_once`" in refused(
        write(tmp_path, main=main, a=inner, named=NAMED)
    )
    assert "`a` has no block `_Rest`" in refused(
        write(tmp_path, main=main.replace("Of(3)", "_Rest"), a=inner)
    )


DEFAULTS = """\
import "blocks.net" as a
import "blocks.net" as b
block Early { a.Unit(3) }
default a.CONV(bias=no, stride=2)
block Late { a.Unit(3) }
"""


def test_defaults_for_an_import(tmp_path: Path) -> None:
    """They hold in all blocks of the file behind the statement, before its own defaults."""
    chain = "INPUT(16x16x3) -> a.Unit(3) as x -> b.Unit(3) as y -> Early -> Late -> CONV(3) as own"
    blocks = "default CONV(bias=yes, pad=valid)\nblock Unit(c) { CONV(3x3, c) as conv }\n"
    parameters = netc.load(
        write(tmp_path, main=f"{DEFAULTS}{chain}\n", blocks=blocks)
    ).graph.parameters
    biases = [path for path in parameters if path.endswith("bias")]
    assert biases == ["y.conv.bias", "early1.unit1.conv.bias", "own.bias"]


def test_defaults_for_what_an_import_imports(tmp_path: Path) -> None:
    """They reach the blocks that blocks of the file call in others; the outermost goes first."""
    main = (
        'import "a.net" as a\ndefault a.CONV(bias=no)\n'
        "INPUT(16x16x3) -> a.Of(3) -> inline a.Of(4) -> FC(2)\nassert shape(conv1) == 4x4x4\n"
    )
    inner = 'import "b.net" as b\ndefault b.CONV(bias=yes, stride=2)\nblock Of(c) { b.Unit(c) }\n'
    found = netc.load(
        write(
            tmp_path,
            main=main.replace("(conv1)", "(unit1.conv)"),
            a=inner,
            b="block Unit(c) { CONV(3x3, c) as conv }\n",
        )
    ).graph
    assert [path for path in found.parameters if path.endswith("bias")] == ["fc1.bias"]


# what stands below the imports, a code, what is said
CLASHES = [
    ("let a = 3", "E112", "the name `a` is given twice"),
    ("let a(x) = x", "E112", "the name `a` is given twice"),
    ("block a { ID }", "E112", "the name `a` is given twice"),
    ('import "b.net" as a', "E112", "the name `a` is given twice"),
    ("INPUT(3) -> FC(2) as a", "E112", "the name `a` is given twice"),
    ("a = INPUT(3)", "E112", "the name `a` is given twice"),
    ('import "b.net" as FC', "E114", "`FC` is a layer, not a free name"),
    ('import "b.net" as max', "E114", "`max` is a function, not a free name"),
    ("INPUT(3) -> FC(a.b)", "E101", "`a` has no value or function `b`"),
    ("INPUT(3) -> FC(a.b(3))", "E101", "`a` has no value or function `b`"),
    ("INPUT(3) -> FC(a.width(3))", "E101", "`a.width` is a value, not a function"),
    ("INPUT(3) -> FC(a.twice)", "E302", "`a.twice` is a function"),
    ("INPUT(3) -> FC(a)", "E302", "`a` is an imported file, not a value"),
    ("INPUT(3) -> a", "E101", "unknown layer or value `a`"),
    ("INPUT(3) -> a.width", "E101", "`a` has no block `width`"),
    ("INPUT(3) -> a.unit(3)", "E101", "`a` has no block `unit`"),
    ("INPUT(3) -> a.Unit(d=3)", "E102", "`a.Unit` has no argument `d`"),
    ("INPUT(3) -> c.Unit(3)", "E101", "unknown name `c`"),
    ("default c.CONV(bias=no)", "E101", "unknown name `c`"),
    ("let c = 3\ndefault c.CONV(bias=no)", "E101", "unknown name `c`"),
    ("default a.CNV(bias=no)", "E101", "unknown layer `CNV`"),
    ("default a.Unit(c=3)", "E101", "`default` takes a layer, and `a.Unit` is a block"),
    ("default a.CONV(bais=no)", "E102", "CONV has no argument `bais`"),
]


@pytest.mark.parametrize(("lines", "code", "message"), CLASHES)
def test_names_of_imports_that_are_refused(
    lines: str, code: str, message: str, tmp_path: Path
) -> None:
    """A name is given once, and what a file does not have is told, with what is near."""
    main = f'import "blocks.net" as a\n{lines}\nINPUT(3) -> FC(2)\n'
    text = refused(write(tmp_path, main=main, blocks=NAMED, b=""))
    assert f"error[{code}]: {message}\n" in text
    if code == "E112":
        assert "first given here" in text


def test_warnings_of_named_imports(tmp_path: Path) -> None:
    """An import that is not used is told, and a parameter that hides one; blocks of it are not."""
    main = (
        'import "blocks.net" as a\nimport "blocks.net" as b\nimport "blocks.net" as _c\n'
        "block B(a) { FC(a) }\nINPUT(3) -> B(2) -> FC(a.width)\n"
    )
    found = netc.load(write(tmp_path, main=main, blocks=NAMED)).warnings
    assert [(w.code, w.span.text) for w in found if w.span] == [
        *(("W105", "b"), ("W109", "a"), ("W106", "FC(a.width)"))
    ]


def test_hidden_names_and_how_to_keep_both(tmp_path: Path) -> None:
    """The warning about two of one name shows both, and how `as` tells them apart."""
    main = 'import "a.net"\nblock B { ID }\nINPUT(3) -> B -> FC(2)\n'
    (found,) = netc.load(write(tmp_path, main=main, a="block B { ID }\n")).warnings
    assert found.help == "import its file with `as a`, and it is `a.B`"
    assert [pointer.span.source.name[-5:] for pointer in found.also] == ["a.net"]
    main = main.replace('"a.net"', '"a.net" as a').replace("-> B ->", "-> B -> a.B ->")
    assert netc.load(write(tmp_path, main=main)).warnings == ()


def test_a_link_that_leaves_the_folder(tmp_path: Path) -> None:
    """A link to a foreign file is refused, and no line of that file is shown."""
    (tmp_path / "secret.txt").write_text("root:x:0:0\n")
    path = write(tmp_path / "inner", main='import "parts/a.net"\nINPUT -> FC\n', parts__b="")
    (tmp_path / "inner" / "parts" / "a.net").symlink_to(tmp_path / "secret.txt")
    text = refused(path)
    assert text.startswith("error[E120]: the import `parts/a.net` leaves its folder\n")
    assert "root" not in text


def test_links_within_the_folder(tmp_path: Path) -> None:
    """A link to a file of the same folder is followed, also where the folder itself is a link."""
    write(tmp_path / "inner", main=USE, real=BLOCKS)
    (tmp_path / "inner" / "blocks.net").symlink_to("real.net")
    (tmp_path / "outer").symlink_to("inner")
    assert netc.load(str(tmp_path / "outer" / "main.net")).name == "main"

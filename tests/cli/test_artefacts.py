"""`netc build export draw run summary zoo`: good and bad input, and what is left on the disk."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnx
import pytest
from support.command_line import ENVIRONMENT, FULL_DISK, netc, netc_process

import netc as package

LENET = Path(__file__).parents[2] / "specs" / "lenet5.net"


def test_build(tmp_path: Path) -> None:
    """The main job: table, diagram, model, and the agreement of both engines."""
    found = netc("build", str(LENET), cwd=tmp_path).ok()
    assert "61,706 (61,706 trainable, 0 frozen)" in found.out
    assert "NumPy and onnxruntime agree within" in found.out
    assert (tmp_path / "build" / "lenet5.svg").read_text().startswith("<?xml")
    onnx.checker.check_model(str(tmp_path / "build" / "lenet5.onnx"), full_check=True)


def test_build_without_a_renderer(tmp_path: Path) -> None:
    """The diagram needs no matplotlib."""
    blocked = "import sys\nsys.modules['matplotlib'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(blocked)
    env = {"PATH": "", "PYTHONPATH": f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"}
    netc_process("build", str(LENET), cwd=tmp_path, env=env).quiet()
    assert sorted(path.name for path in (tmp_path / "build").iterdir()) == [
        "lenet5.onnx",
        "lenet5.svg",
    ]


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        (["export", str(LENET), "-o", "out.onnx"], 100_000),
        (["draw", str(LENET), "-o", "out.svg"], 8_000),
        (["draw", str(LENET), "-o", "out.png"], 10_000),
        (["run", str(LENET), "--input", "x.npy", "-o", "out.npy"], 100),
    ],
)
def test_a_full_disk_leaves_what_was_there(command: list[str], limit: int, tmp_path: Path) -> None:
    """A write that fails names the reason, leaves the old file, and no temporary one."""
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 32, 32), np.float32))
    target = tmp_path / command[command.index("-o") + 1]
    target.write_text("precious")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK.format(limit=limit), *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error[E004]: cannot write `{target.name}`: the file would be larger than allowed\n"
        "  = help: raise the limit on file sizes\n\n"
    )
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


MISFITS = """\
error[E501]: 1 weight is missing
  = note: `c3.bias` of float32[16]

error[E501]: 1 weight has no place in the network
  = note: `c2.bias`: did you mean `c3.bias`?

error[E501]: 1 weight does not fit
  = note: `c1.weight` is float32[6, 1, 3, 3], not float32[6, 1, 5, 5]

"""


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    """Every mismatch is named in one error, and nothing is written."""
    network = package.load(LENET)
    state = dict(network.initialize(0))
    state["c1.weight"] = np.zeros((6, 1, 3, 3), np.float32)
    state["c2.bias"] = state.pop("c3.bias")
    package.save_weights(tmp_path / "w.npz", state)
    found = netc("export", str(LENET), "--weights", "w.npz", "-o", "m.onnx", cwd=tmp_path).failed()
    assert found.err == MISFITS
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("suffix", ["safetensors", "npz"])
def test_run_with_weights_from_a_file(suffix: str, tmp_path: Path) -> None:
    """A program with weights, an ONNX model and Python give the same numbers."""
    network = package.load(LENET)
    state = dict(network.initialize(3))
    package.save_weights(tmp_path / f"w.{suffix}", state)
    x = np.random.default_rng(0).standard_normal((7, 1, 32, 32)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    weights = ["--weights", f"w.{suffix}"]
    netc("run", str(LENET), *weights, "--input", "x.npy", "-o", "y.npy", cwd=tmp_path).ok()
    export = netc("export", str(LENET), *weights, "-o", "m.onnx", "--verify", cwd=tmp_path).ok()
    assert "agree within" in export.out
    netc("run", "m.onnx", "--input", "input=x.npy", "-o", "z.npy", cwd=tmp_path).ok()
    expected = network.run(x, state)
    assert isinstance(expected, np.ndarray)
    assert np.array_equal(np.load(tmp_path / "y.npy"), expected)
    difference = np.abs(np.load(tmp_path / "z.npy") - expected).max()
    assert difference <= 1e-4 * np.abs(expected).max()


def test_fetch_labels(tmp_path: Path) -> None:
    """`--fetch` gives any labelled tensor; several go into one .npz file."""
    np.save(tmp_path / "x.npy", np.ones((2, 1, 32, 32), np.float32))
    arguments = ["--input", "x.npy", "--fetch", "c1", "--fetch", "s4", "-o", "y.npz"]
    netc("run", str(LENET), *arguments, cwd=tmp_path).ok()
    arrays = np.load(tmp_path / "y.npz")
    assert arrays["c1"].shape == (2, 6, 28, 28)
    assert arrays["s4"].shape == (2, 16, 5, 5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--input", "missing.npy"], "E001", "missing.npy"),
        (["--input", "small.npy"], "E206", "28"),
        (["--input", "text.npy"], "E505", "text.npy"),
        (["--input", "x.npy", "--fetch", "c9"], "E101", "c9"),
        (["--input", "x.npy", "--engine", "torch"], "E502", "torch"),
        (["--input", "x.npy", "--device", "cuda"], "E502", "cuda"),
        (["--input", "x.npy", "--engine", "onnxruntime", "--device", "cuda"], "E502", "cuda"),
        (["--input", "x.npy", "--input", "x.npy"], "E206", "twice"),
        (["--input", "x.npy", "-o", "y.txt"], "E505", "y.txt"),
        (["--input", "x.npy", "--weights", "text.npy"], "E505", "text.npy"),
        (["--input", "x.npy", "--weights", "truncated.safetensors"], "E5", "truncated"),
    ],
)
def test_bad_runs(arguments: list[str], code: str, words: str, tmp_path: Path) -> None:
    """Wrong inputs, names, engines, devices and files are diagnostics."""
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 32, 32), np.float32))
    np.save(tmp_path / "small.npy", np.zeros((1, 1, 28, 28), np.float32))
    (tmp_path / "text.npy").write_text("no array")
    package.save_weights(tmp_path / "w.safetensors", dict(package.load(LENET).initialize(0)))
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "truncated.safetensors").write_bytes(whole[: len(whole) // 2])
    found = netc("run", str(LENET), *arguments, cwd=tmp_path).failed()
    assert found.err.startswith(f"error[{code}"), found.err
    assert words in found.err
    assert "Traceback" not in found.err


def test_draw_formats(tmp_path: Path) -> None:
    """The suffix chooses the format; unknown formats and styles are refused with the choice."""
    for suffix, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"")):
        assert netc("draw", str(LENET), "-o", f"n.{suffix}", cwd=tmp_path).status == 0
        assert (tmp_path / f"n.{suffix}").read_bytes().startswith(start)
    for arguments, code in (["-o", "n.gif"], "E505"), (["-o", "n.svg", "--style", "nice"], "E511"):
        found = netc("draw", str(LENET), *arguments, cwd=tmp_path).failed()
        assert f"error[{code}]" in found.err


def test_summary_forms(tmp_path: Path) -> None:
    """The table as text, JSON, Markdown and CSV."""
    assert "c5     CONV(5x5, 120, pad=valid)" in netc("summary", str(LENET), cwd=tmp_path).out
    table = json.loads(netc("summary", str(LENET), "--json", cwd=tmp_path).out)
    assert table["totals"]["params"] == 61_706
    assert netc("summary", str(LENET), "--markdown", cwd=tmp_path).out.startswith("| layer |")
    assert netc("summary", str(LENET), "--csv", cwd=tmp_path).out.startswith("layer,")


def test_zoo(tmp_path: Path) -> None:
    """The zoo lists every shipped spec with its counts."""
    rows = json.loads(netc("zoo", "--json", cwd=tmp_path).out)
    (lenet,) = (row for row in rows if row["name"] == "lenet5")
    assert (lenet["params"], lenet["macs"]) == (61_706, 416_520)


def test_a_model_is_a_file(tmp_path: Path) -> None:
    """`netc export -o -` leaves no file of that name."""
    assert netc("export", "INPUT(2) -> FC(1)", "-o", "-", cwd=tmp_path).status == 2
    assert not list(tmp_path.iterdir())


def test_run_without_inputs(tmp_path: Path) -> None:
    """A program that takes nothing runs on both engines and as a model; an array is too many."""
    (tmp_path / "c.net").write_text('op("Constant", value_floats=[0.5, 1])\n', encoding="utf-8")
    netc("export", "c.net", "-o", "c.onnx", cwd=tmp_path).ok()
    for arguments in (("c.net",), ("c.net", "--engine", "onnxruntime"), ("c.onnx",)):
        netc("run", *arguments, "-o", "y.npy", cwd=tmp_path).ok()
        assert np.load(tmp_path / "y.npy").tolist() == [0.5, 1]
        refused = netc("run", *arguments, "--input", "[1, 2]", cwd=tmp_path).failed()
        assert "it takes no inputs" in refused.err


# A network's name -> what `build` calls its files.
NAMES = {
    "../../pwn": "_.._pwn",
    "/etc/passwd": "_etc_passwd",
    "..": "network",
    '&nbsp; <b> \\" \u2028': "_nbsp_ _b_ _ _",
    "a" * 1_000: "a" * 60,
    "Réseau 1.5": "Réseau 1.5",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_no_file_names(name: str, tmp_path: Path) -> None:
    """Whatever a network is called, `build` writes whole files, and only into its folder."""
    program = f'net "{name}"\nINPUT(2) -> FC(2)\n'
    netc("build", program, cwd=tmp_path).ok()
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert written == [f"build/{NAMES[name]}.onnx", f"build/{NAMES[name]}.svg"]
    ElementTree.parse(tmp_path / written[1])
    assert onnx.load(tmp_path / written[0]).graph.name == package.compile(program).name


def test_a_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    """A program is built whatever bytes its file's name holds; its network's name is UTF-8."""
    name = os.fsdecode(b"a\xff.net")
    (tmp_path / name).write_text("INPUT(2) -> FC(2)\n")
    found = netc_process("build", name, cwd=tmp_path)  # whose streams print any name
    assert found.status == 0, found.err
    model = onnx.load_from_string((tmp_path / "build" / os.fsdecode(b"a\xff.onnx")).read_bytes())
    assert model.graph.name == "a_"

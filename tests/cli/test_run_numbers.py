"""`netc run` and `netc predict` show numbers, and programs that give their weights need no file."""

from pathlib import Path

import numpy as np
import pytest
from support.command_line import Call

import netc as package
from netc.array_text import describe

TABLE = "[[0,0],[0,1],[1,0],[1,1]]"
LABEL = ["--label", "y", "-o", "f.npz"]
DRAWN = "the weights were drawn at random (seed 0); give others with `--weights`\n"
XNOR = "output: float32[4, 1]\n  1\n  0\n  0\n  1\n"
POINTS = """\
INPUT(3) -> FC(2)

train {
  data      = csv("points.csv", target="kind")
  epochs    = 1
}
"""
REGRESSION = """\
INPUT(3) -> FC(1)

train {
  data      = csv("points.csv", target="x1")
  loss      = mse
  epochs    = 1
}
"""


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """A table of two classes in the test's folder."""
    rows = [f"{i},{i % 3},{i},{('ant', 'bee')[i % 2]}" for i in range(30)]
    (tmp_path / "points.csv").write_text("\n".join(["a,b,x1,kind", *rows, ""]))
    return tmp_path


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_truth_table(called: Call, engine: str) -> None:
    """A network of literal weights answers with its truth table, and nothing is drawn."""
    found = called("run", "zoo:xnor", "--input", TABLE, "--engine", engine)
    assert found == (0, XNOR, "")


def test_predictions_of_literal_weights(called: Call) -> None:
    """`predict` needs no weights where the program gives them all."""
    found = called("predict", "zoo:xnor", "--input", TABLE)
    assert found == (0, "0:  1\n1:  0\n2:  0\n3:  1\n", "")


@pytest.mark.parametrize("command", ["predict", "evaluate", "features"])
def test_weights_that_the_program_does_not_give(command: str, called: Call) -> None:
    """The error names a weight without values, and says what to give."""
    more = {"predict": ["--input", TABLE], "evaluate": [], "features": LABEL}[command]
    found = called(
        command, "INPUT(2) -> FC(1, weight=[[1, 1]]) -> TANH -> FC(1) as y -> TANH -> FC(1)", *more
    ).failed()
    assert found.err == (
        "error[E546]: there are no weights\n"
        "  = note: the program does not give the values of `y.weight` and 1 more\n"
        "  = help: give `--run FOLDER` or `--weights FILE`\n\n"
    )


def test_drawn_weights(called: Call) -> None:
    """Weights that are drawn are said to be; constants are not drawn."""
    drawn = called("run", "INPUT(2) -> FC(1)", "--input", "[[0, 0]]")
    assert drawn == (0, f"output: float32[1, 1]\n  0\n{DRAWN}", "")
    constant = called("run", "INPUT(2) -> FC(1, init=ones) -> BN", "--input", "[[1, 2]]")
    assert constant == (0, "output: float32[1, 1]\n  2.99998\n", "")


def test_run_in_python() -> None:
    """Without a state, the program's own weights serve, or the error says what to give."""
    x = np.array([[0, 0], [0, 1]], np.float32)
    found = package.load("zoo:xnor").run(x)
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [[1], [0]]
    with pytest.raises(package.NetError) as refused:
        package.compile("INPUT(2) -> FC(1) as y").run(x)
    assert str(refused.value) == (
        "error[E546]: there are no weights\n"
        "  = note: the program does not give the values of `y.weight`\n"
        "  = help: give a state, such as `net.initialize(seed=0)` or `netc.load_weights(path)`"
    )


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(2.5), "y: float32[]\n  2.5"),
        (np.zeros((0, 3), np.float32), "y: float32[0, 3]"),
        (np.array([1, -2], np.int64), "y: int64[2]\n  [ 1 -2]"),
        (np.array([[True], [False]]), "y: bool[2, 1]\n   True\n  False"),
        (np.array([[1e-9, np.nan]], np.float32), "y: float32[1, 2]\n  1e-09  nan"),
        (np.arange(8).reshape(2, 2, 2), None),
        (
            np.arange(101, dtype=np.float32),
            "y: float32[101]\n  min 0  mean 50  max 100  std 29.1548",
        ),
        (
            np.where(np.arange(120) < 50, np.inf, 1).astype(np.float32),
            "y: float32[120]\n  min 1  mean 1  max 1  std 0\n  50 of 120 are not finite",
        ),
        (np.ones(101, bool), "y: bool[101]\n  min 1  mean 1  max 1  std 0"),
        (
            np.where(np.arange(200) < 100, -1e308, 1e308),
            "y: float64[200]\n  min -1e+308  mean 0  max 1e+308  std 1e+308",
        ),
        (np.full(101, np.nan), "y: float64[101]\n  101 of 101 are not finite"),
    ],
)
def test_arrays_as_text(array: np.ndarray, text: str | None) -> None:
    """Few numbers are shown, of many their statistics; what is not finite is counted."""
    found = describe("y", np.asarray(array))
    assert found == text if text is not None else all(str(n) in found for n in range(8))


def test_class_names(called: Call, points: Path) -> None:
    """Weights of a run and a run's model show the names of classes above their columns."""
    (points / "a.net").write_text(POINTS)
    assert called("train", "a.net", "-o", "run").status == 0
    assert called("export", "a.net", "--run", "run", "-o", "a.onnx").status == 0
    for words in (["a.net", "--weights", "run/weights.safetensors"], ["a.onnx"]):
        found = called("run", *words, "--input", "[[1.0, 2.0, 3.0]]").ok()
        head, names, numbers = found.out.splitlines()
        assert head.endswith(": float32[1, 2]")
        assert names.split() == ["ant", "bee"]
        assert len(numbers.split()) == 2


def test_nothing_to_draw(called: Call, points: Path) -> None:
    """`evaluate -o` on a regression says so, and makes no folder."""
    (points / "a.net").write_text(REGRESSION)
    (points / "points.csv").write_text(
        "\n".join(["a,b,c,x1", *(f"{i},{i % 3},{i % 5},{i}" for i in range(30)), ""])
    )
    assert called("train", "a.net", "-o", "run").status == 0
    found = called("evaluate", "a.net", "--run", "run", "-o", "pictures").ok()
    assert found.err == (
        "nothing to draw in `pictures`: plots show classes, or decisions of both kinds\n"
    )
    assert not (points / "pictures").exists()


def test_verbose_training(capsys: pytest.CaptureFixture[str]) -> None:
    """`train(verbose=True)` shows epochs on standard error; without it nothing is shown."""
    x, t = np.zeros((8, 2), np.float32), np.zeros(8, np.int64)
    net = package.compile("INPUT(2) -> FC(2)")
    net.train((x, t), epochs=2)
    assert capsys.readouterr() == ("", "")
    net.train((x, t), epochs=2, verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 2/2" in err


@pytest.mark.parametrize("command", ["check", "summary", "draw", "diff"])
def test_files_that_are_no_models(command: str, tmp_path: Path, called: Call) -> None:
    """The commands that take programs read models, and say what is none."""
    model = tmp_path / "m.onnx"
    model.write_bytes(b"\x08\x09\xff")
    more = {"draw": ["-o", str(tmp_path / "m.svg")], "diff": [str(model)]}.get(command, [])
    found = called(command, str(model), *more)
    assert found.status == (2 if command == "diff" else 1)
    assert found.err.startswith(f"error[E505]: `{model}` is not an ONNX model")


@pytest.mark.parametrize("model", ["a.net", "a.onnx"])
@pytest.mark.parametrize(
    ("name", "help"),
    [
        (
            "a.PNG",
            "`netc predict` reads images, with the weights of a run; in Python, `x = numpy.as",
        ),
        ("a.csv", "numpy.loadtxt('a.csv', delimiter=\",\", ndmin=2))` converts it"),
        ("a.bin", "save the array with `numpy.save`"),
    ],
)
def test_inputs_of_other_formats(
    called: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, name: str, help: str
) -> None:
    """An image or a table in place of an array is told how it becomes one, for both engines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.net").write_text("INPUT(2) -> FC(2)")
    package.load("a.net").export("a.onnx")
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    found = called("run", model, "--input", name).failed()
    assert found.err.startswith(f"error[E505]: `{name}` is not a .npy file\n")
    assert help in found.err

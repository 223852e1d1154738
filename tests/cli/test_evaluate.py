"""`netc evaluate` and `netc predict`: a trained network, measured and asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.command_line import Call, Outcome

import netc as package
from netc.cli import run as command_line
from netc.runtime.data import digits

DIGITS = """\
net Digits

INPUT(8x8) -> FC(16) -> RELU -> FC(10)

train {
  data       = digits
  preprocess = standardize
  optimizer  = sgd(lr=0.1, momentum=0.9)
  epochs     = 2
}
"""
YES_OR_NO = """\
INPUT(2) -> FC(8) -> TANH -> FC(1)

train {
  data  = spirals(120, classes=2)
  loss  = binary_cross_entropy
  epochs = 2
}
"""
MASKS = """\
x = INPUT(64x64) -> CONV(3x3, 4, stride=2) -> RELU
output box  = x -> POOL(8x8) -> FC(4)
output mask = x -> UPSAMPLE(2) -> CONV(1x1, 4)

train {
  data   = shapes(24, target=[box, mask])
  loss   = {box: mse, mask: cross_entropy}
  epochs = 1
}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three programs and their runs."""
    folder = tmp_path_factory.mktemp("trained")
    for name, program in {"digits": DIGITS, "yes": YES_OR_NO, "masks": MASKS}.items():
        (folder / f"{name}.net").write_text(program)
        words = ["train", str(folder / f"{name}.net"), "-o", str(folder / name)]
        more = ["--set", "lr=0.05"] if name == "digits" else []
        assert command_line([*words, *more]) == 0
    return folder


@pytest.fixture
def asked(trained: Path, called: Call) -> Call:
    """Runs a command on a program by name, with its run."""

    def call(command: str, name: str, *options: str) -> Outcome:
        return called(command, f"{trained}/{name}.net", "--run", f"{trained}/{name}", *options)

    return call


def test_the_table(asked: Call) -> None:
    """Loss and metrics of the test part, then precision and recall of each class."""
    found = asked("evaluate", "digits")
    assert (found.status, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[0] == "180 samples of `digits`, test part"
    assert [line.split()[0] for line in lines[1:8]] == [
        "loss",
        "accuracy",
        "top_5",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
    ]
    assert lines[9].split() == ["class", "precision", "recall", "f1", "iou", "support"]
    assert [line.split()[0] for line in lines[10:]] == list(map(str, range(10)))
    assert sum(int(line.split()[-1]) for line in lines[10:]) == 180


def test_the_same_numbers_as_the_run(asked: Call, trained: Path) -> None:
    """The run's own split, preprocessing and weights are used, settings from outside included."""
    results = json.loads((trained / "digits" / "run.json").read_text())["results"]["test"]
    for engine in ("numpy", "onnxruntime"):
        found = asked("evaluate", "digits", "--json", "--metric", "accuracy", "--engine", engine)
        metrics = json.loads(found.out)["metrics"]
        assert metrics["accuracy"] == results["accuracy"]
        assert metrics["loss"] == pytest.approx(results["loss"], rel=1e-5)
        assert set(metrics) == {"accuracy", "loss"}


def test_json_of_classes(asked: Call) -> None:
    """JSON has the table and the confusion matrix, and nothing else is printed."""
    found = asked("evaluate", "digits", "--json", "--part", "validation")
    answer = json.loads(found.out)
    assert (answer["part"], answer["samples"]) == ("validation", 180)
    (matrix,) = answer["confusion"]["output"]
    assert np.sum(matrix) == 180
    assert np.trace(matrix) / 180 == pytest.approx(answer["metrics"]["accuracy"])
    assert [row["class"] for row in answer["classes"]["output"]] == list(map(str, range(10)))


def test_threshold(asked: Call) -> None:
    """A threshold moves answers from yes to no: recall falls, and nothing is yes beyond 1."""
    recalls = []
    for threshold in ("0", "0.5", "1.1"):
        found = asked("evaluate", "yes", "--json", "--part", "all", "--threshold", threshold)
        metrics = json.loads(found.out)["metrics"]
        recalls.append(metrics["recall"])
    assert recalls[0] == 1.0
    assert recalls[0] >= recalls[1] >= recalls[2] == 0.0
    found = asked("evaluate", "digits", "--threshold", "0.4")
    assert found.status == 1
    assert found.err == (
        "error[E551]: a threshold decides between two classes, but there are 10\n"
        "  = help: leave the threshold out: the class with the largest score is taken\n\n"
    )


def test_pictures(asked: Call, tmp_path: Path) -> None:
    """Confusion matrices and curves over thresholds go to a folder, by the output's name."""
    found = asked("evaluate", "digits", "-o", "pictures")
    assert found.out.splitlines()[-3:] == [
        f"written to pictures/{name}.svg" for name in ("confusion", "roc", "precision_recall")
    ]
    asked("evaluate", "yes", "-o", "more", "--threshold", "0.3")
    asked("evaluate", "masks", "-o", "masks")
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.svg")}
    assert names == {
        *(f"{f}/{n}.svg" for f in ("pictures", "more") for n in PICTURES),
        "masks/mask.confusion.svg",
    }
    assert all(path.read_text().startswith("<?xml") for path in tmp_path.rglob("*.svg"))


PICTURES = ("confusion", "roc", "precision_recall")


def test_several_outputs(asked: Call) -> None:
    """Metrics are named by the output; one that is asked for goes where it suits."""
    found = asked("evaluate", "masks", "--json")
    assert {"box.mae", "mask.iou", "mask.accuracy"} <= set(json.loads(found.out)["metrics"])
    found = asked("evaluate", "masks", "--json", "--metric", "iou", "--metric", "box.box_iou")
    assert set(json.loads(found.out)["metrics"]) == {"loss", "mask.iou", "box.box_iou"}
    found = asked("evaluate", "masks", "--metric", "top_0")
    assert found.err.startswith("error[E551]: unknown metric `top_0`")
    found = asked("evaluate", "yes", "--metric", "mae")
    assert found.err.startswith("error[E551]: `mae` is not a metric for decisions")


def test_weights_from_a_file(trained: Path, called: Call) -> None:
    """Weights without a run are measured with the program's settings."""
    program, weights = f"{trained}/digits.net", f"{trained}/digits/weights.safetensors"
    found = called("evaluate", program, "--weights", weights, "--json", "--metric", "accuracy").ok()
    with_run = called("evaluate", program, "--run", f"{trained}/digits", "--json")
    accuracy = json.loads(found.out)["metrics"]["accuracy"]
    assert accuracy == json.loads(with_run.out)["metrics"]["accuracy"]


NO_RUN = """\
error[E546]: `nothing` is not the folder of a finished run
  = help: train first: `netc train FILE -o nothing`, with `--resume` to continue

"""


NO_WEIGHTS = """\
error[E546]: there are no weights
  = note: the program does not give the values of `fc1.weight` and 1 more
  = help: give `--run FOLDER` or `--weights FILE`

"""


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_what_cannot_be_opened(command: str, trained: Path, called: Call, tmp_path: Path) -> None:
    """Missing runs and weights, weights of another network, and damaged facts are errors."""
    program = f"{trained}/digits.net"
    assert called(command, program, "--run", "nothing") == (1, "", NO_RUN)
    assert called(command, program).err == NO_WEIGHTS
    other = called(command, program, "--run", f"{trained}/yes").failed()
    assert "error[E501]: 4 weights do not fit" in other.err
    for name in ("checkpoint.safetensors", "weights.safetensors"):
        (tmp_path / name).write_bytes((trained / "digits" / name).read_bytes())
    (tmp_path / "run.json").write_text('{"format": "other"}')
    damaged = called(command, program, "--run", ".")
    assert damaged.err == (
        "error[E546]: `./run.json` is not what training wrote\n"
        "  = note: its format is not netc run 1\n"
        "  = help: train again in another folder, or give weights with `--weights`\n\n"
    )


def test_an_empty_part(asked: Call) -> None:
    """A part without samples cannot be measured."""
    found = asked("evaluate", "digits", "--set", "split=(0.5, 0.5)")
    assert found.err == (
        "error[E531]: the test part of `digits` is empty\n"
        "  = help: choose another part (`--part`), or another `split`\n\n"
    )


def some(count: int = 3) -> tuple[Any, Any]:
    """Digits (N, 1, 8, 8) and their labels."""
    batch = digits.digits().take(np.arange(count))
    return batch.inputs["input"], batch.targets["target"]


def test_predictions(asked: Call, trained: Path, tmp_path: Path) -> None:
    """Arrays from files are preprocessed as in the run; classes have their names."""
    x, t = some(30)
    np.save(tmp_path / "x.npy", x)
    found = asked("predict", "digits", "--input", "x.npy", "--top", "2", "-o", "y.npy", "--json")
    assert (found.status, found.err) == (0, "")
    rows = json.loads(found.out)
    outputs = np.load(tmp_path / "y.npy")
    assert outputs.shape == (30, 10)
    chosen = [row["output"]["ranked"][0] for row in rows]
    assert [int(each["class"]) for each in chosen] == outputs.argmax(axis=1).tolist()
    assert np.mean([int(each["class"]) for each in chosen] == t) > 0.8
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    assert [each["score"] for each in chosen] == pytest.approx(shares.max(axis=1).tolist())
    assert {len(row["output"]["ranked"]) for row in rows} == {2}
    shown = asked("predict", "digits", "--input", "x.npy").out.splitlines()
    assert shown[0].split()[:2] == ["0:", chosen[0]["class"]]
    assert len(shown) == 21
    assert shown[-1] == "and 10 more: `--json` shows all, `-o FILE` keeps the numbers"


def test_one_sample_and_other_engines(asked: Call, tmp_path: Path) -> None:
    """A sample without a batch axis is a batch of one; engines and shapes agree."""
    x, _ = some(1)
    np.save(tmp_path / "batch.npy", x)
    np.save(tmp_path / "single.npy", x[0])
    np.save(tmp_path / "bare.npy", x[0, 0])
    names = ("batch.npy", "single.npy", "bare.npy")
    said = {asked("predict", "digits", "--input", name).out for name in names}
    said.add(asked("predict", "digits", "--input", "bare.npy", "--engine", "onnxruntime").out)
    assert len(said) == 1
    every = asked("predict", "digits", "--data", "digits").out.splitlines()
    assert every[0].split() == said.pop().split()
    assert every[-1].startswith("and 1777 more")


def test_pictures_as_input(asked: Call, tmp_path: Path) -> None:
    """Pictures are brought to the size of the run's; a folder is all of its pictures."""
    x, t = some(3)
    (tmp_path / "new").mkdir()
    for place, image in enumerate(x):
        pixels = Image.fromarray((image[0] * 255).round().astype(np.uint8))
        pixels.save(tmp_path / "new" / f"{place}.png")
        pixels.convert("RGB").resize((30, 20)).save(tmp_path / f"{place}.jpg")
    found = asked("predict", "digits", "--input", "new")
    assert found.status == 0, found.err
    answers = [line.split()[:2] for line in found.out.splitlines()]
    assert answers == [[f"new/{place}.png:", str(label)] for place, label in enumerate(t)]
    one = asked("predict", "digits", "--input", "new/1.png", "--input", "new/0.png")
    assert [line.split()[0] for line in one.out.splitlines()] == ["new/1.png:", "new/0.png:"]
    large = asked("predict", "digits", "--input", "1.jpg", "-o", "y.npy")
    assert large.status == 0, large.err
    assert large.err == (
        "warning[W520]: the image was converted for the network\n"
        "  = note: `1.jpg` was resized from 20x30 to 8x8\n\n"
    )
    assert not one.err
    resized = Image.open(tmp_path / "1.jpg").convert("L").resize((8, 8), Image.Resampling.BILINEAR)
    np.save(tmp_path / "x.npy", np.asarray(resized, np.float32) / np.float32(255))
    asked("predict", "digits", "--input", "x.npy", "-o", "z.npy")
    assert np.array_equal(np.load(tmp_path / "y.npy"), np.load(tmp_path / "z.npy"))


def test_other_tasks(asked: Call) -> None:
    """Yes or no, numbers, and the share that each class has of an image."""
    found = asked("predict", "yes", "--input", "[[1, 0]]", "--json")
    (row,) = json.loads(found.out)
    assert row["output"]["ranked"][0]["class"] in ("0", "1")
    assert row["output"]["ranked"][0]["score"] >= 0.5
    found = asked("predict", "masks", "--data", "shapes(2, target=mask)", "--json", "--top", "4")
    assert found.status == 0, found.err
    row = json.loads(found.out)[0]
    assert len(row["box"]["values"]) == 4
    assert sum(each["score"] for each in row["mask"]["ranked"]) == pytest.approx(1)
    names = {each["class"] for each in row["mask"]["ranked"]}
    assert names == set(MASK_NAMES)


MASK_NAMES = ("background", "circle", "square", "triangle")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "error[E547]: there are no samples\n"),
        (
            ["--input", "x.npy", "--data", "digits"],
            "error[E547]: samples (`--input`) and a data set (`--data`) cannot be combined\n",
        ),
        (["--input", "a.png", "--input", "x.npy"], "error[E547]: `x.npy` is not an image"),
        (["--input", "missing.npy"], "error[E001]: cannot read `missing.npy`"),
        (["--input", "damaged.png"], "error[E521]: `damaged.png` cannot be used as data"),
        (["--input", "empty"], "error[E525]: `empty` holds no samples"),
        (["--input", "wide.npy"], "error[E530]: `standardize` was fitted to samples of another"),
        (
            ["--input", "input=x.npy", "--input", "other=x.npy"],
            "error[E543]: the network has no input `other`",
        ),
        (
            ["--input", "x.npy", "-o", "y.txt"],
            "error[E505]: `y.txt` is none of .npy, .npz, .csv, .parquet",
        ),
        (["--input", "x.npy", "--engine", "torch"], "error[E502]: unknown engine `torch`"),
        (["--data", "digit"], "error[E124]"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) and value else "",
)
def test_samples_that_cannot_be_used(
    options: list[str], message: str, asked: Call, tmp_path: Path
) -> None:
    """Missing, damaged and unfit samples are errors that name them."""
    x, _ = some()
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "wide.npy", x[:, :, :, :7])
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "damaged.png").write_bytes((tmp_path / "a.png").read_bytes()[:20])
    (tmp_path / "empty").mkdir()
    found = asked("predict", "digits", *options)
    assert (found.status, found.out) == (1, "")
    assert found.err.startswith(message), found.err


def test_a_network_that_takes_no_pictures(asked: Call, tmp_path: Path) -> None:
    """Pictures for a network of two numbers are refused."""
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    found = asked("predict", "yes", "--input", "a.png")
    assert found.err.startswith("error[E547]: `a.png` is an image, and `yes` takes none")


def test_crops_are_centred(called: Call, tmp_path: Path) -> None:
    """A network that was trained on crops answers for the centre of larger pictures."""
    (tmp_path / "crops.net").write_text(
        "INPUT(6x6) -> FC(10)\n\n"
        "train {\n  data = digits\n  augment = [flip, crop(6x6)]\n  epochs = 1\n}\n"
    )
    assert called("train", "crops.net").status == 0
    x, _ = some()
    np.save(tmp_path / "x.npy", x)
    called("predict", "crops.net", "--run", "run", "--input", "x.npy", "-o", "y.npy").ok()
    state = package.load_weights(tmp_path / "run" / "weights.safetensors")
    expected = package.load(tmp_path / "crops.net").run(x[:, :, 1:7, 1:7], state)
    assert isinstance(expected, np.ndarray)
    # `predict` transposes weights first: on some processors, their sums round otherwise.
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-5, atol=1e-6)


def test_metrics_that_are_not_defined(asked: Call, tmp_path: Path) -> None:
    """Of targets of one class, the curves' areas are left out with the reason; JSON has null."""
    (tmp_path / "one.csv").write_text("x,y,t\n" + "0.5,0.1,0\n" * 6)
    data = f'data=csv("{tmp_path}/one.csv")'
    names = ("accuracy", "roc_auc", "average_precision")
    options = [word for name in names for word in ("--metric", name)]
    words = ["yes", "--part", "all", "--set", data, *options]
    found = asked("evaluate", *words)
    assert (found.status, found.err) == (0, "")
    assert "nan" not in found.out
    assert "  roc_auc            not defined: all targets are of one class\n" in found.out
    assert "  average_precision  not defined: no target is of the class that is " in found.out
    metrics = json.loads(asked("evaluate", *words, "--json").out)["metrics"]
    assert (metrics["roc_auc"], metrics["average_precision"]) == (None, None)
    assert metrics["accuracy"] in (0.0, 1.0)

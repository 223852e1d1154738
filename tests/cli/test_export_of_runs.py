"""`netc export --run` and `run.export`: the model takes samples as the data have them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image
from support.command_line import Call

import netc as package
from netc.runtime.data import LOADERS, Dataset
from netc.runtime.data.preprocessing import PREPROCESSORS
from netc.runtime.inference.deployment import BUILDS

TABLE = """\
INPUT(2) -> FC(3)

train {
  data       = csv("points.csv", target="kind")
  optimizer  = sgd(lr=0.3)
  preprocess = standardize
  epochs     = 20
}
"""
DIGITS = """\
{chain}

train {{
  data       = digits
  preprocess = {preprocess}
  augment    = [{augment}]
  optimizer  = sgd(lr=0.05)
  epochs     = 1
}}
"""
STEPS = {
    "mean_subtract": "mean_subtract",
    "per channel": "standardize(per=channel)",
    "per element": "standardize",
    "scale": "scale(low=-1, high=1)",
    "pca": "whiten(eps=0.1)",
    "zca": "whiten(method=zca, eps=0.1)",
    "several": "[scale(high=2), mean_subtract, whiten(method=zca, eps=0.1), standardize]",
}
PICTURES, VECTORS = "INPUT(8x8) -> CONV(3x3, 2) -> RELU -> FC(10)", "INPUT(64) -> FC(10)"


def points(folder: Path) -> None:
    """A table far from zero: three classes of 40 points."""
    random = np.random.default_rng(1)
    centres = {"ant": (1000, 5), "bee": (1010, 5), "cat": (1005, 5.01)}
    rows = [
        f"{x:.5f},{y:.7f},{name}"
        for name, centre in centres.items()
        for x, y in random.normal(centre, (1.0, 0.001), (40, 2))
    ]
    (folder / "points.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")


def on_onnxruntime(path: Path, x: np.ndarray) -> np.ndarray:
    """The first output of a model."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {session.get_inputs()[0].name: x})[0]
    return found


def everything(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All samples of a data set, as they are, and their classes."""
    batch = data.take(range(len(data)))
    return batch.inputs["input"], batch.targets["target"]


def test_raw_samples(called: Call, tmp_path: Path) -> None:
    """The model is as accurate on raw samples as `netc evaluate` says, and knows the classes."""
    points(tmp_path)
    net, run, model = (str(tmp_path / name) for name in ("a.net", "run", "a.onnx"))
    Path(net).write_text(TABLE)
    assert called("train", net, "-o", run).status == 0
    called("export", net, "--run", run, "-o", model, "--verify").quiet()
    measured = called("evaluate", net, "--run", run, "--part", "all", "--json")
    accuracy = json.loads(measured.out)["metrics"]["accuracy"]
    data = LOADERS["csv"]("points.csv", target="kind", folder=str(tmp_path))
    x, t = everything(data)
    right = float((on_onnxruntime(Path(model), x).argmax(axis=1) == t).mean())
    assert right == accuracy > 0.95
    metadata = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    assert json.loads(metadata["classes"]) == {"output": ["ant", "bee", "cat"]}
    assert metadata["source"] == TABLE


def test_a_warning(called: Call, tmp_path: Path) -> None:
    """Weights alone from the folder of a run that preprocessed say what they lack."""
    points(tmp_path)
    net, run, model = (str(tmp_path / name) for name in ("a.net", "run", "a.onnx"))
    Path(net).write_text(TABLE)
    assert called("train", net, "-o", run).status == 0
    found = called("export", net, "--weights", f"{run}/weights.safetensors", "-o", model).ok()
    assert "warning[W525]" in found.err
    assert "`standardize`" in found.err
    assert f"`netc export {net} --run {run}`" in found.err


@pytest.mark.parametrize("chain", [PICTURES, VECTORS])
@pytest.mark.parametrize("step", STEPS)
def test_every_step(step: str, chain: str, tmp_path: Path) -> None:
    """Each preprocessing has the same outputs on onnxruntime as `run.predict` on NumPy."""
    program = DIGITS.format(chain=chain, preprocess=STEPS[step], augment="")
    check(program, (-1, *((1, 8, 8) if chain == PICTURES else (64,))), tmp_path)


def test_a_projection(tmp_path: Path) -> None:
    """Fewer components than features: the model takes the data's own samples."""
    preprocess = "whiten(components=12)"
    program = DIGITS.format(chain="INPUT(12) -> FC(10)", preprocess=preprocess, augment="")
    check(program, (-1, 1, 8, 8), tmp_path)


def test_a_crop(tmp_path: Path) -> None:
    """Of cropped samples, the model takes the crop."""
    program = DIGITS.format(
        chain="INPUT(6x6) -> FC(10)", preprocess="standardize", augment="crop(6x6)"
    )
    run = package.compile(program).train()
    run.export(tmp_path / "a.onnx")
    x, _ = everything(LOADERS["digits"]())
    agree(on_onnxruntime(tmp_path / "a.onnx", x[:, :, 1:7, 1:7]), run.predict(x))


def check(program: str, shape: tuple[int, ...], folder: Path) -> None:
    """Train, export, and compare on raw samples of a shape."""
    run = package.compile(program).train()
    run.export(folder / "a.onnx")
    x, t = everything(LOADERS["digits"]())
    y = run.predict(x)
    agree(on_onnxruntime(folder / "a.onnx", x.reshape(shape)), y)
    right = float((np.asarray(y).argmax(axis=1) == t).mean())
    assert run.evaluate("all")["accuracy"] == pytest.approx(right, abs=1e-12)


def agree(found: np.ndarray, expected: object) -> None:
    """Equal up to float32's rounding, by the largest number."""
    wanted = np.asarray(expected)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_every_row_has_nodes() -> None:
    """No preprocessing of the table lacks its form as nodes."""
    assert {row.apply for row in PREPROCESSORS.values()} <= set(BUILDS)


def write_odd_pictures(folder: Path) -> int:
    """One picture of two classes in each form that files have it in; their number."""
    random = np.random.default_rng(3)
    image = Image.fromarray(random.integers(0, 256, (12, 10, 3)).astype(np.uint8))
    see_through = image.convert("RGBA")
    see_through.putalpha(Image.fromarray(random.integers(0, 256, (12, 10)).astype(np.uint8)))
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[274] = 6  # the camera was held upright
    forms: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "plain.png": (image, {}),
        "size.png": (image.resize((33, 17)), {}),
        "palette.png": (image.quantize(16), {}),
        "palette.gif": (image.convert("P"), {"transparency": 0}),
        "alpha.png": (see_through, {}),
        "cmyk.tif": (image.convert("CMYK"), {}),
        "exif.jpg": (image, {"exif": turned}),
        "deep.png": (deep, {}),
        "deep.tif": (deep, {}),
        "gray.png": (image.convert("L"), {}),
        "bit.png": (image.convert("1"), {}),
    }
    for place, (name, (form, options)) in enumerate(forms.items()):
        path = folder / "odd" / "ab"[place % 2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        form.save(path, **options)
    return len(forms)


@pytest.mark.parametrize(("extents", "channels"), [("8x8x3", 3), ("8x8", 1), ("192", 3)])
def test_pictures_of_all_forms(called: Call, tmp_path: Path, extents: str, channels: int) -> None:
    """`predict`, `evaluate` and the exported model agree on whatever pictures files hold."""
    count = write_odd_pictures(tmp_path)
    (tmp_path / "a.net").write_text(f"""
INPUT({extents}) -> FC(2)
train {{
  data = images("odd", 8x8, channels={channels})
  preprocess = standardize
  optimizer = sgd(lr=0.01)
  epochs = 2
}}
""")
    program, run = [f"{tmp_path}/a.net"], ["--run", f"{tmp_path}/run"]
    assert called("train", *program, "-o", f"{tmp_path}/run").status == 0
    assert called("export", *program, *run, "-o", f"{tmp_path}/a.onnx").status == 0
    data = LOADERS["images"](f"{tmp_path}/odd", size=(8, 8), channels=channels)
    x, t = everything(data)
    shape = onnxruntime.InferenceSession(f"{tmp_path}/a.onnx").get_inputs()[0].shape[1:]
    scores = on_onnxruntime(tmp_path / "a.onnx", x.reshape(count, *shape))
    files = sorted((tmp_path / "odd").glob("*/*"))
    inputs = [word for path in files for word in ("--input", str(path))]
    found = called("predict", *program, *run, *inputs, "--top", "2", "--json").ok()
    for row, shares in zip(json.loads(found.out), _softmax(scores), strict=True):
        given = {each["class"]: each["score"] for each in row["output"]["ranked"]}
        np.testing.assert_allclose([given["a"], given["b"]], shares, atol=1e-5)
    measured = called("evaluate", *program, *run, "--part", "all", "--json")
    accuracy = json.loads(measured.out)["metrics"]["accuracy"]
    assert accuracy == pytest.approx(float((scores.argmax(axis=1) == t).mean()))


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares

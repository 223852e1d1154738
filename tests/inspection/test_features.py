"""Features of a data set in a file, and heads that are trained on them."""

from pathlib import Path

import numpy as np
import pytest
from support.jobs import job_of

import netc
from netc.runtime.inspection.features import Extractor, extract
from netc.runtime.training.run import train
from netc.runtime.weights.transfer import freeze, match_weights

NETWORK = "INPUT(8x8x1) -> CONV(3x3, 4) -> RELU -> POOL -> FC(16) as code -> TANH -> FC(10) as head"
TRAIN = "train { data = digits, epochs = 4, optimizer = sgd(lr=0.1, momentum=0.9) }"


def test_features_are_what_the_network_computes(tmp_path: Path) -> None:
    """The file holds, in the data's order, what `run` fetches, and the labels."""
    job = job_of(f"{NETWORK}\n{TRAIN}")
    state = netc.compile(NETWORK).initialize(3)
    path = str(tmp_path / "f.npz")
    found = extract(job, state, "code", path)
    assert (found.samples, found.shape, found.targets) == (1797, (16,), {"y": (1797,)})
    batch = job.data.take(np.arange(len(job.data)))
    expected = netc.compile(NETWORK).run(batch.inputs["input"], state, fetch=["code"])
    assert isinstance(expected, dict)
    with np.load(path) as file:
        assert sorted(file) == ["x", "y"]
        assert file["x"].dtype == np.float32
        np.testing.assert_allclose(file["x"], expected["code"], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(file["y"], batch.targets["target"])


def test_both_engines_and_two_runs_agree(tmp_path: Path) -> None:
    """onnxruntime extracts the same features, and a second run the same bytes."""
    state = netc.compile(NETWORK).initialize(3)
    paths = [str(tmp_path / name) for name in ("a.npz", "b.npz", "c.npz")]
    for path, engine in zip(paths, ("numpy", "numpy", "onnxruntime"), strict=True):
        extract(job_of(f"{NETWORK}\n{TRAIN}", engine=engine), state, "relu1", path, part="test")
    assert Path(paths[0]).read_bytes() == Path(paths[1]).read_bytes()
    with np.load(paths[0]) as one, np.load(paths[2]) as other:
        assert one["x"].shape == (180, 4, 8, 8)
        np.testing.assert_allclose(one["x"], other["x"], rtol=1e-4, atol=1e-5)


def test_preprocessing_is_applied_and_augmentation_is_not(tmp_path: Path) -> None:
    """Features are those of samples as validation sees them."""
    settings = "data = digits, preprocess = standardize, augment = noise(5.0)"
    job = job_of(f"{NETWORK}\ntrain {{ {settings} }}")
    extract(
        job, netc.compile(NETWORK).initialize(3), "input", str(tmp_path / "f.npz"), part="train"
    )
    with np.load(tmp_path / "f.npz") as file:
        assert abs(float(file["x"].mean())) < 1e-5
        assert float(file["x"].std()) < 1.01


def test_only_what_the_label_needs_is_read() -> None:
    """Weights behind the label may be missing."""
    state = netc.compile(NETWORK).initialize(3)
    kept = {name: state[name] for name in state if not name.startswith("head")}
    extractor = Extractor(netc.compile(NETWORK).graph, kept, "code")
    x = np.zeros((2, 1, 8, 8), np.float32)
    assert extractor.features({"input": x}).shape == (2, 16)


def test_unknown_labels_and_other_values(tmp_path: Path) -> None:
    """A label that is not there, one without a row per sample, and a wrong suffix are errors."""
    job = job_of(f"{NETWORK}\n{TRAIN}")
    state = netc.compile(NETWORK).initialize(3)
    with pytest.raises(netc.NetError, match="did you mean `code`"):
        extract(job, state, "cod", str(tmp_path / "f.npz"))
    with pytest.raises(netc.NetError, match="E505"):
        extract(job, state, "code", str(tmp_path / "f.txt"))
    flat = "INPUT(4) -> FC(3) as a\nPARAM(5) as table\na -> FC(2)"
    try:
        graph = netc.compile(flat).graph
    except netc.NetError:
        pytest.fail("the program of this test compiles no more")
    extractor = Extractor(graph, netc.compile(flat).initialize(0), "table")
    with pytest.raises(netc.NetError, match="E564"):
        extractor.features({"input": np.zeros((2, 4), np.float32)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("loss", ["cross_entropy", "hinge"])
def test_a_head_on_features(loss: str, tmp_path: Path) -> None:
    """Softmax regression and a linear SVM on features are networks of one layer."""
    job = job_of(f"{NETWORK}\n{TRAIN}")
    run = train(job)
    extract(job, run.state, "tanh1", str(tmp_path / "f.npz"))
    head = job_of(
        f'INPUT(16) -> FC(10)\ntrain {{ data = npz("{tmp_path}/f.npz"), loss = {loss},'
        " epochs = 20, optimizer = adam(lr=0.01) }"
    )
    assert train(head).test["accuracy"] > 0.9


def test_fine_tuning() -> None:
    """Weights by name, a new head for other classes, and frozen layers that no step moves."""
    run = train(job_of(f"{NETWORK}\n{TRAIN}"))
    data = netc.compile(NETWORK)
    job = job_of(f"{NETWORK}\n{TRAIN}")
    batch = job.data.take(np.arange(400))
    parity = (batch.inputs["input"], batch.targets["target"] % 2)
    text = NETWORK.replace("FC(10)", "FC(2)")
    new = job_of(f"{text}\ntrain {{ epochs = 10, optimizer = sgd(lr=0.1, momentum=0.9) }}", parity)
    matching = match_weights(new.graph, run.state, allow=["head.*"])
    assert set(matching.matched) == {n for n in data.graph.parameters if not n.startswith("head")}
    frozen = freeze(new.graph, ["conv*", "code"])
    tuned = train(type(new)(frozen, new.recipe, new.data, weights=matching.merged(frozen, 0)))
    for name in ("conv1.weight", "conv1.bias", "code.weight", "code.bias"):
        assert np.array_equal(tuned.last[name], run.state[name])
    assert tuned.test["accuracy"] > 0.85

"""The shipped specs with a `train` block: what lectures say of them comes true."""

import time
from collections.abc import Callable
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.trained_specs import DATA_FILES, KEYPOINT_COLUMNS

import netc
from netc.runtime.data.choices import LOADERS
from netc.runtime.data.splits import splits
from netc.runtime.data.table_targets import mirrored_pairs
from netc.runtime.kerneldef import Array
from netc.runtime.metrics.box_overlap import box_iou
from netc.sources import zoo
from netc.training import job_of

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)

# Those whose data is at hand: what is changed so that a few seconds suffice, and the share of the
# first epoch's loss that the last one's stays below.
AT_HAND: dict[str, tuple[dict[str, Any], float]] = {
    "logic/xor_mlp": ({"epochs": 100}, 0.1),
    "logic/xor_neuron": ({"epochs": 100}, 0.99),
    "training/digits_cnn": ({"epochs": 2}, 0.7),
    "training/digits_mlp": ({"epochs": 3}, 0.2),
    "training/digits_softmax": ({"epochs": 3}, 0.5),
    "training/o_rings": ({"epochs": 50}, 0.8),
    "training/shapes_boxes": (
        {"data": LOADERS["shapes"](samples=120, target=["label", "box"]), "epochs": 3},
        0.9,
    ),
    "training/shapes_unet": (
        {"data": LOADERS["shapes"](samples=80, target="mask"), "epochs": 2},
        0.8,
    ),
    "training/spirals": ({"epochs": 200}, 0.5),
    "training/stopping_distance": ({"epochs": 50}, 0.2),
}


def load(name: str) -> netc.Network:
    """A shipped spec."""
    return netc.load(f"zoo:{name}")


def answers(network: netc.Network, x: Array, state: Any) -> Array:
    """The only output."""
    y = network.run(x, state)
    assert isinstance(y, np.ndarray)
    return y


def test_every_train_block_is_tried() -> None:
    """A spec that says how it is trained is trained here, on its own data or on such files."""
    blocks = {name for name, path in zoo().items() if "train {" in path.read_text("utf-8")}
    assert blocks == {*AT_HAND, *DATA_FILES}


@pytest.mark.parametrize("name", AT_HAND)
def test_the_loss_falls(name: str) -> None:
    """Within a few epochs the loss becomes clearly smaller."""
    changes, share = AT_HAND[name]
    history = load(name).train(**changes).history
    assert history.rows[-1].loss < share * history.rows[0].loss


@pytest.mark.parametrize("name", DATA_FILES)
def test_data_and_network_fit(name: str, tmp_path: Path) -> None:
    """Files of the format that a spec names feed its network, input and target, as they come."""
    DATA_FILES[name](tmp_path)
    path = tmp_path / f"{Path(name).name}.net"
    path.write_bytes(zoo()[name].read_bytes())
    job = job_of(netc.load(path).model)
    feeds = next(job.training.batches(0))
    inputs = {n: v.type for n, v in job.step.graph.inputs.items() if n in feeds}
    targets = job.recipe.objective.target_names().values()
    assert set(feeds) == {*job.graph.inputs, *targets} == set(inputs)
    for key, array in feeds.items():
        assert array.dtype.name == inputs[key].dtype.value
        assert array.shape[1:] == inputs[key].shape[1:]


@pytest.mark.parametrize("name", ["linear/linear_regression", "linear/logistic_regression"])
def test_regressions_learn_from_tables(name: str, tmp_path: Path) -> None:
    """On tables with the right columns the regressions find what was put into them."""
    DATA_FILES[name](tmp_path)
    path = tmp_path / "spec.net"
    path.write_bytes(zoo()[name].read_bytes())
    history = netc.load(path).train().history
    assert history.rows[-1].loss < 0.2 * history.rows[0].loss


@pytest.mark.parametrize("seed", range(3))
def test_an_mlp_solves_xor(seed: int) -> None:
    """All four corners come out right, whatever the seed."""
    network = load("logic/xor_mlp")
    run = network.train(seed=seed)
    assert (answers(network, CORNERS, run.state)[:, 0] > 0.5).tolist() == [False, True, True, False]
    assert run.history.rows[-1].loss < 0.01


def test_a_neuron_fails_at_xor() -> None:
    """The best that one neuron can do is 1/2 for every corner."""
    network = load("logic/xor_neuron")
    run = network.train()
    np.testing.assert_allclose(answers(network, CORNERS, run.state), 0.5, atol=1e-3)
    assert run.history.rows[-1].loss == pytest.approx(np.log(2), abs=1e-6)


def line(run: Any, layer: str) -> tuple[float, float]:
    """Intercept and slope of a neuron behind `standardize`, for the input as it was."""
    fitted = run.job.training.fitted
    at = [fitted.apply({"input": np.full((1, 1), x, np.float32)})["input"].item() for x in (0, 1)]
    weight, bias = (run.state[f"{layer}.{part}"].item() for part in ("weight", "bias"))
    return bias + weight * at[0], weight * (at[1] - at[0])


def test_gradient_descent_finds_the_least_squares() -> None:
    """The line of R's `lm(dist ~ speed, cars)`, and its mean squared error."""
    run = load("training/stopping_distance").train()
    assert line(run, "distance") == pytest.approx((-17.5791, 3.9324), abs=1e-3)
    assert run.history.rows[-1].loss == pytest.approx(227.0704, abs=1e-3)


def test_gradient_descent_finds_the_likeliest_line() -> None:
    """The coefficients of Dalal, Fowlkes and Hoadley, and what they say of 31 degrees."""
    run = load("training/o_rings").train()
    intercept, slope = line(run, "logit")
    assert (intercept, slope) == pytest.approx((15.0429, -0.2322), abs=2e-3)
    assert 1 / (1 + np.exp(-intercept - slope * 31)) == pytest.approx(0.9996, abs=1e-4)


def test_a_flip_exchanges_the_points_that_the_lecture_names() -> None:
    """The pairs of Kaggle's columns are Nouri's `flip_indices`."""
    indices = [(0, 2), (1, 3), (4, 8), (5, 9), (6, 10), (7, 11)]
    indices += [(12, 16), (13, 17), (14, 18), (15, 19), (22, 24), (23, 25)]
    pairs = mirrored_pairs(KEYPOINT_COLUMNS)
    assert sorted(chain(*(((2 * a, 2 * b), (2 * a + 1, 2 * b + 1)) for a, b in pairs))) == indices


def test_the_ramp_is_the_lectures() -> None:
    """From 0.03 to 0.0001 and from 0.9 to 0.999, an epoch at a time."""
    recipe = load("keypoints/keypoints_net6").recipe
    assert recipe is not None
    rates = [recipe.rates(epoch * 7 + 3, steps_per_epoch=7) for epoch in range(recipe.epochs)]
    assert rates[0] == pytest.approx((0.03, 0.9))
    assert rates[-1] == pytest.approx((0.0001, 0.999))
    assert all(a[0] > b[0] and a[1] < b[1] for a, b in pairwise(rates))


def test_alexnet_divides_its_rate_three_times() -> None:
    """Krizhevsky et al. 2012, section 5: from 0.01, by 10, three times in 90 epochs."""
    recipe = load("classic/alexnet").recipe
    assert recipe is not None
    rates = {recipe.rates(epoch, steps_per_epoch=1)[0] for epoch in range(recipe.epochs)}
    assert sorted(rates, reverse=True) == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])


@pytest.fixture
def stopwatch() -> Callable[[], float]:
    """Seconds since the test began."""
    begun = time.monotonic()
    return lambda: time.monotonic() - begun


@pytest.mark.long
def test_digits_are_read(stopwatch: Callable[[], float]) -> None:
    """Of at least 360 test images 98 % are right, the mean of three seeds, in a minute each."""
    network = load("training/digits_cnn")
    runs = [network.train(seed=seed) for seed in range(3)]
    assert stopwatch() < 3 * 60
    for run in runs:
        assert len(splits(run.job.data, run.job.recipe.split, seed=0).test) >= 360
    assert np.mean([run.test["accuracy"] for run in runs]) >= 0.98


@pytest.mark.long
def test_shapes_are_segmented(stopwatch: Callable[[], float]) -> None:
    """The mean IoU of background and three shapes reaches 0.9 in less than three minutes."""
    run = load("training/shapes_unet").train()
    assert stopwatch() < 3 * 60
    assert run.test["iou"] >= 0.9


@pytest.mark.long
def test_boxes_are_found() -> None:
    """The boxes around the shapes in front share most of their union with the right ones."""
    network = load("training/shapes_boxes")
    run = network.train()
    batch = run.job.data.take(run.job.split.test)
    found = network.run(batch.inputs["input"], run.state)
    assert isinstance(found, dict)
    assert box_iou(found["box"], batch.targets["box"]).mean() > 0.7
    assert run.test["label.accuracy"] > 0.9

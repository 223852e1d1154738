"""The data files that shipped specs name and that do not ship, made of random numbers."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from .data_files import cifar_bytes, write_mnist, write_pictures

# The columns of `training.csv` in Kaggle's competition, in its order.
_POINTS = (
    *("left_eye_center", "right_eye_center", "left_eye_inner_corner", "left_eye_outer_corner"),
    *("right_eye_inner_corner", "right_eye_outer_corner", "left_eyebrow_inner_end"),
    *("left_eyebrow_outer_end", "right_eyebrow_inner_end", "right_eyebrow_outer_end"),
    *("nose_tip", "mouth_left_corner", "mouth_right_corner", "mouth_center_top_lip"),
    "mouth_center_bottom_lip",
)
KEYPOINT_COLUMNS = tuple(f"{point}_{axis}" for point in _POINTS for axis in "xy")


def _keypoints(folder: Path) -> None:
    """Faces of random pixels; of some, only two points are known, as in the competition."""
    random = np.random.default_rng(0)
    rows = [",".join((*KEYPOINT_COLUMNS, "Image"))]
    for face in range(20):
        points = [f"{number:.3f}" for number in random.uniform(20, 80, len(KEYPOINT_COLUMNS))]
        if face % 3 == 0:
            points[4:] = [""] * (len(points) - 4)
        rows.append(",".join((*points, " ".join(map(str, random.integers(0, 256, 96 * 96))))))
    (folder / "training.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _housing(folder: Path) -> None:
    """Prices that depend linearly on 13 features."""
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 13))
    y = x @ random.normal(size=13) + 20
    rows = [",".join((*(f"x{number}" for number in range(13)), "price"))]
    rows += [",".join(f"{number:.4f}" for number in row) for row in np.column_stack([x, y])]
    (folder / "housing.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _breast_cancer(folder: Path) -> None:
    """Thirty measurements of cells, larger where the diagnosis is bad."""
    random = np.random.default_rng(0)
    rows = [",".join(("diagnosis", *(f"x{number}" for number in range(30))))]
    for cell in range(60):
        x = random.normal(loc=cell % 2, size=30)
        rows.append(",".join(("BM"[cell % 2], *(f"{number:.4f}" for number in x))))
    (folder / "breast_cancer.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _mnist(folder: Path) -> None:
    (folder / "mnist").mkdir()
    write_mnist(folder / "mnist")


def _cifar10(folder: Path) -> None:
    batches = folder / "cifar-10-batches-bin"
    batches.mkdir()
    random = np.random.default_rng(0)
    for name, count in (("data_batch_1.bin", 40), ("test_batch.bin", 10)):
        pixels = random.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        (batches / name).write_bytes(cifar_bytes(np.arange(count) % 10, pixels))


def _tiny_imagenet(folder: Path) -> None:
    (folder / "tiny_imagenet").mkdir()
    sizes = {f"class{label}/{place}.png": (64, 64) for label in range(10) for place in range(3)}
    write_pictures(folder / "tiny_imagenet", sizes)


def _imagenet(folder: Path) -> None:
    (folder / "imagenet").mkdir()
    sizes = {f"class{label}/{place}.png": (80, 60) for label in range(3) for place in range(4)}
    write_pictures(folder / "imagenet", sizes)


# What writes, into the folder of a spec, the data that it names.
DATA_FILES: Mapping[str, Callable[[Path], None]] = {
    "classic/alexnet": _imagenet,
    "classic/tiny_vgg": _tiny_imagenet,
    "generative/vae": _mnist,
    "keypoints/keypoints_net1": _keypoints,
    "keypoints/keypoints_net2": _keypoints,
    "keypoints/keypoints_net6": _keypoints,
    "lenet5": _mnist,
    "linear/linear_regression": _housing,
    "linear/logistic_regression": _breast_cancer,
    "mnist_mlp": _mnist,
    "softmax_regression": _mnist,
    "training/cifar10_vgg": _cifar10,
}

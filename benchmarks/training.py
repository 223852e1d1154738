"""How long the shipped data take to be learned, and how well: the whole of `netc train`.

Prints a Markdown table. One process per run; three seeds of each.
"""

import json
import tempfile
from pathlib import Path
from statistics import mean, median

from measure import markdown, netc, run

SEEDS = (0, 1, 2)
# Spec -> the metric on the test part that is reported.
SPECS = {
    "digits_softmax": "accuracy",
    "digits_mlp": "accuracy",
    "digits_cnn": "accuracy",
    "shapes_unet": "iou",
    "shapes_boxes": "box.box_iou",
}


def main() -> None:
    """Measure and print the table."""
    rows = []
    for spec, metric in SPECS.items():
        seconds, found = zip(*(train(spec, seed, metric) for seed in SEEDS), strict=True)
        listed = ", ".join(f"{value:.4f}" for value in found)
        rows.append([spec, f"{median(seconds):.1f}", metric, f"{mean(found):.4f}", listed])
    print(markdown(["spec", "s", "metric", "mean", "seeds 0, 1, 2"], rows))


def train(spec: str, seed: int, metric: str) -> tuple[float, float]:
    """The seconds of a run, data and test included, and what it reached on the test part."""
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "run")
        used = run(netc("train", f"zoo:{spec}", "-o", output, "--seed", str(seed)))
        measured = run(netc("evaluate", f"zoo:{spec}", "--run", output, "--json"))
    values = json.loads(measured.output)["metrics"]
    return used.seconds, float(values[metric])


if __name__ == "__main__":
    main()

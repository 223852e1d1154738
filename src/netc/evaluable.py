"""Networks that can be evaluated: what a run, or weights, are worth and say of samples.

Each method loads what it calls, so that networks which are not trained start without NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from .choices import BulkEngineName, Device, EngineName, PartName
from .trainable import Trainable

if TYPE_CHECKING:
    from .bulk_prediction import BulkPrediction
    from .evaluation import Evaluation
    from .prediction import Prediction
    from .runtime.inspection.features import Extracted
    from .runtime.run_folder.trained import Trained
    from .runtime.training.run import Run
    from .trainable import Weights

    Origin = Run | Trained | str | PathLike[str]


@dataclass(frozen=True)
class Evaluable(Trainable):
    """A model as it is used once it is trained."""

    def evaluate(
        self,
        weights: "Weights | None" = None,
        *,
        run: "Origin | None" = None,
        data: Any = None,
        part: PartName = "test",
        metrics: Sequence[str] | None = None,
        threshold: float | None = None,
        curves: bool = False,
        engine: EngineName = "numpy",
        device: Device = "cpu",
        **settings: Any,
    ) -> "Evaluation":
        """Measure the network with the weights of a run on a part of its data.

        Args:
            weights: Weights by name, or a file of them, instead of the run's.
            run: A run, or its folder: its weights, settings and preprocessing.
            data: `(x, t)`, a data set, or text such as `npz("new.npz")`, instead of the run's.
            part: `train`, `validation`, `test` or `all`.
            metrics: The metrics' names; by default, all that apply.
            threshold: The probability at or above which a sample counts as positive.
            curves: Whether to gather what `draw` needs for ROC and precision-recall curves.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            settings: Settings that replace the run's.

        Raises:
            NetError: There are no weights (E546), the part is empty, or data, weights and network
                do not match.
        """
        from .evaluation import evaluate

        return evaluate(
            *(self.model, self.trained(run, weights)),
            part=part,
            metrics=metrics,
            threshold=threshold,
            curves=curves,
            settings=settings,
            data=run_data(run, data),
            engine=engine,
            device=device,
        )

    def predict(
        self,
        x: Any = None,
        weights: "Weights | None" = None,
        *,
        run: "Origin | None" = None,
        data: Any = None,
        top: int = 1,
        engine: EngineName = "numpy",
        device: Device = "cpu",
        **settings: Any,
    ) -> "Prediction":
        """Predict new samples, preprocessed as in the run.

        Args:
            x: Samples, (N, ...), or inputs by name; a data frame; or a path of pictures, or a list
                of such.
            weights: See `evaluate`.
            run: See `evaluate`.
            data: A data set, such as `npz("new.npz")`, instead of `x`.
            top: How many classes each answer names.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            settings: Settings that replace the run's.

        Returns:
            The prediction, with `outputs` (arrays by name) and `answers`.

        Raises:
            NetError: There are no weights (E546), or samples and network do not match.
        """
        from .prediction import predict

        return predict(
            self.model,
            x,
            self.trained(run, weights),
            data=data,
            top=top,
            settings=settings,
            engine=engine,
            device=device,
        )

    def predict_files(
        self,
        path: "str | PathLike[str]",
        output: "str | PathLike[str]",
        weights: "Weights | None" = None,
        *,
        run: "Origin | None" = None,
        columns: Sequence[str] = (),
        top: int = 1,
        engine: BulkEngineName = "onnxruntime",
        device: Device = "cpu",
        actors: int | None = None,
        cpus_per_actor: int = 1,
        gpus_per_actor: float = 0.0,
        **settings: Any,
    ) -> "BulkPrediction":
        """Predict all samples of files, however many, into a folder of Parquet files.

        What an interrupted call has written is kept: the same call again writes the rest.

        Args:
            path: A file, or a folder of files: Parquet, CSV, npz, or images.
            output: The folder, whose name ends in `.parquet`.
            weights: See `evaluate`.
            run: See `evaluate`.
            columns: The columns of tables that are the input; by default, the run's, or all that
                hold numbers.
            top: How many classes each answer names.
            engine: `onnxruntime`, in this process, or `ray`.
            device: `cpu` or `cuda`, in this process.
            actors: How many processes predict on Ray; by default, as many as it has room for.
            cpus_per_actor: Processors and threads of each.
            gpus_per_actor: GPUs of each, which it then computes on.
            settings: Settings that replace the run's.

        Returns:
            How many rows were written, to how many files.

        Raises:
            NetError: There are no weights (E546), samples and network do not match, the folder
                holds other results (E545), or a package is missing (E528).
        """
        from .bulk_prediction import predict_files

        return predict_files(
            *(self.model, self.trained(run, weights), fspath(path), fspath(output)),
            columns=columns,
            top=top,
            settings=settings,
            engine=engine,
            device=device,
            actors=actors,
            cpus_per_actor=cpus_per_actor,
            gpus_per_actor=gpus_per_actor,
        )

    def features(
        self,
        label: str,
        path: "str | PathLike[str]",
        weights: "Weights | None" = None,
        *,
        run: "Origin | None" = None,
        data: Any = None,
        part: PartName = "all",
        allow: Sequence[str] = (),
        engine: EngineName = "numpy",
        device: Device = "cpu",
        **settings: Any,
    ) -> "Extracted":
        """Write a layer's output for each sample, with the targets, to an `.npz` file.

        Args:
            label: The layer, label or output.
            path: The file, which `data = npz("...")` reads.
            weights: See `evaluate`.
            run: See `evaluate`.
            data: See `evaluate`.
            part: `train`, `validation`, `test` or `all`.
            allow: Patterns of weights that need not match; they are drawn.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            settings: Settings that replace the run's.

        Raises:
            NetError: See `evaluate`; there is no such label, or the file cannot be written.
        """
        from .inspection import features

        return features(
            *(self.model, self.trained(run, weights), label, fspath(path)),
            allow=allow,
            part=part,
            settings=settings,
            data=run_data(run, data),
            engine=engine,
            device=device,
        )

    def trained(self, run: "Origin | None", weights: "Weights | None" = None) -> "Trained":
        """What a run left: its weights, or others in their place, its preprocessing and settings.

        Raises:
            NetError: E546, there are no weights; they do not fit; or files cannot be read.
        """
        from .training import as_trained

        graph = self.model.graph
        return as_trained(graph, run, weights)


def run_data(run: "Origin | None", data: Any) -> Any:
    """The data that are given, or else those that a run holds, which no program may name."""
    job = getattr(run, "job", None)
    return job.data if data is None and job is not None else data

"""What methods of networks return, by name, for annotations."""

from .benchmarks import Benchmark, Profile
from .bulk_prediction import BulkPrediction
from .comparison.changes import Difference, LayerChange
from .comparison.report import Diff
from .compiler.analysis.counts import Counts
from .compiler.ir.dim import Dim
from .compiler.training.recipe import Recipe
from .compiler.training.terms import Term
from .cross_validation import CrossValidation
from .evaluation import Evaluation
from .prediction import Prediction
from .runtime.engines.deviations import Deviation, Rounding
from .runtime.inference.predictions import Answer
from .runtime.inspection.features import Extracted
from .runtime.monitoring.records import Records, Signal, Symptom
from .runtime.run_folder.history import History
from .runtime.run_folder.trained import Trained
from .runtime.sanity.checks import Check
from .runtime.training.rate_range import RateRange
from .runtime.training.run import Run
from .runtime.weights.transfer import Matching
from .summary.rows import LayerRow
from .summary.table import Summary
from .training import Watched

__all__ = [
    "Answer",
    "Benchmark",
    "BulkPrediction",
    "Check",
    "Counts",
    "CrossValidation",
    "Deviation",
    "Diff",
    "Difference",
    "Dim",
    "Evaluation",
    "Extracted",
    "History",
    "LayerChange",
    "LayerRow",
    "Matching",
    "Prediction",
    "Profile",
    "RateRange",
    "Recipe",
    "Records",
    "Rounding",
    "Run",
    "Signal",
    "Summary",
    "Symptom",
    "Term",
    "Trained",
    "Watched",
]

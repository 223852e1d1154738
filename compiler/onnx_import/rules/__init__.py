"""What changed in ONNX's operators, a file per kind of change; each enters rows in the table."""

from ..rewriting import RULES
from . import axes, broadcasting, control_flow, experimental, normalization, options, resampling

FILES = (axes, broadcasting, control_flow, experimental, normalization, options, resampling)
__all__ = ("FILES", "RULES")

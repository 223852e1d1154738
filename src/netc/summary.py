"""Graph to the layer table: rows, and their rendering as text, JSON, Markdown and CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .compiler.analysis.counts import CONVENTION, Counts, LayerCounts, count, total
from .compiler.analysis.memory import Memory, measure
from .compiler.analysis.receptive_field import ReceptiveField, receptive_fields
from .compiler.arguments import Word, spell
from .compiler.dim import Dim
from .compiler.graph import Graph, Layer
from .compiler.layerdef import LAYERS, LayerDef
from .compiler.types import TensorType, author_size
from .grammar.diagnostics import did_you_mean, error
from .grammar.source import Span

DEFAULT_MARK = "*"
NOTHING = "-"

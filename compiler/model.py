"""A network and what is known of it: where counts, pictures, exports, runs and training start.

A `.net` program is one way to a model; `Model(graph)` is enough where no `train` block is needed.
"""

import os
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from ..grammar import ast
from ..grammar.diagnostics import Diagnostic
from ..grammar.records import record
from ..grammar.source import Source
from .ir.graph import Graph

# What training knows is loaded for programs with a `train` block only: others start faster.
if TYPE_CHECKING:
    from .training.recipe import Recipe

DEFAULT_LANGUAGE = 1


@record
class Program:
    """The text that a model was compiled from, and its syntax tree."""

    source: Source
    module: ast.Module

    @property
    def language(self) -> int:
        """The version of the language's defaults that it was written for."""
        statements = self.module.statements
        versions = (s.version for s in statements if isinstance(s, ast.LanguageStatement))
        return next(versions, DEFAULT_LANGUAGE)


@record
class Metadata:
    """What is known of a model besides its graph.

    Attributes:
        program: What it was compiled from; None where it was not.
        recipe: How to train it, as a `train` block says; None where nothing says so.
        warnings: What was noticed while it was made.
        batch: How many samples a file fixes, where any number of them does; else None.
    """

    program: Program | None = None
    recipe: "Recipe | None" = None
    warnings: tuple[Diagnostic, ...] = ()
    batch: int | None = None


@record
class Model:
    """A network, neither in training nor in inference mode, not optimised."""

    graph: Graph
    metadata: Metadata = field(default_factory=Metadata)

    def __repr__(self) -> str:
        return f"<Model {self.graph.name}: {len(self.graph.layers):,} layers>"

    @property
    def recipe(self) -> "Recipe | None":
        """How to train it; None where nothing says so."""
        return self.metadata.recipe

    @property
    def text(self) -> str:
        """The program's text; empty where there is no program."""
        return self.metadata.program.source.text if self.metadata.program else ""

    @property
    def origin(self) -> str:
        """The program's file, or the network's name where there is no program."""
        return self.metadata.program.source.name if self.metadata.program else self.graph.name

    @property
    def folder(self) -> str:
        """Where relative paths of its data start; empty for the working directory."""
        return os.path.dirname(self.metadata.program.source.name) if self.metadata.program else ""

    def revised(self, graph: Graph | None = None, **metadata: Any) -> "Model":
        """The model with another graph, or with fields of its metadata replaced."""
        return Model(graph or self.graph, replace(self.metadata, **metadata))

    def properties(self) -> Mapping[str, str]:
        """What an ONNX model says of the program that it comes from."""
        program = self.metadata.program
        if program is None:
            return {}
        return {"source": program.source.text, "language": str(program.language)}

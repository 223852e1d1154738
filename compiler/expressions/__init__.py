"""Values of the language: what arguments hold, names, and the evaluation of expressions."""

from . import calls  # noqa: F401  (adds its rule to the table)

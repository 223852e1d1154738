"""Values of the language: what arguments hold, names, and the evaluation of expressions."""

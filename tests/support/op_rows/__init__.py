"""Rows of the op table, a file per family of operators, mirroring the kernels."""

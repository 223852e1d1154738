"""Rules of differentiation (vector-Jacobian products), a file per family of operators.

A rule gets a `VjpCall` and returns the gradient with respect to each argument, built from ordinary
operators, so that gradients can be differentiated, drawn, counted and exported like any graph.
"""

"""Feeding: which array of a data set goes where in a network, and the batches that come of it."""

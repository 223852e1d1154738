"""Metrics: what outputs and targets mean, what is gathered of them, and the numbers it gives."""

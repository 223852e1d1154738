"""Sanity checks: what should be so before a network is worth training."""

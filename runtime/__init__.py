"""Graph to numbers: plans, engines, weights."""

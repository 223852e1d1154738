"""Plots: curves of training, confusion matrices, ROC and precision-recall curves."""

"""Plots: pictures through matplotlib, in netc's style, of arrays; a file for each idea."""

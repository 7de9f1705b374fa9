"""Distances, manifolds, confidence intervals, and the network behind them."""

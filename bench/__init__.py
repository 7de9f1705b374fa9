"""Measurements against peers, run by hand: `make bench`."""

"""Servers, the worker, and what `packshot up` runs."""

"""Measuring a picture."""

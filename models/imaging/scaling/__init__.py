"""Resampling, patches and tiles."""

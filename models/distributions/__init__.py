"""Gaussians over images and discretised logistics."""

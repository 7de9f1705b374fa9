"""Holes and textures."""

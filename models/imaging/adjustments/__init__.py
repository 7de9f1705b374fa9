"""Tone, colour and degradation."""

"""Figures with their protocol, the ruler that measures them, and sheets of samples."""

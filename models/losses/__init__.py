"""The losses that trainings minimise."""

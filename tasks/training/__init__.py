"""One resumable training."""

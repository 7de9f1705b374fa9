"""One file an operation on a photograph."""

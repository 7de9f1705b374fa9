"""One file a family that generates images."""

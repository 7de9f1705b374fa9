"""One file a family that edits photographs."""

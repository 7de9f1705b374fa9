"""The gate, model cards, moves of the champion, shipped versions."""

"""A slot's versions, ranked on one protocol."""

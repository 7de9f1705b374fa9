"""Which markets come with Packshot: every YAML file in `markets/` is one, called by the file's name."""

from __future__ import annotations

from pathlib import Path

MARKETS = Path(__file__).with_name("markets")


def list_markets() -> list[str]:
    """The names of the markets, sorted; none of their files is read."""
    return sorted(path.stem for path in MARKETS.glob("*.yaml"))

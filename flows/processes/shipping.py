"""The process that registers the shipped weights; `packshot up` runs it before the servers start."""

from __future__ import annotations

import os
import sys

from flows.reporting.console import run_command, summary_table
from tasks.promotion.shipments import register_shipped
from tasks.workspace.settings import Settings


def main() -> None:
    """Register what is missing, and print what that was."""
    settings = Settings()
    os.environ.update(settings.environment())
    rows = [
        (one.slot, one.version, one.family, "champion" if one.promoted else "waits for a promotion")
        for one in register_shipped(settings)
    ]
    if rows:
        summary_table("weights that come with Packshot, registered", ("slot", "version", "family", ""), rows)


if __name__ == "__main__":
    sys.exit(run_command(main))

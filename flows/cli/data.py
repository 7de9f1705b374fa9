"""The commands of `packshot data`."""

from __future__ import annotations

from pathlib import Path

from flows.reporting.console import say, summary_table
from tasks.workspace.settings import Settings


def add_data(folder: Path, name: str, link: bool) -> None:
    """`packshot data add`."""
    from tasks.versions.additions import add_folder

    report = add_folder(Settings(), folder, name, link)
    counts = f"{len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed"
    say(f"{name}: {counts}, {report.unchanged} unchanged")
    for sign, files in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        for file in list(files)[:10]:
            say(f"  {sign} {file}")
        if len(files) > 10:
            say(f"  {sign} and {len(files) - 10} more")
    say(f"version {report.version.md5}, {report.version.images} images; commit data.dvc to keep it")


def fetch_data(name: str) -> None:
    """`packshot data fetch`."""
    from flows.reporting.console import ConsoleProgress
    from tasks.pipeline.steps import ensure_catalogue

    with ConsoleProgress("fetch") as watch:
        say(ensure_catalogue(Settings(), name, None, watch).line.what)


def list_data(name: str | None) -> None:
    """`packshot data versions`."""
    from tasks.versions.resolution import list_versions

    rows = [
        (v.name, v.revision, v.md5, f"{v.images:,}", f"{v.bytes / 2**20:.1f} MiB")
        for v in list_versions(Settings(), name)
    ]
    summary_table("catalogues", ("catalogue", "revision", "md5", "images", "size"), rows)

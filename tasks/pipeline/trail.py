"""What a training records in the lineage index: data, validation, prepared set and run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.lineage.index import Attributes, Lineage, Parent, _origin
from tasks.lineage.trace import Node
from tasks.training.initial import name_version

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.dataset.validate import ValidationReport
    from tasks.training.result import FitResult
    from tasks.versions.resolution import CatalogueVersion


def record_data(home: Path, data: CatalogueVersion) -> None:
    """Record a version of a catalogue, by DVC's md5."""
    Lineage(home).record(_data(data))


def record_validation(home: Path, data: CatalogueVersion, report: ValidationReport) -> None:
    """Record a validation of a catalogue."""
    Lineage(home).record(_validation(report), [Parent(_data(data), "judged")])


def record_prepared(home: Path, prepared: PreparedSet, data: CatalogueVersion, report: ValidationReport) -> None:
    """Record a prepared set, made from a validated catalogue."""
    parents = [Parent(_data(data), "prepared from"), Parent(_validation(report), "allowed by")]
    Lineage(home).record(_prepared(prepared), parents)


def record_run(home: Path, fitted: FitResult, prepared: PreparedSet, tags: dict[str, str]) -> None:
    """Record a training run in MLflow, by its id."""
    attributes: Attributes = {"family": fitted.family, "updates": fitted.steps, "recipe": fitted.key}
    parents = [Parent(_prepared(prepared), "trained on"), *_start(fitted)]
    parents += _origin(tags.get("git_commit", ""), tags.get("prefect_flow_run", ""))
    Lineage(home).record(Node("run", fitted.run_id, attributes), parents)


def _start(fitted: FitResult) -> list[Parent]:
    """The version, or the file by its bytes, whose weights the training started from."""
    if fitted.init_from is None or fitted.init_sha256 is None:
        return []
    version = name_version(fitted.init_from)
    file = Node("weights", fitted.init_sha256, {"file": fitted.init_from})
    return [Parent(Node("version", version) if version else file, "started from")]


def _data(data: CatalogueVersion) -> Node:
    return Node("data", data.md5, {"catalogue": data.name, "images": data.images, "bytes": data.bytes})


def _validation(report: ValidationReport) -> Node:
    result = "passed" if report.success else "failed"
    return Node(
        "validation", report.key, {"suite": report.suite, "result": result, "quarantined": len(report.quarantined)}
    )


def _prepared(prepared: PreparedSet) -> Node:
    height, width, channels = prepared.shape
    return Node("prepared", prepared.key, {"shape": f"{height}x{width}x{channels}", "images": prepared.count})

"""Re-evaluation of a registered version on the data it was trained from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks.evaluation.ruler import ensure_ruler
from tasks.evaluation.yardstick import Yardstick
from tasks.pipeline.steps import ensure_catalogue, ensure_prepared, ensure_validation
from tasks.promotion.kinds import slot_kind
from tasks.promotion.plan import read_plan
from tasks.registry.loading import load_version
from tasks.registry.recording import CHAMPION
from tasks.workspace.parameters import find_source

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.evaluation.report import EvaluationReport
    from tasks.registry.loading import VersionInfo
    from tasks.workspace.progress import Progress
    from tasks.workspace.settings import Settings


def evaluate_registered(
    settings: Settings, slot: str, version: int | None, progress: Progress, data_md5: str | None = None
) -> EvaluationReport:
    """The report of a version on the data `data_md5`, or else on its training data: found, or measured now.

    Raises:
        RegistryError: there is no such version, or it was trained elsewhere.
        InputError: DVC can no longer produce the data that it was trained from.
    """
    chosen = load_version(settings, slot, CHAMPION if version is None else version)
    if "data_md5" not in chosen.tags:
        raise RegistryError(f"{slot} version {chosen.version} has no data to be judged on: it was not trained here")
    catalogue, family = chosen.tags["catalogue"], chosen.tags["family"]
    plan = read_plan(settings.root, catalogue, family)
    source = find_source(settings.root, catalogue)
    data = ensure_catalogue(settings, source, data_md5 or chosen.tags["data_md5"], progress).value
    validation = ensure_validation(settings.home, data, quarantine=True, max_quarantined=1.0).value
    prepared = ensure_prepared(settings.home, data, validation, plan.prepare, progress).value
    ruler = ensure_ruler(settings, catalogue, prepared, progress) if slot_kind(family).has_ruler else None
    return measure_version(settings.home, chosen, Yardstick(prepared, plan.evaluate, ruler), progress)


def measure_version(home: Path, version: VersionInfo, yardstick: Yardstick, progress: Progress) -> EvaluationReport:
    """The report of a registered version by a yardstick, found or measured now."""
    family = version.tags["family"]
    evaluate = slot_kind(family).evaluate
    return evaluate(home, version.onnx_path, family, yardstick, progress, training_folder(home, version)).value


def training_folder(home: Path, version: VersionInfo) -> Path:
    """The folder of the version's training, if it was trained here: it holds more than the exported file."""
    folder = home / "trainings" / version.tags.get("recipe", "")
    return folder if (folder / "result.json").exists() else version.onnx_path.parent

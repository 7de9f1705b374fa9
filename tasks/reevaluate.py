"""Judge a version that is registered already, on the data that it was trained from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks import pipeline
from tasks.register import CHAMPION, load_version

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.progress import Progress
    from tasks.register import VersionInfo
    from tasks.report import EvaluationReport
    from tasks.settings import Settings


def evaluate_registered(
    settings: Settings, slot: str, version: int | None, progress: Progress, data_md5: str | None = None
) -> EvaluationReport:
    """The report of a version, found or measured now, on the data `data_md5` or else on those that it was trained from.

    Raises:
        RegistryError: there is no such version, or it is no generator.
        InputError: DVC can no longer produce the data that it was trained from.
    """
    from tasks.evaluate import EvaluateConfig
    from tasks.prepare import PrepareConfig
    from tasks.recipes import find_source, parse, read_params, read_prepare
    from tasks.ruler import ensure_ruler

    chosen = load_version(settings, slot, CHAMPION if version is None else version)
    if "data_md5" not in chosen.tags:
        raise RegistryError(f"{slot} version {chosen.version} has no data to be judged on: it is no generator")
    catalogue = slot.removeprefix("generate-")
    source = find_source(settings.root, catalogue)
    data = pipeline.ingest(settings, source, data_md5 or chosen.tags["data_md5"], progress).value
    validation = pipeline.validate(settings, data, quarantine=True, max_quarantined=1.0).value
    shape = parse(PrepareConfig, read_prepare(settings.root, catalogue))
    prepared = pipeline.prepare(settings, data, validation, shape, progress).value
    ruler = ensure_ruler(settings, catalogue, prepared, progress)
    config = parse(EvaluateConfig, read_params(settings.root).get("evaluate", {}))
    onnx, family, training = chosen.onnx_path, chosen.tags["family"], training_folder(settings, chosen)
    return pipeline.evaluate(settings, onnx, family, prepared, config, ruler, progress, training).value


def training_folder(settings: Settings, version: VersionInfo) -> Path:
    """The folder of the version's training, which knows more of it than its file does, if it was trained here."""
    folder = settings.home / "trainings" / version.tags.get("recipe", "")
    return folder if (folder / "result.json").exists() else version.onnx_path.parent

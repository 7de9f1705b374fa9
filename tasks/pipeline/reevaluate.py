"""Judge a version that is registered already, on the data that it was trained from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks.pipeline.steps import (
    ensure_catalogue,
    ensure_editor_report,
    ensure_generator_report,
    ensure_prepared,
    ensure_validation,
)
from tasks.registry.register import CHAMPION, load_version

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.evaluation.report import EvaluationReport
    from tasks.registry.register import VersionInfo
    from tasks.workspace.progress import Progress
    from tasks.workspace.settings import Settings


def evaluate_registered(
    settings: Settings, slot: str, version: int | None, progress: Progress, data_md5: str | None = None
) -> EvaluationReport:
    """The report of a version, found or measured now, on the data `data_md5` or else on those that it was trained from.

    Raises:
        RegistryError: there is no such version, or it was trained elsewhere.
        InputError: DVC can no longer produce the data that it was trained from.
    """
    from models import load_family
    from tasks.dataset.prepare import PrepareConfig
    from tasks.evaluation.generators import EvaluateConfig
    from tasks.evaluation.ruler import ensure_ruler
    from tasks.registry.slots import is_editor
    from tasks.workspace.parameters import find_source, parse, read_editing, read_params, read_prepare

    chosen = load_version(settings, slot, CHAMPION if version is None else version)
    if "data_md5" not in chosen.tags:
        raise RegistryError(f"{slot} version {chosen.version} has no data to be judged on: it was not trained here")
    catalogue, family = chosen.tags["catalogue"], chosen.tags["family"]
    edits = is_editor(family)
    source = find_source(settings.root, catalogue)
    data = ensure_catalogue(settings, source, data_md5 or chosen.tags["data_md5"], progress).value
    validation = ensure_validation(settings, data, quarantine=True, max_quarantined=1.0).value
    shape = (
        read_editing(settings.root, catalogue, load_family(family).capability)[0]
        if edits
        else read_prepare(settings.root, catalogue)
    )
    prepared = ensure_prepared(settings, data, validation, parse(PrepareConfig, shape), progress).value
    if edits:
        return ensure_editor_report(settings, chosen.onnx_path, family, prepared, progress).value
    ruler = ensure_ruler(settings, catalogue, prepared, progress)
    config = parse(EvaluateConfig, read_params(settings.root).get("evaluate", {}))
    training = training_folder(settings, chosen)
    return ensure_generator_report(
        settings, chosen.onnx_path, family, prepared, config, ruler, progress, training
    ).value


def training_folder(settings: Settings, version: VersionInfo) -> Path:
    """The folder of the version's training, which knows more of it than its file does, if it was trained here."""
    folder = settings.home / "trainings" / version.tags.get("recipe", "")
    return folder if (folder / "result.json").exists() else version.onnx_path.parent

"""Judge a version that is registered already, on the data that it was trained from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.errors import RegistryError
from tasks import pipeline
from tasks.register import CHAMPION, load_version

if TYPE_CHECKING:
    from tasks.progress import Progress
    from tasks.report import EvaluationReport
    from tasks.settings import Settings


def evaluate_registered(settings: Settings, slot: str, version: int | None, progress: Progress) -> EvaluationReport:
    """The report of a version, found or measured now.

    Raises:
        RegistryError: there is no such version, or it is no generator.
        InputError: DVC can no longer produce the data that it was trained from.
    """
    from tasks.evaluate import EvaluateConfig
    from tasks.prepare import PrepareConfig
    from tasks.recipes import parse, read_params, read_section
    from tasks.ruler import ensure_ruler

    chosen = load_version(settings, slot, CHAMPION if version is None else version)
    if "data_md5" not in chosen.tags:
        raise RegistryError(f"{slot} version {chosen.version} has no data to be judged on: it is no generator")
    catalogue = slot.removeprefix("generate-")
    data = pipeline.ingest(settings, catalogue, chosen.tags["data_md5"], progress).value
    validation = pipeline.validate(settings, data, quarantine=True, max_quarantined=1.0).value
    shape = parse(PrepareConfig, read_section(settings.root, "prepare", catalogue))
    prepared = pipeline.prepare(settings, data, validation, shape, progress).value
    ruler = ensure_ruler(settings, catalogue, prepared, progress)
    config = parse(EvaluateConfig, read_params(settings.root).get("evaluate", {}))
    return pipeline.evaluate(settings, chosen.onnx_path, chosen.tags["family"], prepared, config, ruler, progress).value

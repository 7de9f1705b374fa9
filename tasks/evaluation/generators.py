"""Evaluation of an exported generator on held-out images: distance, recognisability, and copying."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.errors import InputError
from models.exported.generator import ExportedGenerator
from models.families.discovery import load_family, module_of
from models.metrics.criteria import TRUSTED, choose_criterion
from models.metrics.distances import SUBSETS, nearest_neighbours, subset_size
from models.metrics.manifold import NEAREST
from tasks.dataset.arrays import read_array
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.figures import (
    measure_categories,
    measure_copies,
    measure_distances,
    measure_untrained,
    read_likelihood,
    real_floors,
    set_floors,
)
from tasks.evaluation.measured_sets import measure_generated, measure_real
from tasks.evaluation.report import CONTACT_SHEET, REPORT, EvaluationReport, evaluation_folder
from tasks.evaluation.sheets import film_strip, interpolation_sheet, pairs_sheet, version_sheet
from tasks.photos.contact_sheet import grid, save_sheet
from tasks.provenance.sheet import SheetRecord
from tasks.provenance.source_type import COMPOSITE, GENERATED
from tasks.workspace.code import digest_code
from tasks.workspace.progress import Progress
from tasks.workspace.records import StepKey
from tasks.workspace.storage import digest_file, storage_errors, write_atomically

if TYPE_CHECKING:
    from tasks.evaluation.ruler import RulerFile

GRID = 100
CLOSEST = 12
LIKELIHOOD, UNTRAINED = "likelihood.json", "untrained.npy"


class EvaluateConfig(BaseModel):
    """How many samples are evaluated, and from which seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(default=10_000, ge=100, le=100_000, description="generated images to judge")
    samples_of: dict[str, Annotated[int, Field(ge=100, le=100_000)]] = Field(
        default={}, description="another number for families that sample slowly"
    )
    seed: int = Field(default=1234, ge=0, le=2**31 - 1, description="seed of their noise")

    def count(self, family: str) -> int:
        """The number of samples of `family` to evaluate."""
        return self.samples_of.get(family, self.samples)


def evaluate_step(
    onnx_sha256: str, family: str, prepared: PreparedSet, config: EvaluateConfig, ruler: RulerFile, training: Path
) -> StepKey:
    """The key of an evaluation; `training` is the folder that may hold the model's likelihood."""
    likelihood = training / LIKELIHOOD
    return StepKey(
        name="evaluate",
        inputs={
            "model": onnx_sha256,
            "prepared": prepared.key,
            "ruler": ruler.digest,
            "protocol": f"{config.count(family)} of seed {config.seed}",
            "code": digest_code(__name__, module_of(family)),
        }
        | ({"likelihood": digest_file(likelihood)} if likelihood.exists() else {}),
    )


def evaluate_generator(
    home: Path,
    onnx: Path,
    family: str,
    prepared: PreparedSet,
    config: EvaluateConfig,
    ruler: RulerFile,
    key: str,
    progress: Progress,
    training: Path,
) -> tuple[EvaluationReport, Path]:
    """Evaluate the generator against the test split; returns the report and its folder, which also holds pictures.

    The folder `training` may hold images of the network before training (`untrained.npy`, uint8 (N, H, W, C)), its
    likelihood and its grids of samples; whatever is missing is left out.

    Raises:
        InputError: the generator's categories differ from those of the prepared set.
    """
    generator, count = ExportedGenerator(onnx), config.count(family)
    if generator.categories != prepared.categories:
        raise InputError("the model's categories", ", ".join(generator.categories), prepared.categories)
    made = measure_generated(generator, ruler, count, config.seed, progress)
    real, names = measure_real(home, prepared, ruler), prepared.categories
    neighbours = nearest_neighbours(made.images, prepared.images("train"))
    likelihood, likelihood_protocol = read_likelihood(training / LIKELIHOOD)
    figures = [
        *measure_distances(real, made, names, config.seed),
        *measure_categories(made, names, generator.conditional),
        *measure_copies(neighbours),
        *likelihood,
    ]
    if (training / UNTRAINED).exists():
        figures += measure_untrained(read_array(training / UNTRAINED), real, names, ruler)
    digest, folder = digest_file(onnx), evaluation_folder(home, key)
    closest = np.argsort(neighbours.differences)[:CLOSEST]
    title = f"{family} for {prepared.catalogue}, model {digest[:8]}"
    nearest = prepared.images("train")[neighbours.rows[closest]]
    about = f"{title}: the samples closest to a training image"
    pairs = pairs_sheet(made.images[closest], nearest, neighbours.differences[closest], about)
    save_sheet(pairs, folder / "nearest.png", SheetRecord(about=about, source_type=COMPOSITE))
    save_sheet(grid(made.images[:GRID], len(names)), folder / "samples.png", of_generated(f"{title}: samples"))
    report = EvaluationReport(
        key=key,
        catalogue=prepared.catalogue,
        family=family,
        conditional=generator.conditional,
        onnx_sha256=digest,
        prepared_key=prepared.key,
        data_md5=prepared.data_md5,
        criterion=choose_criterion(len(real), count),
        protocol=protocol(prepared, config, ruler, count) | likelihood_protocol,
        figures=set_floors(figures, real_floors(home, prepared, ruler, real, count, config.seed)),
        left_out=draw_pictures(generator, family, training, prepared.shape[0], folder, title),
    )
    with storage_errors(folder):
        np.save(folder / "features.npy", made.features.numpy())
    write_atomically(folder / REPORT, report.model_dump_json(indent=1).encode() + b"\n")
    return report, folder


def draw_pictures(
    generator: ExportedGenerator, family: str, training: Path, height: int, folder: Path, title: str
) -> dict[str, str]:
    """Write the pictures that versions are compared by; returns those left out, and why."""
    save_sheet(version_sheet(generator, title), folder / CONTACT_SHEET, of_generated(title))
    left_out = {}
    if load_family(family).discrete:
        left_out["interpolations.png"] = f"{family} draws grey levels by its noise: nothing lies between two samples"
    else:
        about = f"{title}: interpolations"
        save_sheet(interpolation_sheet(generator, about), folder / "interpolations.png", of_generated(about))
    strip = film_strip(training, height, f"{title}: the training")
    if strip is None:
        left_out["film-strip.png"] = "the training left fewer than two grids of samples"
    else:
        save_sheet(strip, folder / "film-strip.png", of_generated(f"{title}: the training"))
    return left_out


def of_generated(about: str) -> SheetRecord:
    """What a sheet of generated images says of itself."""
    return SheetRecord(about=about, source_type=GENERATED)


def protocol(
    prepared: PreparedSet, config: EvaluateConfig, ruler: RulerFile, count: int
) -> dict[str, str | int | float]:
    """Everything needed to repeat the measurement."""
    reference = len(prepared.images("test"))
    return {
        "reference_split": "test",
        "reference_digest": prepared.digest("test"),
        "reference_images": reference,
        "samples": count,
        "seed": config.seed,
        "resizer": f"none, {prepared.shape[0]}x{prepared.shape[1]} as prepared",
        "extractor": ruler.path.name,
        "extractor_digest": ruler.digest,
        "extractor_accuracy": ruler.accuracy,
        "criterion": f"Fréchet distance where both sets have {TRUSTED:,} images, else kernel distance",
        "kid": f"{SUBSETS} subsets of {subset_size(reference, count)}; by category all pairs",
        "manifold": f"{NEAREST} nearest of {min(reference, count):,} images of each kind",
    }


def write_metrics(report: EvaluationReport, path: Path) -> None:
    """The figures as one flat JSON object, the form `dvc metrics` shows."""
    flat = {
        figure.name if figure.category is None else f"{figure.name}/{figure.category}": round(figure.value, 5)
        for figure in report.figures
    }
    write_atomically(path, json.dumps(flat, indent=1, ensure_ascii=False).encode() + b"\n")

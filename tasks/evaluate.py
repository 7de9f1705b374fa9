"""Evaluate an exported generator on held-out images: distance, recognisability, and whether it copies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from models.exported import ExportedGenerator, ExportedRuler
from models.metrics import (
    classify_scores,
    frechet_distance,
    frechet_inception_distance,
    kernel_distance,
    nearest_neighbours,
)
from tasks.contact_sheet import Entry, contact_sheet, grid
from tasks.prepared import PreparedSet
from tasks.progress import Progress
from tasks.report import EvaluationReport, Figure
from tasks.ruler import RulerFile
from tasks.settings import Settings
from tasks.steps import Step, digest_code
from tasks.storage import digest_file, storage_errors, write_atomically

CODE = ("models.metrics", "models.exported", "tasks.evaluate")
NEAR_COPY = 4.0
"""Mean absolute difference, in grey levels of 255, below which a sample counts as a copy of a training image."""
GRID = 100
CLOSEST = 12


class EvaluateConfig(BaseModel):
    """How many samples are judged, and from which seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int = Field(default=10_000, ge=100, le=100_000, description="generated images to judge")
    seed: int = Field(default=1234, ge=0, le=2**31 - 1, description="seed of their noise")


class Measured(BaseModel):
    """Features and predicted categories of the generated images, and what was asked for."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    images: npt.NDArray[np.uint8]
    features: Tensor
    predicted: Tensor
    wanted: Tensor


def evaluate_step(onnx_sha256: str, prepared: PreparedSet, config: EvaluateConfig, ruler: RulerFile) -> Step:
    """What an evaluation depends on."""
    return Step(
        name="evaluate",
        inputs={
            "model": onnx_sha256,
            "prepared": prepared.key,
            "ruler": ruler.digest,
            "protocol": f"{config.samples} of seed {config.seed}",
            "code": digest_code(*CODE),
        },
    )


def evaluate(
    settings: Settings,
    onnx: Path,
    family: str,
    prepared: PreparedSet,
    config: EvaluateConfig,
    ruler: RulerFile,
    key: str,
    progress: Progress,
    untrained: Path | None = None,
) -> tuple[EvaluationReport, Path]:
    """Judge the generator against the test split; returns the report and its folder, with pictures beside it.

    `untrained` holds images of the network before training (uint8 (N, H, W, C)), whose distance says how far it came.
    """
    folder = evaluation_folder(settings, key)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    generator = ExportedGenerator(onnx)
    generated = measure_generated(generator, ruler, config, progress)
    real_features, real_predicted = real_measures(settings, prepared, ruler)
    figures = [
        *_distances(prepared, ruler, real_features, generated, config.seed),
        *_categories(prepared, generated, generator.conditional, real_predicted),
        *_copies(prepared, generated, folder),
    ]
    if untrained is not None and untrained.exists():
        features, _ = ExportedRuler(ruler.path).measure(np.load(untrained))
        distance = frechet_distance(real_features, torch.from_numpy(features))
        figures.append(Figure(name="frechet_distance_untrained", value=distance, higher_is_better=False))
    report = EvaluationReport(
        key=key,
        catalogue=prepared.catalogue,
        family=family,
        conditional=generator.conditional,
        onnx_sha256=digest_file(onnx),
        prepared_key=prepared.key,
        data_md5=prepared.data_md5,
        protocol=protocol(prepared, config, ruler),
        figures=figures,
    )
    with storage_errors(folder):
        np.save(folder / "features.npy", generated.features.numpy())
        grid(generated.images[:GRID], len(generator.categories)).save(folder / "samples.png")
    write_atomically(folder / "report.json", report.model_dump_json(indent=1).encode() + b"\n")
    return report, folder


def evaluation_folder(settings: Settings, key: str) -> Path:
    """Where an evaluation's report, pictures and features are."""
    return settings.home / "evaluations" / key


def reference_path(settings: Settings, report: EvaluationReport) -> Path:
    """Where the features of the report's reference images are kept."""
    return _reference_path(settings, str(report.protocol["reference_digest"]), str(report.protocol["extractor_digest"]))


def _reference_path(settings: Settings, reference: str, extractor: str) -> Path:
    return settings.home / "features" / f"{reference[:16]}-{extractor[:16]}.npz"


def protocol(prepared: PreparedSet, config: EvaluateConfig, ruler: RulerFile) -> dict[str, str | int | float]:
    """What anyone needs to measure the same again."""
    return {
        "reference_split": "test",
        "reference_digest": prepared.digest("test"),
        "reference_images": len(prepared.images("test")),
        "samples": config.samples,
        "seed": config.seed,
        "resizer": f"none, {prepared.shape[0]}x{prepared.shape[1]} as prepared",
        "extractor": ruler.path.name,
        "extractor_digest": ruler.digest,
        "extractor_accuracy": ruler.accuracy,
        "kid": "50 subsets of 1000",
    }


def measure_generated(
    generator: ExportedGenerator, ruler: RulerFile, config: EvaluateConfig, progress: Progress
) -> Measured:
    """Make the samples and measure them."""
    measuring, images, features, predicted = ExportedRuler(ruler.path), [], [], []
    done = 0
    for batch in generator.batches(config.samples, config.seed):
        found, guessed = measuring.measure(batch)
        images.append(batch)
        features.append(torch.from_numpy(found))
        predicted.append(torch.from_numpy(guessed))
        done += len(batch)
        progress.update(done, config.samples, "images generated and measured")
    wanted = torch.from_numpy(generator.wanted(config.samples))
    return Measured(
        images=np.concatenate(images), features=torch.cat(features), predicted=torch.cat(predicted), wanted=wanted
    )


def real_measures(settings: Settings, prepared: PreparedSet, ruler: RulerFile) -> tuple[Tensor, Tensor]:
    """Features and predicted categories of the test split; measured once and kept."""
    path = _reference_path(settings, prepared.digest("test"), ruler.digest)
    if not path.exists():
        features, predicted = ExportedRuler(ruler.path).measure(prepared.images("test"))
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".part.npz")
            np.savez(temporary, features=features, predicted=predicted)
            temporary.replace(path)
    with np.load(path) as kept:
        return torch.from_numpy(kept["features"]), torch.from_numpy(kept["predicted"])


def _distances(
    prepared: PreparedSet, ruler: RulerFile, real: Tensor, generated: Measured, seed: int
) -> Iterator[Figure]:
    """Fréchet and kernel distance, with the distance of as many training images as the floor."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(prepared.images("train")))[: len(real)])
    floor = torch.from_numpy(ExportedRuler(ruler.path).measure(prepared.images("train")[rows])[0])
    mean, deviation = kernel_distance(real, generated.features, seed)
    yield Figure(
        name="frechet_distance",
        value=frechet_inception_distance(real, generated.features),
        floor=frechet_inception_distance(real, floor),
        higher_is_better=False,
    )
    yield Figure(
        name="kernel_distance",
        value=mean,
        spread=deviation,
        floor=kernel_distance(real, floor, seed)[0],
        higher_is_better=False,
    )


def _categories(
    prepared: PreparedSet, generated: Measured, conditional: bool, real_predicted: Tensor
) -> Iterator[Figure]:
    """How often the category asked for is recognised, and how evenly the categories appear."""
    names, count = prepared.categories, len(prepared.categories)
    real_labels = torch.from_numpy(prepared.labels("test"))
    real = classify_scores(real_predicted, real_labels, count)
    if conditional:
        scores = classify_scores(generated.predicted, generated.wanted, count)
        for name in ("accuracy", "recall", "f1"):
            yield Figure(name=name, value=float(scores[name]), floor=float(real[name]), higher_is_better=True)
        for name in ("recall", "f1"):
            for index, category in enumerate(names):
                value, floor = float(scores[f"{name}_by_category"][index]), float(real[f"{name}_by_category"][index])
                yield Figure(name=name, value=value, category=category, floor=floor, higher_is_better=True)
    shares = torch.bincount(generated.predicted, minlength=count) / len(generated.predicted)
    real_shares = torch.bincount(real_predicted, minlength=count) / len(real_predicted)
    for index, category in enumerate(names):
        value, floor = float(shares[index]), float(real_shares[index])
        yield Figure(name="share", value=value, category=category, floor=floor, higher_is_better=True)


def _copies(prepared: PreparedSet, generated: Measured, folder: Path) -> Iterator[Figure]:
    """Share of samples that are near-copies of a training image, and a sheet of the closest pairs."""
    training = prepared.images("train")
    found = nearest_neighbours(generated.images, training)
    real = nearest_neighbours(prepared.images("test"), training)
    closest = np.argsort(found.differences)[:CLOSEST]
    entries: list[Entry] = []
    for row in closest:
        entries.append((to_image(generated.images[row]), f"sample {row}"))
        entries.append((to_image(training[found.rows[row]]), f"nearest, {found.differences[row]:.1f} levels off"))
    with storage_errors(folder):
        contact_sheet(entries, "The samples closest to a training image").save(folder / "nearest.png")
    yield Figure(
        name="near_copies",
        value=float((found.differences < NEAR_COPY).mean()),
        floor=float((real.differences < NEAR_COPY).mean()),
        higher_is_better=False,
    )
    yield Figure(
        name="nearest_difference",
        value=float(np.median(found.differences)),
        floor=float(np.median(real.differences)),
        higher_is_better=True,
    )


def to_image(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """uint8 (H, W, 1 or 3) as a picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def write_metrics(report: EvaluationReport, path: Path) -> None:
    """The figures as one flat JSON object, the form `dvc metrics` shows."""
    flat = {
        figure.name if figure.category is None else f"{figure.name}/{figure.category}": round(figure.value, 5)
        for figure in report.figures
    }
    write_atomically(path, json.dumps(flat, indent=1, ensure_ascii=False).encode() + b"\n")

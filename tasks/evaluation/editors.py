"""Evaluation of an exported editing network on held-out images, beside a baseline without training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.exported.editor import ExportedRestoration
from models.families.discovery import module_of
from models.families.family import ImageShape
from models.families.restoration import JUDGED_AT_ONCE, SEED_OF_THE_JUDGE, Degraded, RestorationFamily, from_bytes
from models.imaging.inspection.similarity import ssim
from models.metrics.criteria import PSNR
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.report import CONTACT_SHEET, PICTURES, REPORT, EvaluationReport, Figure, evaluation_folder
from tasks.photos.contact_sheet import grid, save_sheet
from tasks.provenance.sheet import SheetRecord
from tasks.provenance.source_type import COMPOSITE
from tasks.registry.slots import rebuild
from tasks.workspace.code import digest_code
from tasks.workspace.progress import Progress
from tasks.workspace.records import StepKey
from tasks.workspace.storage import digest_file, storage_errors, write_atomically

SCORES = "scores.npz"
SHOWN = 12
NOT_DRAWN = "an editing network: the contact sheet shows what it was given, what it made, and the original"


class Scores(NamedTuple):
    """One value per image (N,): PSNR in dB, SSIM and mean absolute error of the network, and PSNR of the baseline."""

    psnr: npt.NDArray[np.float64]
    ssim: npt.NDArray[np.float64]
    l1: npt.NDArray[np.float64]
    baseline_psnr: npt.NDArray[np.float64]


class Judged(NamedTuple):
    """All scores, the digest of the network's inputs, and rows of pictures: baseline, restored, original."""

    scores: Scores
    inputs_digest: str
    rows: list[npt.NDArray[np.uint8]]


def evaluate_step(onnx_sha256: str, family: str, prepared: PreparedSet) -> StepKey:
    """The key of such an evaluation: everything it depends on."""
    code = digest_code(__name__, module_of(family))
    return StepKey(
        name="evaluate",
        inputs={"model": onnx_sha256, "family": family, "prepared": prepared.key, "code": code},
    )


def evaluate_editor(
    home: Path, onnx: Path, family: str, prepared: PreparedSet, key: str, progress: Progress
) -> tuple[EvaluationReport, Path]:
    """Evaluate the file on the test split; returns the report and its folder, which also holds scores and a sheet.

    Every version of a slot gets the same degraded images: they depend only on the held-out images and the slot.

    Raises:
        InputError: the family does not edit.
        TrainingError: the file is not an editing network.
    """
    exported = ExportedRestoration(onnx)
    height, _, channels = prepared.shape
    kind = rebuild(family, exported.facts, ImageShape(channels, height, len(prepared.categories)))
    judged = judge(kind, exported, prepared.images("test"), progress)
    folder, digest = evaluation_folder(home, key), digest_file(onnx)
    report = EvaluationReport(
        key=key,
        catalogue=prepared.catalogue,
        family=family,
        conditional=False,
        onnx_sha256=digest,
        prepared_key=prepared.key,
        data_md5=prepared.data_md5,
        criterion=PSNR,
        protocol=protocol(prepared, kind, judged.inputs_digest),
        figures=list(list_figures(judged.scores, prepared)),
        left_out={name: NOT_DRAWN for name in PICTURES if name != CONTACT_SHEET},
    )
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / SCORES, **judged.scores._asdict())
    save_sheet(
        grid(np.concatenate(judged.rows), 3, labels=["without it", "restored", "original"] * len(judged.rows)),
        folder / CONTACT_SHEET,
        SheetRecord(about=f"photographs restored by {family}, model {digest[:8]}", source_type=COMPOSITE),
    )
    write_atomically(folder / REPORT, report.model_dump_json(indent=1).encode() + b"\n")
    return report, folder


def judge(
    family: RestorationFamily, exported: ExportedRestoration, images: npt.NDArray[np.uint8], progress: Progress
) -> Judged:
    """Degrade uint8 images (N, H, W, C) as the family does, with a seed of its own, and measure what is restored."""
    found: list[Scores] = []
    rows: list[npt.NDArray[np.uint8]] = []
    digest = hashlib.sha256()
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED_OF_THE_JUDGE)
        for start in range(0, len(images), JUDGED_AT_ONCE):
            degraded = family.degrade(from_bytes(np.asarray(images[start : start + JUDGED_AT_ONCE])))
            given = {name: value.numpy() for name, value in degraded.inputs.items()}
            for value in given.values():
                digest.update(np.ascontiguousarray(value).tobytes())
            made, baseline = torch.from_numpy(exported.run(**given)), family.baseline(degraded.inputs)
            found.append(score(family, made, baseline, degraded))
            if len(rows) < SHOWN:
                rows.append(np.concatenate([to_pictures(part[:1]) for part in (baseline, made, degraded.target)]))
            progress.update(min(start + JUDGED_AT_ONCE, len(images)), len(images), "held-out images")
    joined = Scores(*(np.concatenate(values) for values in zip(*found, strict=True)))
    return Judged(joined, digest.hexdigest(), rows)


def score(family: RestorationFamily, made: Tensor, baseline: Tensor, degraded: Degraded) -> Scores:
    """The scores of a batch of images (N, C, H, W) in [0, 1]."""
    clipped = made.clamp(0, 1)
    similar = [
        ssim(ours.permute(1, 2, 0).numpy(), real.permute(1, 2, 0).numpy(), 1.0)
        for ours, real in zip(clipped, degraded.target, strict=True)
    ]
    return Scores(
        family.measure(made, degraded.target).double().numpy(),
        np.array(similar, np.float64),
        (clipped - degraded.target).abs().mean((1, 2, 3)).double().numpy(),
        family.measure(baseline, degraded.target).double().numpy(),
    )


def to_pictures(images: Tensor) -> npt.NDArray[np.uint8]:
    """uint8 (N, H, W, 3) of images (N, 1 or 3, H, W) in [0, 1]."""
    bytes_ = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return np.repeat(bytes_, 3, axis=3) if bytes_.shape[3] == 1 else bytes_


def list_figures(scores: Scores, prepared: PreparedSet) -> Iterator[Figure]:
    """Means over all held-out images, and PSNR by category."""
    for name, values in scores._asdict().items():
        spread = float(values.std())
        yield Figure(name=name, value=float(values.mean()), spread=spread, higher_is_better=name != "l1")
    labels = prepared.labels("test")
    for number, category in enumerate(prepared.categories):
        mine = labels == number
        if mine.any():
            for name in (PSNR, "baseline_psnr"):
                value = float(getattr(scores, name)[mine].mean())
                yield Figure(name=name, value=value, category=category, higher_is_better=True)


def protocol(prepared: PreparedSet, family: RestorationFamily, inputs_digest: str) -> dict[str, str | int | float]:
    """Everything needed to repeat the measurement."""
    count = len(prepared.images("test"))
    return {
        "reference_split": "test",
        "reference_digest": prepared.digest("test"),
        "reference_images": count,
        "samples": count,
        "seed": SEED_OF_THE_JUDGE,
        "degradation": family.degradation,
        "baseline": family.baseline_name,
        "resizer": f"{prepared.shape[0]}x{prepared.shape[1]} as prepared",
        "extractor": "pixels",
        "extractor_digest": inputs_digest,
        "measured": family.measured,
        "psnr": "what is measured, in dB, the mean over images, each clipped to its range",
        "spread": "standard deviation over images",
    }

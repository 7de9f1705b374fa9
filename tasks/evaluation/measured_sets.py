"""Sets of images with the ruler's features: held-out, floor and generated."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from models.exported.generator import ExportedGenerator
from models.exported.ruler import ExportedRuler
from tasks.dataset.arrays import read_arrays
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.report import EvaluationReport
from tasks.workspace.code import digest_code
from tasks.workspace.progress import Progress
from tasks.workspace.storage import write_atomically

if TYPE_CHECKING:
    from tasks.evaluation.ruler import RulerFile


class Measured(BaseModel):
    """Images uint8 (N, H, W, C), their features (N, D), predicted categories (N,) and true categories (N,).

    For a generator that takes no category, the predicted one stands in for the true one.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    images: npt.NDArray[np.uint8]
    features: Tensor
    predicted: Tensor
    categories: Tensor

    def __len__(self) -> int:
        return len(self.features)


def measure_generated(
    generator: ExportedGenerator, ruler: RulerFile, count: int, seed: int, progress: Progress
) -> Measured:
    """Make `count` samples and measure them."""
    measuring, images, features, predicted = ExportedRuler(ruler.path), [], [], []
    done = 0
    for batch in generator.batches(count, seed):
        found, guessed = measuring.measure(batch)
        images.append(batch)
        features.append(torch.from_numpy(found))
        predicted.append(torch.from_numpy(guessed))
        done += len(batch)
        progress.update(done, count, "images generated and measured")
    guesses = torch.cat(predicted)
    categories = torch.from_numpy(generator.wanted(count)) if generator.conditional else guesses
    return Measured(
        images=np.concatenate(images), features=torch.cat(features), predicted=guesses, categories=categories
    )


def measure_real(home: Path, prepared: PreparedSet, ruler: RulerFile) -> Measured:
    """The test split; measured once and cached."""
    path = features_path(home, prepared.digest("test"), ruler.digest)
    images = prepared.images("test")
    if not path.exists():
        features, predicted = ExportedRuler(ruler.path).measure(images)
        content = io.BytesIO()
        np.savez(content, features=features, predicted=predicted)
        write_atomically(path, content.getvalue())
    labels = torch.from_numpy(prepared.labels("test"))
    seen, guessed = map(torch.from_numpy, read_arrays(path, "features", "predicted"))
    return Measured(images=images, features=seen, predicted=guessed, categories=labels)


def measure_floor(prepared: PreparedSet, ruler: RulerFile, count: int, seed: int) -> Measured:
    """At most `count` training images, drawn by `seed`: real images like those of the test split."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(prepared.images("train")))[:count])
    images = prepared.images("train")[rows]
    features, predicted = (torch.from_numpy(found) for found in ExportedRuler(ruler.path).measure(images))
    labels = torch.from_numpy(prepared.labels("train")[rows])
    return Measured(images=images, features=features, predicted=predicted, categories=labels)


def reference_path(home: Path, report: EvaluationReport) -> Path:
    """Where the features of the report's reference images are kept."""
    return features_path(home, str(report.protocol["reference_digest"]), str(report.protocol["extractor_digest"]))


def features_path(home: Path, reference: str, extractor: str) -> Path:
    """Where the features that one extractor finds in one split are kept, as long as the same code runs it."""
    code = digest_code(ExportedRuler.__module__)
    return home / "features" / f"{reference[:16]}-{extractor[:16]}-{code[:16]}.npz"

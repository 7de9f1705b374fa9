"""A catalogue's ruler, shipped or trained once; the same file measures every version of every slot."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from models.errors import CatalogueError
from models.exported.ruler import ExportedRuler
from models.metrics.ruler import RulerConfig, export_ruler, train_ruler
from tasks.dataset.prepared import PreparedSet
from tasks.registry.register import register
from tasks.registry.tracking import open_tracking
from tasks.workspace.code import digest_json
from tasks.workspace.parameters import parse, read_params
from tasks.workspace.progress import Progress
from tasks.workspace.settings import SOURCE, CheckoutFolders, TrackingPlace
from tasks.workspace.storage import digest_file, locked, write_atomically

SHIPPED = SOURCE / "models" / "weights"


class RulerFile(NamedTuple):
    """An exported ruler: where it is, the SHA-256 that every figure quotes, and its accuracy on the test split."""

    path: Path
    digest: str
    accuracy: float
    source: str


def ensure_ruler(settings: CheckoutFolders, catalogue: str, prepared: PreparedSet, progress: Progress) -> RulerFile:
    """The catalogue's ruler for images of the prepared shape: the shipped one, else one trained here and kept.

    Raises:
        CatalogueError: the ruler's categories differ from those of the prepared set.
    """
    height, _, channels = prepared.shape
    name = f"ruler-{catalogue}-{height}x{height}x{channels}"
    shipped = SHIPPED / f"{name}.onnx"
    if shipped.exists():
        return _open(shipped, prepared, "shipped")
    trained = settings.home / "rulers" / f"{name}.onnx"
    with locked(trained.with_suffix(".lock"), seconds=3600, doing=f"training {name}"):
        if not trained.exists():
            train_and_keep(settings.root, prepared, trained, progress)
    return _open(trained, prepared, "trained here")


def train_and_keep(root: Path, prepared: PreparedSet, path: Path, progress: Progress) -> None:
    """Train a ruler on the prepared train split and write it to `path`, with a card beside it that says how."""
    config = parse(RulerConfig, read_params(root).get("ruler", {}))
    images, labels = prepared.images("train"), prepared.labels("train")
    ruler = train_ruler(images, labels, len(prepared.categories), config, progress.update)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        export_ruler(ruler, prepared.shape[0], prepared.categories, file)
        _, predicted = ExportedRuler(file).measure(prepared.images("test"))
        accuracy = float((predicted == prepared.labels("test")).mean())
        card = {
            "what": "classifier whose 128 penultimate features measure generated images",
            "accuracy": round(accuracy, 4),
            "train_split": prepared.digest("train"),
            "test_split": prepared.digest("test"),
            "data_md5": prepared.data_md5,
            "recipe": config.model_dump(),
            "sha256": digest_file(file),
        }
        write_atomically(path.with_suffix(".json"), json.dumps(card, indent=1).encode() + b"\n")
        write_atomically(path, file.read_bytes())


def register_ruler(settings: TrackingPlace, catalogue: str, ruler: RulerFile) -> int:
    """Make the ruler a version of the registered model `ruler-CATALOGUE`, once; returns the version."""
    digest = digest_json({"ruler": ruler.digest})
    known = settings.home / "rulers" / f"registered-{catalogue}-{digest}.json"
    with locked(known.with_suffix(".lock"), seconds=600, doing=f"registering the ruler of {catalogue}"):
        if not known.exists():
            version = _register(settings, catalogue, ruler)
            write_atomically(known, json.dumps({"version": version}).encode())
        return int(json.loads(known.read_text())["version"])


def _register(settings: TrackingPlace, catalogue: str, ruler: RulerFile) -> int:
    tracking = open_tracking(settings)
    tags = {"accuracy": f"{ruler.accuracy:.4f}", "source": ruler.source}
    run = tracking.start_or_resume_run("rulers", None, f"ruler-{catalogue}", tags, {})
    tracking.log_metrics(run, 0, {"test_accuracy": ruler.accuracy})
    card = f"Classifier that measures generated images of `{catalogue}`; test accuracy {ruler.accuracy:.4f}."
    version = register(settings, run, f"ruler-{catalogue}", "ruler", ruler.path, model_card=card, tags=tags)
    tracking.end_run(run)
    return version


def _open(path: Path, prepared: PreparedSet, source: str) -> RulerFile:
    made_for = ExportedRuler(path).categories
    if made_for != prepared.categories:
        raise CatalogueError(
            f"the ruler {path.name} knows the categories {', '.join(made_for)}, the prepared set has "
            f"{', '.join(prepared.categories)}; give the changed catalogue a name of its own"
        )
    card = json.loads(path.with_suffix(".json").read_text())
    return RulerFile(path, digest_file(path), float(card["accuracy"]), source)

"""Evaluation reports for tests, with the figures that they ask for."""

from __future__ import annotations

from typing import Any

from tasks.evaluation.report import EvaluationReport, Figure

CATEGORIES = ["bag", "boot"]


def make_report(reference: str = "r" * 64, samples: int = 10_000, **values: float) -> EvaluationReport:
    """A report of a conditional dcgan; `values` replace or add figures over all categories, such as precision=0.2."""
    figures = {"frechet_distance": 20.0, "kernel_distance": 0.5, "precision": 0.9, "manifold_recall": 0.8}
    figures |= {"density": 1.0, "coverage": 0.9, "accuracy": 0.9, "recall": 0.9, "f1": 0.9, "near_copies": 0.0}
    figures |= {"nearest_difference": 15.0} | values
    found = [
        Figure(name=name, value=value, floor=0.95, higher_is_better="distance" not in name)
        for name, value in figures.items()
    ]
    for name, better in (("recall", True), ("share", True), ("category_distance", False)):
        for index, category in enumerate(CATEGORIES):
            found.append(Figure(name=name, value=0.4 + index / 10, category=category, higher_is_better=better))
    protocol: dict[str, Any] = {"reference_split": "test", "reference_digest": reference, "reference_images": 10_000}
    protocol |= {"samples": samples, "seed": 1, "extractor": "ruler.onnx", "extractor_digest": "e" * 64}
    criterion = "frechet_distance" if samples >= 2048 else "kernel_distance"
    return EvaluationReport(
        key="k" * 32,
        catalogue="shop",
        family="dcgan",
        conditional=True,
        onnx_sha256="o" * 64,
        prepared_key="p" * 32,
        data_md5="d" * 32,
        criterion=criterion,
        protocol=protocol,
        figures=found,
    )

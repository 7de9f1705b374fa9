"""A finished training in one line, and where its files are."""

from pathlib import Path

import pytest

from models.training.initial import NETWORKS_FILE
from models.training.speed import SpeedPlan
from tasks.training.result import FitResult


@pytest.fixture
def fitted():
    return FitResult(
        key="f" * 32, family="dcgan", folder=Path("trainings/f"), run_id="a" * 32, steps=1200, best_step=900,
        criterion="validation_distance", best_value=21.5, seconds=70.4, images_per_second=340.2,
        export_difference=1e-6, onnx_sha256="o" * 64,
        plan=SpeedPlan(precision="bf16-mixed", memory_format="contiguous"),
    )  # fmt: skip


def test_a_training_is_told_by_its_updates_its_speed_and_its_best(fitted):
    said = "1,200 updates at 340 images/s (bf16-mixed, contiguous), best at 900: validation distance 21.5"
    assert fitted.text == said


def test_a_start_from_other_weights_is_told(fitted):
    start = {"init_from": "models:/generate-shop/4", "init_text": "12 of 14 tensors"}
    said = fitted.model_copy(update=start).text
    assert said.startswith("1,200 updates from models:/generate-shop/4 (12 of 14 tensors) at 340 images/s")


def test_a_fit_at_once_has_no_updates(fitted):
    said = "fitted to all images at once, 340 images/s, validation distance 21.5"
    assert fitted.model_copy(update={"plan": None}).text == said


def test_its_files_lie_in_its_folder(fitted):
    assert fitted.onnx == fitted.folder / "generator.onnx"
    assert fitted.weights.parent == fitted.folder
    assert fitted.weights.name == NETWORKS_FILE


def test_it_comes_back_from_json_wherever_its_home_is_then(fitted):
    assert FitResult.model_validate_json(fitted.model_dump_json()) == fitted
    kept = fitted.model_copy(update={"folder": Path("/here/trainings/f")}).model_dump_json(context={"home": "/here"})
    moved = FitResult.model_validate_json(kept, context={"home": Path("/there")})
    assert moved.folder == Path("/there/trainings/f")

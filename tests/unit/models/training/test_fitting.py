"""The making of a fitted family's generator: the files it leaves, and what stops it."""

import csv

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.errors import TrainingError
from models.training.fitting import check_finite, fit_family
from models.training.validation import Validation, sample
from tests.trainings import Recorder, brightness, build_family, draw_images


def fit(name, folder, log=None, score=brightness):
    images, labels = draw_images(64)
    validation = Validation(score, draw_images(16, seed=5), samples=32)
    family = build_family(name)
    return family, fit_family(family, images, labels, folder, validation, log or Recorder())


@pytest.mark.parametrize(
    ("name", "criterion"), [("gp", "validation_bits_per_dimension"), ("mrf", "validation_distance")]
)
def test_a_fit_leaves_its_weights_its_history_and_its_samples(name, criterion, tmp_path):
    log = Recorder()
    family, made = fit(name, tmp_path / "fit", log)
    assert (made.criterion, made.steps, made.best_step, made.images) == (criterion, 1, 1, 64)
    (row,) = csv.DictReader(made.history.read_text().splitlines())
    assert float(row[criterion]) == made.best_value
    assert float(row["images"]) == 64
    assert log.figures[0][1][criterion] == made.best_value
    assert log.grids[0][1].shape[1:] == (32, 32, 1)
    assert log.notes[-1][0] == log.notes[-1][1]

    again = build_family(name)
    again.generator.load_state_dict(load_file(made.generator))
    np.testing.assert_array_equal(sample(again, again.generator, 6, 3)[0], sample(family, family.generator, 6, 3)[0])


@pytest.mark.parametrize("name", ["gp", "mrf"])
def test_the_same_seed_fits_the_same_weights(name, tmp_path):
    first, second = fit(name, tmp_path / "a")[1], fit(name, tmp_path / "b")[1]
    assert first.generator.read_bytes() == second.generator.read_bytes()


def test_a_judgement_that_is_no_number_stops_the_fit_and_leaves_nothing(tmp_path):
    with pytest.raises(TrainingError, match=r"^validation_distance is not finite after the fit"):
        fit("mrf", tmp_path / "fit", score=lambda *_: float("nan"))
    assert not (tmp_path / "fit").exists()


def test_the_value_that_is_not_finite_is_named():
    check_finite({"mean": torch.zeros(3)})
    with pytest.raises(TrainingError, match=r"^deviation is not finite"):
        check_finite({"mean": torch.zeros(3), "deviation": torch.tensor([1.0, float("inf")])})

"""Every family and every block of params.yaml through a whole training: its file, its resumption, what it learns."""

import numpy as np
import pytest
import torch
import yaml

from models.exported.editor import ExportedRestoration, export_restoration
from models.exported.generator import TOLERANCE, export_generator
from models.families.family import FittedFamily
from models.training.fitting import fit_family
from models.training.validation import Validation
from tasks.workspace.parameters import build_recipe
from tasks.workspace.settings import SOURCE
from tests.families import EDITING, GENERATING, GRADIENT, shrink
from tests.trainings import (
    CATEGORIES,
    Recorder,
    brightness,
    build_family,
    build_trainer,
    draw_images,
    make_family,
    small,
    variants,
)

BLOCKS = yaml.safe_load((SOURCE / "params.yaml").read_text())["families"]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_of_params_yaml_trains_and_its_onnx_file_equals_the_network(block, tmp_path):
    name = BLOCKS[block]["family"]
    short = {"epochs": 1, "evaluations_per_epoch": 1} if name in GRADIENT else {}
    recipe = build_recipe(BLOCKS[block], shrink(name) | short)
    family, fresh = (make_family(recipe, 3 if name in EDITING else 1) for _ in range(2))
    images, labels = draw_images(channels=family.shape.channels)
    if isinstance(family, FittedFamily):
        validation = Validation(brightness, (images, labels), samples=16)
        trained = fit_family(family, images, labels, tmp_path, validation, Recorder())
    else:
        trained = build_trainer(tmp_path, family=family).run()
    assert np.isfinite(trained.best_value)
    assert export(fresh, trained.generator, tmp_path / "network.onnx") <= TOLERANCE


def export(family, weights, path):
    """Write the ONNX file of saved weights; its largest difference from the network, at several sizes or counts."""
    if family.config.family not in EDITING:
        return export_generator(family, weights, CATEGORIES, path)
    difference, exported = export_restoration(family, weights, path), ExportedRestoration(path)
    assert (exported.family, exported.capability) == (family.config.family, family.capability)
    assert exported.facts.items() >= family.facts.items()
    return difference


@pytest.mark.parametrize("name", GRADIENT)
def test_a_stopped_training_resumes_to_the_same_bytes(name, tmp_path):
    augment = {"flip": 0.5, "crop": 2}  # draws from the same random numbers as the noise
    whole = build_trainer(tmp_path / "whole", family=small(name, augment=augment)).run()
    stopped = build_trainer(tmp_path / "parts", family=small(name, augment=augment))
    stopped._resume()
    for _ in range(3):
        stopped.advance()
    stopped._save()
    parts = build_trainer(tmp_path / "parts", family=small(name, augment=augment)).run()
    assert parts.generator.read_bytes() == whole.generator.read_bytes()
    finals = [torch.load(tmp_path / folder / "checkpoint.pt", weights_only=True) for folder in ("whole", "parts")]
    for network, weights in finals[0]["networks"].items():
        assert all(torch.equal(value, finals[1]["networks"][network][key]) for key, value in weights.items())
    assert (whole.steps, parts.steps) == (12, 12)


@pytest.mark.parametrize("name", [name for name in GENERATING if name in GRADIENT])
def test_a_training_ends_with_images_that_are_nearer_than_the_first(name, tmp_path):
    config = {"epochs": 30, "ema": 0.9, "learning_rate": 5e-3, "seed": 1, **variants(name)[-1]}
    trainer = build_trainer(tmp_path, family=build_family(name, **config))
    real = draw_images()[0].mean(0)
    before = np.abs(trainer.sample(64, 0)[0].mean(0) - real).mean()
    for _ in range(trainer.total):
        trainer.advance()
    assert np.abs(trainer.sample(64, 0)[0].mean(0) - real).mean() < 0.8 * before

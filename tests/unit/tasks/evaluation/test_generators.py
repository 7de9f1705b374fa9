"""Evaluation's edges: what makes it run again, and which pictures a family has none of."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from models.exported.generator import ExportedGenerator
from tasks.evaluation.generators import EvaluateConfig, draw_pictures, evaluate_step
from tasks.evaluation.report import PICTURES
from tasks.photos.contact_sheet import grid
from tests.generators import SIDE, write_generator


class Keyed(NamedTuple):
    """What an evaluation's key takes from the prepared set and from the ruler."""

    key: str = "p" * 32
    digest: str = "r" * 64


@pytest.fixture
def generator(tmp_path):
    return ExportedGenerator(write_generator(tmp_path / "generator.onnx"))


def key(training: Path, family: str = "dcgan", **changes) -> str:
    return evaluate_step("o" * 64, family, Keyed(), EvaluateConfig(**changes), Keyed(), training).key


def test_a_likelihood_and_the_number_of_samples_are_part_of_the_key(tmp_path):
    before = key(tmp_path)
    assert key(tmp_path) == before
    assert key(tmp_path, samples_of={"vae": 500}) == before
    assert key(tmp_path, samples_of={"dcgan": 500}) != before
    (tmp_path / "likelihood.json").write_text("{}")
    assert key(tmp_path) != before


def test_a_discrete_family_has_no_interpolations_and_says_why(generator, tmp_path):
    left_out = draw_pictures(generator, "pixelcnn", tmp_path, SIDE, tmp_path / "out", "a title")
    assert "nothing lies between" in left_out["interpolations.png"]
    assert not (tmp_path / "out" / "interpolations.png").exists()
    assert (tmp_path / "out" / "contact-sheet.png").exists()


def test_a_gradient_family_has_all_pictures(generator, tmp_path):
    for step in (1, 2):
        grid(np.zeros((20, SIDE, SIDE, 1), np.uint8), 10).save(tmp_path / f"samples-{step:07d}.png")
    assert draw_pictures(generator, "dcgan", tmp_path, SIDE, tmp_path / "out", "a title") == {}
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == set(PICTURES) - {"samples.png", "nearest.png"}  # which show what was measured


def test_slow_families_are_judged_by_their_own_number():
    config = EvaluateConfig(samples=5000, samples_of={"pixelcnn": 200})
    assert (config.count("dcgan"), config.count("pixelcnn")) == (5000, 200)
    with pytest.raises(ValueError, match="samples_of"):
        EvaluateConfig(samples_of={"pixelcnn": 10})

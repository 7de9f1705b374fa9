"""Figures: collapse and missing categories show, floors are of real images, and a likelihood is read as written."""

import json

import numpy as np
import pytest
import torch

from models.metrics.distances import Neighbours
from tasks.evaluation.figures import (
    FEWEST,
    measure_categories,
    measure_copies,
    measure_distances,
    read_likelihood,
    set_floors,
)
from tasks.evaluation.measured_sets import Measured
from tasks.evaluation.report import Figure

NAMES = ["bag", "boot"]


def measured(count=120, shift=0.0, seed=0, categories=None):
    """Features of two categories that lie apart, and no pixels to speak of."""
    labels = torch.arange(count) % 2 if categories is None else categories
    noise = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    features = noise + 5 * labels[:, None] + shift
    images = np.zeros((count, 4, 4, 1), np.uint8)
    return Measured(images=images, features=features, predicted=labels, categories=labels)


def values(figures):
    return {(figure.name, figure.category): figure.value for figure in figures}


def test_equal_distributions_are_near_and_other_ones_far():
    real = measured()
    near = values(measure_distances(real, measured(seed=1), NAMES, seed=0))
    far = values(measure_distances(real, measured(seed=1, shift=2.0), NAMES, seed=0))
    for name in ("frechet_distance", "kernel_distance"):
        assert near[name, None] < 0.1 * far[name, None]
    for name in ("precision", "manifold_recall", "coverage", "density"):
        assert near[name, None] > 0.8
        assert near[name, None] > far[name, None]
    for category in NAMES:
        assert near["category_distance", category] < 0.1 * far["category_distance", category]


def test_one_bad_category_shows_in_its_own_distance():
    made = measured(seed=1)
    made.features[made.categories == 1] += 3.0
    found = values(measure_distances(measured(), made, NAMES, seed=0))
    assert found["category_distance", "boot"] > 20 * abs(found["category_distance", "bag"])


def test_a_category_with_hardly_an_image_has_no_distance():
    categories = (torch.arange(120) < FEWEST - 1).long()
    found = values(measure_distances(measured(), measured(seed=1, categories=categories), NAMES, seed=0))
    assert ("category_distance", "bag") in found
    assert ("category_distance", "boot") not in found


def test_fewer_samples_than_real_images_are_held_against_as_many():
    real = measured(400)
    scores = values(measure_distances(real, measured(60, seed=1), NAMES, seed=0))
    assert scores["manifold_recall", None] > 0.7


def test_only_what_can_be_asked_for_is_scored():
    asked = values(measure_categories(measured(), NAMES, conditional=True))
    assert asked["accuracy", None] == asked["recall", "boot"] == 1.0
    assert asked["share", "bag"] == 0.5
    assert {name for name, _ in values(measure_categories(measured(), NAMES, conditional=False))} == {"share"}


def test_near_copies_are_counted():
    found = Neighbours(np.zeros(4, np.int64), np.float32([0.5, 3.9, 4.0, 20.0]))
    assert values(measure_copies(found)) == {
        ("near_copies", None): 0.5,
        ("nearest_difference", None): pytest.approx(3.95),
    }


def test_floors_are_set_by_name_and_category():
    figures = [
        Figure(name="recall", value=0.5, higher_is_better=True),
        Figure(name="recall", value=0.4, category="bag", higher_is_better=True),
        Figure(name="other", value=1.0, higher_is_better=True),
    ]
    floors = [figure.model_copy(update={"value": 0.9 + index / 100}) for index, figure in enumerate(figures[:2])]
    assert [figure.floor for figure in set_floors(figures, floors)] == [0.9, 0.91, None]


def test_a_likelihood_is_a_figure_whose_protocol_names_it(tmp_path):
    path = tmp_path / "likelihood.json"
    assert read_likelihood(path) == ([], {})
    kept = {"bits_per_dimension": 2.5, "bits_per_dimension_spread": 0.01, "likelihood": "exact, categorical"}
    path.write_text(json.dumps(kept | {"split": "test", "images": 2000}))
    (figure,), protocol = read_likelihood(path)
    assert (figure.name, figure.value, figure.spread, figure.higher_is_better) == (
        "bits_per_dimension",
        2.5,
        0.01,
        False,
    )
    assert protocol == {"likelihood": "exact, categorical; 2,000 images of the test split"}

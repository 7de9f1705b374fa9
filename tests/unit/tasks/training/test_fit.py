"""What a training's key depends on, and what stands around the trainer."""

import json

import numpy as np
import pytest

from models.errors import TrainingError
from models.families.discovery import module_of
from tasks.evaluation.ruler import SHIPPED, RulerFile
from tasks.training.fit import keep_likelihood, keep_untrained, make_validation
from tasks.workspace.code import list_code
from tasks.workspace.storage import digest_file
from tests.families import FAMILIES
from tests.prepared import write_prepared
from tests.trainings import build_family

CARRIED = (
    "models.families.discovery",
    "models.errors",
    "tasks.training.run_log",
    "tasks.registry.tracking",
    "tasks.workspace.progress",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_code_of_a_family_is_all_of_it_that_computes(family):
    module = module_of(family)
    code = set(list_code("tasks.training.fit", module))
    assert {
        module,
        "models.training.trainer",
        "models.training.initial",
        "models.families.family",
        "models.training.average",
        "tasks.training.fit",
    } <= code
    assert not code.intersection(CARRIED)


def test_modules_are_found_through_others():
    assert "models.training.history" in list_code("models.training.trainer")
    assert list_code("models.errors") == ("models.errors",)
    others = set(list_code("models.generators.lsgan")) - set(list_code("models.families.family"))
    assert {"models.families.adversarial", "models.losses.games"} <= others


@pytest.fixture
def prepared(tmp_path):
    return write_prepared(tmp_path / "prepared")


def test_images_of_the_untrained_network_are_kept_once(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.training.fit.UNTRAINED", 6)
    path = tmp_path / "untrained.npy"
    keep_untrained(build_family(), path)
    first = np.load(path)
    assert (first.shape, first.dtype) == ((6, 32, 32, 1), np.uint8)
    keep_untrained(build_family(seed=9), path)  # a training that is gone on with began long ago
    assert np.array_equal(np.load(path), first)


def test_an_editing_network_makes_no_images_of_its_own(tmp_path):
    keep_untrained(build_family("espcn", 3), tmp_path / "untrained.npy")
    assert not (tmp_path / "untrained.npy").exists()


def test_bits_of_the_test_split_are_kept_where_there_is_a_likelihood(prepared, tmp_path):
    path = tmp_path / "likelihood.json"
    keep_likelihood(build_family("dcgan"), prepared, path)
    assert not path.exists()
    keep_likelihood(build_family("vae"), prepared, path)
    kept = json.loads(path.read_text())
    assert (kept["split"], kept["images"]) == ("test", len(prepared.images("test")))
    assert kept["bits_per_dimension"] > 0


def test_generated_images_are_judged_by_their_distance_to_the_held_out_ones(prepared):
    path = SHIPPED / "ruler-fashion-mnist-32x32x1.onnx"
    validation = make_validation(prepared, RulerFile(path, digest_file(path), 0.9, "shipped"))
    images, labels = prepared.images("validation"), prepared.labels("validation")
    assert validation.score(images, labels) == pytest.approx(0, abs=1e-2)
    assert validation.score(255 - images, labels) > 10
    assert np.array_equal(validation.held_out[0], images)


def test_without_a_ruler_generated_images_cannot_be_judged(prepared):
    score = make_validation(prepared, None).score
    with pytest.raises(TrainingError, match="generated images can be measured by a ruler only, and none was given"):
        score(prepared.images("test"), prepared.labels("test"))

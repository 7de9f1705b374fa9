import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.exported.ruler import ExportedRuler
from models.metrics.ruler import FEATURES, Ruler, RulerConfig, augmentation, batches, export_ruler, train_ruler
from models.pixels import to_planes, to_signed
from tests.trainings import CATEGORIES, draw_images

SMALL = RulerConfig(updates=40, batch_size=16, epochs=1)


def silent(done, total, note):
    """Nobody listens."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    images, labels = draw_images(96)
    ruler = train_ruler(images, labels, 2, SMALL, silent)
    path = tmp_path_factory.mktemp("ruler") / "ruler.onnx"
    export_ruler(ruler, 32, CATEGORIES, path)
    return ruler, path


def test_it_learns_what_can_be_told_apart(trained):
    images, labels = draw_images(200, seed=1)
    _, predicted = ExportedRuler(trained[1]).measure(images)
    assert (predicted == labels).mean() > 0.9


def test_the_exported_features_are_torchs(trained):
    ruler, path = trained
    images, _ = draw_images(251, seed=2)
    with torch.inference_mode():
        planes = to_signed(to_planes(images))
        features, logits = ruler.features(planes), ruler(planes)
    found, predicted = ExportedRuler(path).measure(images)
    assert found.shape == (251, FEATURES)
    np.testing.assert_allclose(found, features.numpy(), atol=1e-3)
    assert np.array_equal(predicted, logits.argmax(1).numpy())
    assert found.std() > 0.01


def test_how_images_are_batched_does_not_matter(trained):
    images, _ = draw_images(50)
    ruler = ExportedRuler(trained[1])
    np.testing.assert_allclose(ruler.measure(images, batch=7)[0], ruler.measure(images)[0], atol=1e-4)


def test_the_file_knows_its_categories(trained):
    assert ExportedRuler(trained[1]).categories == CATEGORIES


def test_equal_seeds_give_equal_rulers():
    images, labels = draw_images(32, channels=3)
    config = SMALL.model_copy(update={"updates": 4})
    first, same = (train_ruler(images, labels, 2, config, silent).state_dict() for _ in range(2))
    other = train_ruler(images, labels, 2, config.model_copy(update={"seed": 1}), silent).state_dict()
    assert all(torch.equal(first[name], value) for name, value in same.items())
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize(
    ("images", "changes", "updates"),
    [(64, {"epochs": 3, "updates": 1}, 12), (64, {"epochs": 1, "updates": 9}, 9), (10, {"epochs": 2, "updates": 3}, 3)],
)
def test_small_catalogues_are_seen_more_often(images, changes, updates):
    heard = []
    train_ruler(
        *draw_images(images), 2, SMALL.model_copy(update=changes), lambda done, total, note: heard.append((done, total))
    )
    assert heard == [(done, updates) for done in range(1, updates + 1)]


def test_every_pass_sees_every_image_once_in_a_new_order():
    source = batches(12, 4, seed=0)
    passes = [[next(source) for _ in range(3)] for _ in range(2)]
    assert all(sorted(np.concatenate(rows)) == list(range(12)) for rows in passes)
    assert not np.array_equal(passes[0], passes[1])


@pytest.mark.parametrize(("channels", "size"), [(1, 32), (3, 32), (3, 64), (3, 128), (1, 8), (3, 44)])
def test_features_are_the_input_of_the_last_layer(channels, size):
    ruler = Ruler(channels, size, 5).eval()
    images = torch.randn(3, channels, size, size)
    features = ruler.features(images)
    assert features.shape == (3, FEATURES)
    assert (features >= 0).all()
    torch.testing.assert_close(ruler(images), ruler.head(features))


def test_large_colour_images_are_learned_and_exported(tmp_path):
    small, labels = draw_images(96, channels=3)
    images = small.repeat(2, axis=1).repeat(2, axis=2)
    ruler = train_ruler(images, labels, 2, SMALL, silent)
    export_ruler(ruler, 64, CATEGORIES, tmp_path / "ruler.onnx")
    features, predicted = ExportedRuler(tmp_path / "ruler.onnx").measure(images)
    with torch.inference_mode():
        np.testing.assert_allclose(features, ruler.features(to_signed(to_planes(images))).numpy(), atol=1e-3)
    assert (predicted == labels).mean() > 0.9


def test_shifts_grow_with_the_size_and_grey_images_have_no_colours_to_change():
    config = RulerConfig(crop=2, colour=0.2)
    assert augmentation(config, 1, 32).model_dump(exclude_defaults=True) == {"flip": 0.5, "crop": 2}
    large = augmentation(config, 3, 64)
    assert (large.crop, large.saturation, large.hue) == (4, 0.2, 0.1)
    assert augmentation(config, 3, 16).crop == 2


def test_unknown_parameters_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        RulerConfig(depth=3)

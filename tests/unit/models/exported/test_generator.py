from math import nan

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import InputError, TrainingError
from models.exported.generator import TOLERANCE, ExportedGenerator, export_generator
from models.exported.noise import latents, spread_categories
from models.pixels import to_bytes
from tasks.workspace.settings import SOURCE
from tests.trainings import CATEGORIES, build_family, build_trainer


def trained_family(folder, **changes):
    """A family whose weights and batch-norm statistics have moved, and the file of its generator's weights."""
    family = build_family(learning_rate=0.02, **changes)
    trainer = build_trainer(folder, family=family)
    for _ in range(8):
        trainer.advance()
    weights = folder / "generator.safetensors"
    save_file({key: value.contiguous() for key, value in family.generator.state_dict().items()}, weights)
    return family, weights


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditional")
    family, weights = trained_family(folder, conditional=True)
    export_generator(family, weights, CATEGORIES, folder / "generator.onnx")
    return family, folder / "generator.onnx"


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unconditional")
    family, weights = trained_family(folder, channels=3)
    export_generator(family, weights, CATEGORIES, folder / "generator.onnx")
    return family, folder / "generator.onnx"


@pytest.fixture(params=["conditional", "unconditional"])
def pair(request):
    return request.getfixturevalue(request.param)


def expected(family, noise, categories):
    with torch.inference_mode():
        return family.networks["generator"].eval()(torch.from_numpy(noise), torch.from_numpy(categories)).numpy()


@pytest.mark.parametrize("count", [1, 2, 64, 65])
def test_the_file_gives_the_same_images_as_torch_for_any_batch(pair, count):
    family, path = pair
    noise, categories = latents(count, family.latent, 5), spread_categories(count, 2)
    images = ExportedGenerator(path).run(noise, categories)
    assert images.shape == (count, family.shape.channels, 32, 32)
    np.testing.assert_allclose(images, expected(family, noise, categories), atol=TOLERANCE)
    assert images.std() > 0.01


@pytest.mark.parametrize("count", [1, 2, 10, 64, 65])
def test_an_image_depends_on_its_seed_and_place_not_on_how_many_there_are(pair, count):
    generator = ExportedGenerator(pair[1])
    many = generator.sample(100, seed=3)
    few = ExportedGenerator(pair[1]).sample(count, seed=3)
    assert few.shape == (count, 32, 32, pair[0].shape.channels)
    assert few.dtype == np.uint8
    assert np.array_equal(few, many[:count])
    assert not np.array_equal(generator.sample(count, seed=4), few)


def test_batches_are_whole_but_for_the_last(pair):
    assert [len(batch) for batch in ExportedGenerator(pair[1]).batches(130, seed=0)] == [64, 64, 2]


def test_the_file_says_what_its_users_need(pair):
    family, path = pair
    generator = ExportedGenerator(path)
    assert (generator.latent, generator.size, generator.categories) == (family.latent, 32, CATEGORIES)
    assert generator.conditional == family.conditional
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert {value.name for value in onnx.load(path).graph.output} == {"image"}


def test_one_category_can_be_asked_for(conditional):
    family, path = conditional
    generator = ExportedGenerator(path)
    assert generator.wanted(3, "disc").tolist() == [1, 1, 1]
    assert generator.wanted(3).tolist() == [0, 1, 0]
    noise = latents(64, family.latent, 0)
    images = generator.sample(64, 0, "disc")
    assert np.array_equal(images, to_bytes(generator.run(noise, np.ones(64, np.int64))))
    assert not np.array_equal(images, generator.sample(64, 0, "bar"))


def test_an_unknown_category_is_answered_with_the_valid_ones(conditional):
    with pytest.raises(InputError, match=r"^category: got 'Hat', allowed: one of bar, disc$"):
        ExportedGenerator(conditional[1]).sample(2, 0, "Hat")


def test_a_category_asked_of_a_model_that_has_none_is_refused(unconditional):
    with pytest.raises(InputError, match="category: got 'disc', allowed: none: this model is not conditional"):
        ExportedGenerator(unconditional[1]).sample(2, 0, "disc")


@pytest.fixture
def again(conditional, monkeypatch):
    """The family without its weights, and the file of these; exported again it has the same ONNX file, at once."""
    path = conditional[1]

    def write_the_same(network, inputs, outputs, about, out):
        out.write_bytes(path.read_bytes())

    monkeypatch.setattr("models.exported.generator.write_onnx", write_the_same)
    return build_family(conditional=True), path.with_name("generator.safetensors")


@pytest.mark.parametrize(("factor", "difference"), [(2, ""), (nan, "nan")])
def test_a_file_that_differs_from_the_network_is_refused(again, tmp_path, factor, difference):
    family, weights = again
    values = load_file(weights)
    name = next(name for name, value in values.items() if value.ndim > 1)
    save_file(values | {name: factor * values[name]}, tmp_path / "changed.safetensors")
    with pytest.raises(TrainingError, match=f"the exported generator differs from the trained one by {difference}"):
        export_generator(family, tmp_path / "changed.safetensors", CATEGORIES, tmp_path / "generator.onnx")
    assert not (tmp_path / "generator.onnx").exists()


@pytest.mark.parametrize("discrete", [True, False])
def test_one_image_that_differs_is_forgiven_to_discrete_families_alone(again, tmp_path, monkeypatch, discrete):
    family, weights = again
    monkeypatch.setattr(type(family), "discrete", discrete)
    run = ExportedGenerator.run

    def flip_one(self, noise, categories):
        images = run(self, noise, categories)
        images[0, 0, 5, 5] += 0.5 * (len(images) > 1)
        return images

    monkeypatch.setattr(ExportedGenerator, "run", flip_one)
    if discrete:
        assert export_generator(family, weights, CATEGORIES, tmp_path / "generator.onnx") <= TOLERANCE
    else:
        with pytest.raises(TrainingError, match=r"differs from the trained one by 0\.5"):
            export_generator(family, weights, CATEGORIES, tmp_path / "generator.onnx")


def test_a_discrete_family_whose_images_all_differ_is_refused(again, tmp_path, monkeypatch):
    family, weights = again
    monkeypatch.setattr(type(family), "discrete", True)
    run = ExportedGenerator.run
    monkeypatch.setattr(ExportedGenerator, "run", lambda self, *inputs: run(self, *inputs) + np.float32(0.01))
    with pytest.raises(TrainingError, match=r"differs from the trained one by 0\.01"):
        export_generator(family, weights, CATEGORIES, tmp_path / "generator.onnx")


def test_a_ruler_is_no_generator():
    path = SOURCE / "models" / "weights" / "ruler-fashion-mnist-32x32x1.onnx"
    with pytest.raises(TrainingError, match="for this use: no conditional, latent in its metadata"):
        ExportedGenerator(path)

import numpy as np
import pytest
import torch

from models.exported.noise import latents
from models.training.validation import (
    BATCH,
    LIKELIHOOD_BATCH,
    Validation,
    bits_of_each,
    mean_bits,
    measure_likelihood,
    sample,
)
from tests.trainings import brightness, build_family, draw_images


def test_samples_are_those_of_the_whole_latent_at_once():
    family = build_family(conditional=True)
    generator = family.generator.eval()
    count = BATCH + 3
    images, categories = sample(family, generator, count, seed=5)
    assert images.shape == (count, 32, 32, 1)
    assert categories[:3].tolist() == [0, 1, 0]
    with torch.inference_mode():
        whole = generator(torch.from_numpy(latents(count, family.latent, 5)), torch.from_numpy(categories)).numpy()
    assert np.abs(images[..., 0] - (whole[:, 0] + 1) * 127.5).max() < 0.51


def test_families_with_a_likelihood_are_judged_by_it_and_others_by_the_distance():
    held_out = draw_images(8)
    judges = Validation(brightness, held_out, samples=8), Validation(brightness, None, samples=8)
    names = [[judge.criterion(build_family(name)) for name in ("vae", "dcgan")] for judge in judges]
    assert names == [["validation_bits_per_dimension", "validation_distance"], ["validation_distance"] * 2]
    family = build_family("vae")
    value, images = judges[0].measure(family, family.generator.eval(), seed=0)
    assert value == mean_bits(family, *held_out)
    assert images.shape == (80, 32, 32, 1)
    value, images = judges[1].measure(family, family.generator, seed=0)
    assert value == brightness(images, held_out[1])


def test_the_bits_of_an_image_do_not_depend_on_the_batch():
    family = build_family("pixelcnn", conditional=True)
    images, labels = draw_images(LIKELIHOOD_BATCH + 2)
    for array in (images, labels):
        array.flags.writeable = False  # as those of a prepared set are
    together = bits_of_each(family, images, labels)
    assert together.shape == (LIKELIHOOD_BATCH + 2,)
    assert np.allclose(together[-2:], bits_of_each(family, images[-2:], labels[-2:]), atol=1e-5)


def test_a_likelihood_comes_with_its_name_its_count_and_its_standard_error():
    family = build_family("vae", conditional=True)
    family.generator.eval()
    images, labels = draw_images(10)
    bits = bits_of_each(family, images, labels)
    assert measure_likelihood(family, images, labels) == {
        "bits_per_dimension": pytest.approx(bits.mean()),
        "bits_per_dimension_spread": pytest.approx(np.std(bits, ddof=1) / 10**0.5),
        "likelihood": "ELBO (an upper bound of the bits), discretised logistic",
        "images": 10,
    }


def test_a_family_without_a_likelihood_says_so():
    with pytest.raises(NotImplementedError, match="dcgan has no likelihood"):
        mean_bits(build_family(), *draw_images(2))


def test_a_family_that_generates_has_no_criterion_of_its_own():
    family = build_family()
    assert family.criterion is None
    with pytest.raises(NotImplementedError, match="dcgan has no criterion of its own"):
        family.judge(family.generator, draw_images(2)[0])

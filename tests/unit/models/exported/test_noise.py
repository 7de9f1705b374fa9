"""Noise and categories from a seed."""

import numpy as np
import pytest

from models.exported.noise import latent_batches, latents


def test_the_noise_of_fewer_images_begins_that_of_more():
    assert np.array_equal(latents(1000, 100, 7)[:10], latents(10, 100, 7))
    assert latents(1000, 100, 7).dtype == np.float32
    assert abs(latents(1000, 100, 7).std() - 1) < 0.01


@pytest.mark.parametrize(("count", "size"), [(130, 8), (65, 7), (64, 1), (3, 2048)])
def test_noise_drawn_in_batches_is_that_drawn_at_once(count, size):
    batches = list(latent_batches(count, size, 7, 64))
    assert max(len(batch) for batch in batches) <= 64
    assert np.array_equal(np.concatenate(batches), latents(count, size, 7))

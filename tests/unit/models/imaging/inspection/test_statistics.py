import numpy as np

from models.imaging.inspection.statistics import measure_pixels


def laplacian(image):
    padded = np.pad(image.astype(np.int64), 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return around - 4 * padded[1:-1, 1:-1]


def test_agrees_with_numpy():
    grey = np.random.default_rng(0).integers(0, 256, (5, 17, 23), dtype=np.uint8)
    found = measure_pixels(grey)
    np.testing.assert_allclose(found.mean, [image.mean() for image in grey])
    np.testing.assert_allclose(found.std, [image.std() for image in grey])
    np.testing.assert_allclose(found.sharpness, [laplacian(image).var() for image in grey])


def test_a_flat_image_has_no_spread_and_no_sharpness():
    found = measure_pixels(np.full((1, 9, 9), 255, np.uint8))
    assert (found.mean[0], found.std[0], found.sharpness[0]) == (255, 0, 0)


def test_a_single_pixel_is_measured():
    assert measure_pixels(np.full((1, 1, 1), 7, np.uint8)).mean[0] == 7


def test_images_may_have_different_sizes():
    found = measure_pixels([np.zeros((4, 5), np.uint8), np.eye(9, dtype=np.uint8)])
    assert found.mean.tolist() == [0, 1 / 9]


def test_no_images_have_no_statistics():
    assert measure_pixels([]).std.shape == (0,)

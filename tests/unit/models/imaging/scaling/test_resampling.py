import numpy as np
import pytest
from PIL import Image

from models.imaging.scaling.resampling import cubic, resize, weigh


@pytest.mark.parametrize(
    ("before", "after"), [(96, 48), (96, 32), (96, 24), (48, 96), (50, 37), (7, 1), (1, 4), (5, 5)]
)
def test_the_matrix_is_what_pillow_does(before, after):
    plane = np.random.default_rng(0).random((before, before)).astype(np.float32)
    matrix = weigh(before, after)
    np.testing.assert_allclose(matrix @ plane @ matrix.T, resize(plane, after, after), atol=5e-7)


def test_resizing_is_that_of_pillows_pictures_but_for_their_rounding():
    picture = np.random.default_rng(1).integers(0, 256, (40, 60), dtype=np.uint8)
    wanted = np.asarray(Image.fromarray(picture).resize((30, 20), Image.Resampling.BICUBIC)).astype(np.float32)
    assert np.abs(resize(picture.astype(np.float32), 20, 30).clip(0, 255) - wanted).max() <= 1


def test_the_kernel_is_pillows_and_not_opencvs():
    assert cubic(np.array([0.0, 1.0, 2.0, 2.5])).tolist() == [1, 0, 0, 0]
    assert cubic(np.array([1.5]))[0] == pytest.approx(-0.0625)  # a = -0.75 would give -0.09375


def test_the_matrix_is_kept_and_cannot_be_changed():
    assert weigh(8, 4) is weigh(8, 4)
    with pytest.raises(ValueError, match="read-only"):
        weigh(8, 4)[0, 0] = 1

import numpy as np
import pytest

from models.imaging.enlarging import enlarge, enlarge_by_bicubic
from models.imaging.tiles import change_in_tiles, spans


def blur(picture):
    """The mean over 5x5 pixels, borders repeated: looks 2 pixels around."""
    padded = np.pad(picture, 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).mean((2, 3))


@pytest.mark.parametrize("shape", [(37, 53), (8, 8), (1, 1), (3, 40)])
@pytest.mark.parametrize("tile", [1, 8, 64])
def test_tiles_that_see_enough_give_the_whole_pictures_result(shape, tile):
    picture = np.random.default_rng(0).random(shape)
    tiled = change_in_tiles(blur, picture, np.full(shape, np.nan), 1, tile, 2)
    np.testing.assert_array_equal(tiled, blur(picture))


def test_tiles_that_see_too_little_do_not():
    picture = np.random.default_rng(0).random((20, 20))
    assert not np.allclose(change_in_tiles(blur, picture, np.empty((20, 20)), 1, 8, 1), blur(picture))


def test_no_tile_is_larger_than_asked():
    seen = [span.end - span.begin for span in spans(1000, 64, 10)]
    assert max(seen) == 84
    assert sum(span.last - span.first for span in spans(1000, 64, 10)) == 1000


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_colours_are_enlarged_alike_in_tiles_and_at_once(scale):
    pixels = np.random.default_rng(scale).integers(0, 256, (23, 31, 3), dtype=np.uint8)

    def luma(plane):
        return enlarge_by_bicubic(plane, scale)

    whole, tiled = (enlarge(pixels, scale, luma, reach=3, tile=tile).astype(int) for tile in (1024, 8 * scale))
    assert whole.shape == (23 * scale, 31 * scale, 3)
    assert np.abs(whole - tiled).max() <= 1


def test_a_grey_picture_stays_grey_and_a_flat_one_flat():
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (9, 9, 1), dtype=np.uint8), 3, axis=2)
    large = enlarge(grey, 2, lambda plane: enlarge_by_bicubic(plane, 2), reach=3)
    assert np.ptp(large.astype(int), axis=2).max() <= 1
    flat = np.full((5, 4, 3), (10, 200, 90), np.uint8)
    assert (enlarge(flat, 3, lambda plane: enlarge_by_bicubic(plane, 3), reach=3) == flat[0, 0]).all()

import numpy as np
import pytest

from models.imaging.scaling.tiles import change_in_tiles, spans


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

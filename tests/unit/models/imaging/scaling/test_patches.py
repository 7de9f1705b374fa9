import numpy as np

from models.imaging.scaling.patches import cut_patches, measure_detail


def busy_corner():
    """Grey, but for noise in the lower right quarter."""
    pixels = np.full((64, 64, 3), 128, np.uint8)
    pixels[32:, 32:] = np.random.default_rng(0).integers(0, 256, (32, 32, 3))
    return pixels


def test_the_busiest_pieces_are_chosen_and_flat_ones_left_out():
    pixels = busy_corner()
    pieces = cut_patches(pixels, 32, 32, most=3, least_detail=1)
    assert pieces.shape == (1, 32, 32, 3)
    assert np.array_equal(pieces[0], pixels[32:, 32:])


def test_pieces_keep_the_order_of_the_photo():
    pixels = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    pieces = cut_patches(pixels, 4, 2, most=10)
    assert [int(piece[0, 0, 0]) for piece in pieces] == [0, 6, 12]


def test_a_small_photo_gives_none():
    assert cut_patches(np.zeros((31, 64, 3), np.uint8), 32, 8, 5).shape == (0, 32, 32, 3)


def test_detail_is_the_mean_step_in_grey_levels():
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = 100
    assert np.isclose(measure_detail(stripes), 50, rtol=1e-5)  # 100 across, 0 down

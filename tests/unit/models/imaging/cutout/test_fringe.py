"""A mask's edge moved to the picture's, and the old background taken out of soft pixels."""

import numpy as np

from models.imaging.cutout.fringe import clean_colours, follow_edges


def test_the_old_background_is_taken_out_of_soft_pixels():
    share = np.clip((np.arange(80, dtype=np.float32) - 36) / 8, 0, 1)
    alpha = np.broadcast_to(share, (40, 80)).copy()
    green, blue = np.array([0, 200, 0], np.float32), np.array([20, 20, 160], np.float32)
    mixed = np.rint(blue * alpha[..., None] + green * (1 - alpha[..., None])).astype(np.uint8)
    cleaned = clean_colours(mixed, alpha)
    soft = (alpha > 0.1) & (alpha < 1)
    assert np.abs(cleaned[soft] - blue).max() < 25
    assert np.array_equal(cleaned[alpha == 1], mixed[alpha == 1])
    assert np.array_equal(cleaned[alpha == 0], mixed[alpha == 0])


def test_a_coarse_mask_moves_to_the_picture_s_edge():
    picture = np.full((64, 64, 3), 230, np.uint8)
    picture[:, 33:] = 20
    mask = np.zeros((64, 64), np.float32)
    mask[:, 31:] = 1  # two pixels off
    followed = follow_edges(mask, picture, picture, 4)
    assert followed[:, 29:32].mean() < 0.35
    assert followed[:, 34:].min() > 0.7

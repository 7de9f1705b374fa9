import numpy as np

from models.outline.shapes import SIDE, draw_part, draw_shape, light


def test_a_shape_has_inside_and_outside():
    for seed in range(10):
        made = draw_shape(np.random.default_rng(seed))
        assert made.shape == (SIDE, SIDE, 4)
        assert 0.005 < (made[..., 3] > 127).mean() < 0.95


def test_shapes_differ_by_seed():
    one, other = (draw_part(0, np.random.default_rng(seed)) for seed in (1, 2))
    assert (one != other).any()


def test_light_makes_one_side_darker_than_the_other():
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[80:200, 80:200] = 255
    lit = light(np.full((SIDE, SIDE, 3), 0.5, np.float32), cover, np.random.default_rng(0))
    assert np.ptp(lit[cover > 0]) > 0.01

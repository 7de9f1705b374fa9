import numpy as np

from bench.shapes import draw_pieces


def steepest(piece):
    """The largest step between neighbours."""
    grey = piece.astype(float).mean(2)
    return max(np.abs(np.diff(grey, axis=axis)).max() for axis in (0, 1))


def test_drawn_pieces_are_the_same_for_the_same_seed_alone():
    first, again, other = draw_pieces(2, 48, seed=1), draw_pieces(2, 48, seed=1), draw_pieces(2, 48, seed=2)
    assert (first.shape, first.dtype) == ((2, 48, 48, 3), np.uint8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_most_drawn_pieces_have_hard_edges():
    assert np.median([steepest(piece) for piece in draw_pieces(20, 48)]) > 60

"""The distance that edges make."""

import numpy as np

from models.imaging.cutout.geodesic import cross_edges


def test_edges_cost_and_a_smooth_slope_does_not():
    lab = np.zeros((40, 40, 3), np.float32)
    lab[..., 0] = np.linspace(40, 60, 40)
    lab[15:25, 15:25, 1] = 30
    distance = cross_edges(lab, 1.0)
    assert distance[5:10].max() < 0.1
    assert distance[18:22, 18:22].min() > 10

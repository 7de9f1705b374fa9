"""Slopes of colour, and holes to cut into them."""

import numpy as np

HEIGHT, WIDTH = 120, 150


def photo(height=HEIGHT, width=WIDTH):
    """Slopes of colour with a little grain."""
    down, across = np.mgrid[:height, :width]
    colours = np.stack((60 + across, 200 - down, 90 + (down + across) / 3), -1)
    grain = np.random.default_rng(0).normal(0, 1.5, colours.shape)
    return np.clip(colours * 0.8 + grain, 0, 255).astype(np.uint8)


def hole(*boxes, height=HEIGHT, width=WIDTH):
    mask = np.zeros((height, width), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask

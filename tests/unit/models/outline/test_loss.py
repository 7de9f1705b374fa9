import torch

from models.outline.loss import EDGE, outline_loss, soft_iou, weigh_edges

TRUTH = torch.zeros(1, 1, 32, 32)
TRUTH[..., 8:24, 8:24] = 1


def test_the_intersection_over_union_of_half_a_mask_is_half():
    half = TRUTH.clone()
    half[..., :16, :] = 0
    assert abs(soft_iou(half, TRUTH).item() - 0.5) < 0.01
    assert soft_iou(TRUTH, TRUTH).item() == 1


def test_pixels_at_the_outline_count_more():
    weights = weigh_edges(TRUTH)
    assert weights[0, 0, 0, 0] == 1
    assert 3 < weights[0, 0, 8, 16] <= 1 + EDGE


def test_the_loss_falls_as_the_outline_nears_the_truth():
    trust = torch.full((1,), 5.0)
    good, reached = outline_loss((TRUTH - 0.5) * 20, trust, TRUTH)
    bad, missed = outline_loss((0.5 - TRUTH) * 20, trust, TRUTH)
    assert good < 0.1 < bad
    assert reached > 0.98 > missed

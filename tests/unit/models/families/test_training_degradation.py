"""Training pairs made worse: by how much at most, alike for equal random numbers, and learned from."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.families.training_degradation import DegradeConfig, worsen
from tests.trainings import build_family, build_trainer, draw_images


def step(side=32):
    plane = torch.full((6, 1, side, side), 0.25)
    plane[..., side // 2 :] = 0.75
    return plane


def test_by_default_nothing_changes_and_no_random_number_is_drawn():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    luma = step()
    assert worsen(luma, DegradeConfig()) is luma
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "config", [{"blur": 2}, {"noise": 20}, {"compress": 5}, {"blur": 1, "noise": 9, "compress": 30}]
)
def test_each_picture_suffers_by_itself_and_alike_for_the_same_seed(config):
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(worsen(step(), DegradeConfig(**config)))
    assert made[0].shape == step().shape
    assert made[0].dtype == torch.float32
    assert 0 <= made[0].min() <= made[0].max() <= 1
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert len({plane.numpy().tobytes() for plane in made[0]}) > 1


def test_noise_is_as_strong_as_asked_at_most_and_grey():
    torch.manual_seed(0)
    made = worsen(torch.full((40, 1, 64, 64), 0.5), DegradeConfig(noise=10))
    sigmas = (made * 255).std((1, 2, 3)).numpy()
    assert sigmas.max() < 10.5
    assert 3.5 < np.median(sigmas) < 6.5


@pytest.mark.parametrize("wrong", [{"blur": 6}, {"noise": -1}, {"compress": 0}, {"fog": 1}])
def test_amounts_out_of_bounds_are_refused(wrong):
    with pytest.raises(ValidationError):
        DegradeConfig(**wrong)


def test_a_network_learns_to_take_the_noise_away(tmp_path):
    noisy = {"degrade": {"noise": 50}, "learning_rate": 5e-3}
    judges = build_family("espcn", 3, **noisy)
    images = draw_images(20, 3, seed=9)[0]
    found = {}
    for name, changes in (("clean", {"learning_rate": 5e-3}), ("noisy", noisy)):
        family = build_family("espcn", 3, **changes, epochs=40)
        build_trainer(tmp_path / name, family=family).run()
        found[name] = -judges.judge(family.generator.eval(), images)[0]
    assert found["noisy"] > found["clean"] + 0.3  # dB, both on noisy pictures

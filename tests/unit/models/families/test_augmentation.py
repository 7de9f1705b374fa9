"""Augmentation: exact where it moves whole pixels, equal to torchvision's functions elsewhere, one draw an image."""

import math

import pytest
import torch
from pydantic import ValidationError
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tvf

from models.families.augmentation import AugmentConfig, blend, build_augmentation, luma, resample, shift_hue

EVERYTHING = AugmentConfig(
    flip=0.5, rotate=15, scale=0.2, crop=2, brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1
)


def make_batch(channels: int = 3, count: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, 12, 10), dtype=torch.uint8, generator=generator)


def test_the_default_changes_nothing():
    batch = make_batch()
    assert torch.equal(build_augmentation(AugmentConfig())(batch), batch)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_shape_dtype_and_range_are_kept(channels, dtype):
    batch = make_batch(channels)
    batch = batch if dtype == torch.uint8 else batch.float() / 255
    changed = build_augmentation(EVERYTHING)(batch)
    assert changed.shape == batch.shape
    assert changed.dtype == dtype
    assert not torch.equal(changed, batch)
    assert changed.min() >= 0
    assert changed.max() <= (255 if dtype == torch.uint8 else 1)


def test_equal_seeds_give_equal_images_and_other_seeds_others():
    batch = make_batch()

    def augment(seed: int) -> torch.Tensor:
        return build_augmentation(EVERYTHING, torch.Generator().manual_seed(seed))(batch)

    assert torch.equal(augment(1), augment(1))
    assert not torch.equal(augment(1), augment(2))


def test_torchs_global_seed_decides_without_a_generator():
    batch, augment = make_batch(), build_augmentation(EVERYTHING)
    torch.manual_seed(3)
    first = augment(batch)
    torch.manual_seed(3)
    assert torch.equal(augment(batch), first)


def test_flip_mirrors_some_images_and_only_mirrors():
    batch = make_batch(count=64)
    changed = build_augmentation(AugmentConfig(flip=0.5), torch.Generator().manual_seed(0))(batch)
    mirrored = [torch.equal(new, old.flip(-1)) for new, old in zip(changed, batch, strict=True)]
    same = [torch.equal(new, old) for new, old in zip(changed, batch, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 16 < sum(mirrored) < 48
    assert torch.equal(build_augmentation(AugmentConfig(flip=1))(batch), batch.flip(-1))


def test_crop_cuts_a_window_out_of_the_padded_image():
    batch = make_batch(count=32)
    changed = build_augmentation(AugmentConfig(crop=2), torch.Generator().manual_seed(0))(batch)
    padded = tvf.pad(batch, [2], padding_mode="edge")
    windows = set()
    for new, wide in zip(changed, padded, strict=True):
        found = [(y, x) for y in range(5) for x in range(5) if torch.equal(new, wide[:, y : y + 12, x : x + 10])]
        assert found
        windows.add(found[0])
    assert len(windows) > 8


def test_resampling_equals_torchvisions_rotation_inside_the_image():
    image = make_batch(count=1).float() / 255
    ours = resample(image, torch.tensor([math.pi / 6]), torch.ones(1))
    theirs = tvf.rotate(image, 30, interpolation=InterpolationMode.BILINEAR)
    assert torch.allclose(ours[:, :, 4:8, 3:7], theirs[:, :, 4:8, 3:7], atol=1e-5)


def test_zoom_enlarges():
    image = torch.zeros(1, 1, 16, 16)
    image[:, :, 6:10, 6:10] = 1
    larger = resample(image, torch.zeros(1), torch.tensor([2.0]))
    assert larger.sum().item() == pytest.approx(4 * image.sum().item(), rel=0.1)


@pytest.mark.parametrize("factor", [0.6, 1.3])
def test_colour_changes_equal_torchvisions(factor):
    image = make_batch(count=1).float() / 255
    share = torch.full((1, 1, 1, 1), factor)
    contrast = blend(image, luma(image).mean((1, 2, 3), keepdim=True), share)
    assert torch.allclose(contrast, tvf.adjust_contrast(image, factor), atol=1e-4)
    assert torch.allclose(blend(image, luma(image), share), tvf.adjust_saturation(image, factor), atol=1e-4)


def test_brightness_alone_scales_each_image():
    batch = torch.full((8, 1, 4, 4), 0.5)
    changed = build_augmentation(AugmentConfig(brightness=0.4), torch.Generator().manual_seed(0))(batch)
    levels = changed.flatten(1)
    assert torch.allclose(levels.amin(1), levels.amax(1), atol=1e-6)
    assert 0.3 <= levels.min() < 0.4 < 0.6 < levels.max() <= 0.7


def test_hue_turns_towards_where_torchvision_turns_and_keeps_the_luma():
    red = torch.tensor([0.5, 0.3, 0.3]).view(1, 3, 1, 1)
    turn = torch.full((1, 1, 1, 1), 0.1)
    ours, theirs = shift_hue(red, turn), tvf.adjust_hue(red, 0.1)
    assert torch.nn.functional.cosine_similarity(ours - red, theirs - red, dim=1).item() > 0.3
    assert torch.allclose(luma(ours), luma(red), atol=2e-3)
    assert torch.allclose(shift_hue(red, turn * 0), red, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"flip": 1.5}, {"rotate": -1}, {"scale": 0.9}, {"crop": 999}, {"blur": 1}])
def test_a_value_out_of_bounds_is_refused_by_name(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        AugmentConfig(**wrong)


def test_one_image_without_a_batch_is_refused():
    with pytest.raises(TypeError, match=r"\(N, C, H, W\)"):
        build_augmentation(AugmentConfig(flip=0.5))(make_batch()[0])

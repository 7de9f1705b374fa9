import pytest
import torch
from pydantic import ValidationError

from models.families.diffaugment import DiffAugmentConfig, augment, cut_out, shift_colours, translate

EVERYTHING = DiffAugmentConfig(colour=1, translation=0.125, cutout=0.5)


def make_images(channels=3, count=16, size=32):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64])
def test_shape_and_type_stay_and_every_image_changes(channels, size):
    images = make_images(channels, size=size)
    changed = augment(images, EVERYTHING)
    assert (changed.shape, changed.dtype) == (images.shape, images.dtype)
    assert not any(torch.equal(one, other) for one, other in zip(images, changed, strict=True))


def test_the_default_changes_nothing_and_draws_nothing():
    images, random = make_images(), torch.get_rng_state()
    assert augment(images, DiffAugmentConfig()) is images
    assert torch.equal(torch.get_rng_state(), random)


def test_the_same_random_state_gives_the_same_changes():
    images = make_images()
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(augment(images, EVERYTHING))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize("part", [{"colour": 1}, {"translation": 0.25}, {"cutout": 0.5}])
def test_gradients_pass_and_are_right(part):
    config, images = DiffAugmentConfig(**part), make_images(3, 2, 4).double().requires_grad_()

    def change(given):
        torch.manual_seed(3)
        return augment(given, config)

    assert torch.autograd.gradcheck(change, images)
    assert torch.autograd.gradgradcheck(change, images)


def test_a_shift_moves_whole_pixels_and_lets_grey_in():
    images = make_images(1, 200, 8) + 3  # no pixel is 0
    shifted = translate(images, 0.25)
    seen = set()
    for before, after in zip(images[:, 0], shifted[:, 0], strict=True):
        found = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if torch.equal(move(before, down, right), after)
        ]
        assert len(found) == 1
        seen.update(found)
    assert len(seen) == 25  # every shift of up to two pixels


def move(image, down, right):
    result, size = torch.zeros_like(image), len(image)
    for row in range(size):
        for column in range(size):
            if 0 <= row + down < size and 0 <= column + right < size:
                result[row, column] = image[row + down, column + right]
    return result


def test_cutout_blanks_a_square_and_nothing_else():
    images = make_images(3, 100, 8) + 3
    cut = cut_out(images, 0.5)
    blank = cut == 0
    assert torch.equal(cut[~blank], images[~blank])
    assert torch.equal(blank[:, 0], blank[:, 2])
    rows, columns = blank[:, 0].any(2).sum(1), blank[:, 0].any(1).sum(1)
    assert torch.equal(blank[:, 0].sum((1, 2)), rows * columns)  # a rectangle
    assert (int(rows.max()), int(columns.max()), int(rows.min())) == (4, 4, 2)  # cut off at the edges
    assert bool(blank[:, 0].any(0).all())  # it comes everywhere


def test_colours_keep_grey_images_grey_and_their_contrast_in_bounds():
    grey = make_images(1, 500, 4).expand(-1, 3, -1, -1)
    changed = shift_colours(grey, 1.0)
    torch.testing.assert_close(changed[:, 0], changed[:, 2])
    ratio = changed.std((1, 2, 3)) / grey.std((1, 2, 3))
    assert 0.5 <= ratio.min() < 0.55
    assert 1.45 < ratio.max() <= 1.5
    shift = (changed - grey).mean((1, 2, 3))
    assert -0.5 <= shift.min() < -0.45
    assert 0.45 < shift.max() <= 0.5


def test_saturation_may_go_to_grey_and_to_twice():
    pure = torch.tensor([0.5, -0.5, 0.0])[None, :, None, None].repeat(500, 1, 2, 2)
    changed = shift_colours(pure, 1.0)
    spans = changed.amax((1, 2, 3)) - changed.amin((1, 2, 3))
    assert spans.max() > 2  # twice the saturation, and contrast on top
    assert spans.min() < 0.1


@pytest.mark.parametrize(("field", "value"), [("colour", 1.1), ("translation", 0.6), ("cutout", -0.1), ("blur", 1)])
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        DiffAugmentConfig(**{field: value})

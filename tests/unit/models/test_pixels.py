import numpy as np
import pytest
import torch

from models.pixels import to_bytes, to_planes, to_signed


@pytest.mark.parametrize("channels", [1, 3])
def test_there_and_back_is_the_same_for_every_grey_level(channels):
    images = np.arange(256, dtype=np.uint8).repeat(channels).reshape(4, 8, 8, channels)
    planes = to_planes(images)
    assert planes.shape == (4, channels, 8, 8)
    signed = to_signed(planes)
    assert (signed.dtype, signed.min().item(), signed.max().item()) == (torch.float32, -1, 1)
    assert np.array_equal(to_bytes(signed.numpy()), images)


def test_images_are_not_changed_on_the_way():
    images = np.full((1, 2, 2, 1), 7, np.uint8)
    to_signed(to_planes(images)).add_(1)
    assert (images == 7).all()


def test_writable_images_share_their_memory_and_read_only_ones_are_copied():
    images = np.zeros((1, 2, 2, 1), np.uint8)
    assert to_planes(images).data_ptr() == images.ctypes.data
    images.flags.writeable = False
    assert to_planes(images).data_ptr() != images.ctypes.data


def test_values_beyond_the_range_are_clipped_and_halves_go_up():
    signed = np.array([-9, -1, 1 / 255 - 1, 0, 1, 9], np.float32).reshape(1, 1, 1, 6)
    assert to_bytes(signed).ravel().tolist() == [0, 0, 1, 128, 255, 255]

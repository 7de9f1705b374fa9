"""Fast style: its loss is that of the optimisation, and its network is small; see also test_restoration."""

import hashlib
from pathlib import Path

import pytest
import torch

from models.editors.faststyle import FastStyle, FastStyleConfig, Generator, read_style
from models.errors import InputError
from models.families.family import ImageShape
from models.families.gatys import measure_losses
from models.losses.perceptual import load_features
from models.losses.style import roughness
from tests.families import STYLE
from tests.trainings import build_family


def test_the_default_network_is_at_most_one_and_a_half_megabytes():
    config = FastStyleConfig()
    weights = Generator(config.width, config.blocks).parameters()
    assert 1_000_000 < 4 * sum(weight.numel() for weight in weights) < 1_450_000


def test_a_painted_picture_has_the_size_and_the_range_of_its_content():
    torch.manual_seed(0)
    made = Generator(4, 1)(torch.rand(2, 3, 20, 36))
    assert made.shape == (2, 3, 20, 36)
    assert 0 <= made.min() < made.max() <= 1


def test_the_figure_is_the_loss_of_the_optimisation_in_db():
    family = build_family("faststyle", 3, content=0.7, smooth=5.0)
    torch.manual_seed(0)
    content, made = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    style, distance = measure_losses(made, content, read_style(STYLE, 64), load_features("lite0"))
    total = style + 0.7 * distance + 5 * roughness(made)
    torch.testing.assert_close(10 ** (-family.measure(made, content) / 10), total)


def test_the_facts_name_the_style_and_its_bytes():
    facts = build_family("faststyle").facts
    assert facts["style"] == STYLE
    assert facts["style_sha256"] == hashlib.sha256(Path(STYLE).read_bytes()).hexdigest()


def test_a_style_picture_is_read_at_a_bounded_size():
    picture = read_style(STYLE, 40)
    assert picture.shape[:2] == (1, 3)
    assert max(picture.shape) == 40
    assert picture.std() > 0.05


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_a_style_that_is_no_picture_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "style.jpg"
    if content is not None:
        path.write_bytes(content)
    family = FastStyle(FastStyleConfig(style=str(path)), ImageShape(3, 32, 1))
    with pytest.raises(InputError, match=r"^style: got '.*style.jpg', allowed: the file of a picture$"):
        _ = family.loss

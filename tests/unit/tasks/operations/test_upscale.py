import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from models.errors import InputError, RegistryError
from models.exported.editor import ExportedRestoration
from tasks.operations.contract.operation import EditContext
from tasks.operations.upscale import LARGEST, Upscale
from tasks.photos.picture import Picture, Placement
from tests.editors import write_upscaler


class Loaded(ExportedRestoration):
    """An exported network, as a toolbox gives it."""

    version = 3


class Shelf:
    """A toolbox of exported files by slot, which keeps what it was asked for."""

    def __init__(self, files):
        self.files, self.asked = files, []

    def network(self, slot, family=None):
        self.asked.append((slot, family))
        if slot not in self.files:
            raise RegistryError(f"slot: got {slot!r}")
        return Loaded(self.files[slot], threads=1)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Networks for the scales 2 and 4; the one for 3 is of another scale."""
    folder = tmp_path_factory.mktemp("networks")
    files = {f"upscale-x{scale}": write_upscaler(folder / f"{scale}.onnx", scale) for scale in (2, 4)}
    return {**files, "upscale-x3": files["upscale-x2"]}


def draw(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def apply(picture, files=None, **parameters):
    return Upscale(**parameters).apply(picture, EditContext(Shelf(files or {})))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (13, 8)])
def test_bicubic_needs_no_network_and_is_pillows(scale, size):
    height, width = size
    pixels = 64 + draw(height, width) // 2  # far from 0 and 255, where luma and chroma are clipped apart
    made = apply(Picture(pixels), scale=scale, family="bicubic").pixels
    wanted = Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC)
    assert made.shape == (height * scale, width * scale, 3)
    assert np.abs(made.astype(int) - np.asarray(wanted)).max() <= 1  # Pillow rounds after each of its two passes


@pytest.mark.parametrize("scale", [2, 4])
def test_luma_is_the_networks(scale, shelf):
    grey = np.repeat(draw(20, 24)[..., :1], 3, axis=2)
    made = apply(Picture(grey), shelf, scale=scale).pixels
    network = ExportedRestoration(shelf[f"upscale-x{scale}"])
    wanted = network.run(image=(grey[None, None, ..., 0] / np.float32(255)))[0, 0].clip(0, 1) * 255
    assert np.abs(made - wanted[..., None]).max() <= 1.01


def test_the_slot_is_that_of_the_scale_and_the_family_is_passed_on(shelf):
    networks = Shelf(shelf)
    for scale, family in ((2, None), (4, "espcn")):
        Upscale(scale=scale, family=family).apply(Picture(draw(3, 3)), EditContext(networks))
    assert networks.asked == [("upscale-x2", None), ("upscale-x4", "espcn")]


def test_tiles_leave_no_trace(shelf, monkeypatch):
    picture = Picture(draw(60, 75))
    whole = apply(picture, shelf).pixels.astype(int)
    monkeypatch.setattr("models.imaging.scaling.enlarging.TILE", 32)
    monkeypatch.setattr("models.imaging.scaling.enlarging.enlarge.__defaults__", (32,))
    assert np.abs(apply(picture, shelf).pixels.astype(int) - whole).max() <= 1


def test_alpha_placement_and_the_original(shelf):
    alpha = np.zeros((10, 12), np.uint8)
    alpha[:, 6:] = 255
    picture = Picture(draw(10, 12), alpha, b"profile", Placement(1.5, 4, 6), ("read",))
    before = picture.pixels.copy()
    made = apply(picture, shelf)
    assert made.alpha.shape == (20, 24)
    assert (made.alpha[:, :8] == 0).all()
    assert (made.alpha[:, 16:] == 255).all()
    assert made.placement == Placement(3, 8, 12)
    assert (made.profile, made.notes) == (b"profile", ("read", "upscale: foldsr, version 3 of upscale-x2"))
    assert np.array_equal(picture.pixels, before)


def test_a_network_of_another_scale_is_refused(shelf):
    with pytest.raises(RegistryError, match="upscale-x3 version 3 enlarges 2 times"):
        apply(Picture(draw(4, 4)), shelf, scale=3)


def test_without_a_champion_it_is_bicubic_and_says_so_but_a_family_asked_for_must_be_there():
    picture = Picture(draw(4, 4))
    made = apply(picture)
    assert np.array_equal(made.pixels, apply(picture, family="bicubic").pixels)
    assert "bicubic, as there is no champion: slot: got 'upscale-x2'" in made.notes[-1]
    with pytest.raises(RegistryError, match="upscale-x2"):
        apply(picture, family="espcn")


def test_a_result_that_is_too_large_is_refused_before_any_work():
    side = int((LARGEST / 16) ** 0.5) + 1
    picture = Picture(np.broadcast_to(np.zeros(3, np.uint8), (side, side, 3)))
    with pytest.raises(InputError, match="scale: got 4, allowed: a smaller picture: the result would have 400,"):
        apply(picture, scale=4, family="bicubic")


@pytest.mark.parametrize("scale", [1, 5, 2.5, "x"])
def test_only_the_scales_there_are(scale):
    with pytest.raises(ValidationError, match="scale"):
        Upscale(scale=scale)

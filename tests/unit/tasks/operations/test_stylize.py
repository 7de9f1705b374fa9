"""Stylize: who paints what, what stays byte-equal, and what is refused."""

import hashlib

import cv2
import numpy as np
import pytest
from PIL import Image

from models.errors import InputError, RegistryError, SourceError
from models.losses import perceptual
from tasks.editing.parsing import parse_operation
from tasks.operations import stylize
from tasks.operations.contract.operation import EditContext
from tasks.operations.contract.region import Region
from tasks.operations.stylize import SURROUND, Stylize
from tasks.photos.picture import Picture
from tasks.registry.slots import name_style, slot_of_style


class Inverter:
    """A network that paints the negative, and only takes sides that are multiples of 4."""

    slot, version, family = "stylize-negative", 3, "faststyle"

    def __init__(self, **facts):
        self.facts = {"multiple": 4, **facts}
        self.seen = []

    def network(self, slot, family=None):
        if slot != self.slot:
            raise RegistryError(f"{slot} has no champion")
        return self

    def run(self, image):
        assert image.shape[2] % 4 == image.shape[3] % 4 == 0
        self.seen.append(image.shape[2:])
        return 1 - image


def photo(side=160):
    pixels = np.full((side, side + 10, 3), (232, 224, 214), np.uint8)
    cv2.circle(pixels, (side // 2, side // 2), side // 4, (30, 70, 150), -1, cv2.LINE_AA)
    return Picture(pixels)


def paint(picture=None, **parameters):
    values = {"style": "negative", **parameters}
    return Stylize(**values).apply(picture or photo(), EditContext(Inverter()))


@pytest.fixture
def style(tmp_path):
    path = tmp_path / "Süße Farben 1.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 70, 3)).astype(np.uint8)).save(path)
    return path


def test_a_trained_style_paints_the_whole_photo():
    after = paint()
    assert np.array_equal(after.pixels, 255 - photo().pixels)
    assert after.notes == ("stylize: negative by faststyle, version 3 of stylize-negative",)


def test_strength_goes_from_the_same_bytes_to_the_whole():
    picture = photo()
    assert paint(picture, strength=0) is picture
    assert np.abs(paint(strength=0.5).pixels.astype(int) - 127.5).max() <= 1


def test_outside_of_a_region_every_byte_stays():
    region = Region(boxes=((20, 30, 90, 100),))
    inside = region.rasterise(160, 170)
    within, around = paint(region=region), paint(region=region, where="background")
    assert np.array_equal(within.pixels[~inside], photo().pixels[~inside])
    assert np.array_equal(around.pixels[inside], photo().pixels[inside])
    assert (within.pixels[inside] != photo().pixels[inside]).mean() > 0.9
    assert (around.pixels[~inside] != photo().pixels[~inside]).mean() > 0.9


def test_the_product_or_its_background_is_found():
    product, background = paint(where="product").pixels, paint(where="background").pixels
    assert np.array_equal(product[80, 80], 255 - photo().pixels[80, 80])
    assert np.array_equal(product[5, 5], photo().pixels[5, 5])
    assert np.array_equal(background[80, 80], photo().pixels[80, 80])
    assert np.array_equal(background[5, 5], 255 - photo().pixels[5, 5])


def test_what_is_opaque_is_the_product_and_alpha_stays():
    alpha = np.zeros((160, 170), np.uint8)
    alpha[50:90, 40:80] = 255
    after = paint(Picture(photo().pixels, alpha), where="product")
    assert np.array_equal(after.pixels[alpha == 0], photo().pixels[alpha == 0])
    assert np.array_equal(after.pixels[alpha > 0], 255 - photo().pixels[alpha > 0])
    assert after.alpha is alpha


def test_a_photo_without_a_product_is_left_as_it_was():
    plain = Picture(np.full((80, 80, 3), 200, np.uint8))
    after = paint(plain, where="product")
    assert np.array_equal(after.pixels, plain.pixels)
    assert after.notes[-1] == "stylize: left as it was"


def test_a_large_photo_is_painted_at_a_bounded_size():
    network = Inverter()
    after = Stylize(style="negative", size=64).apply(photo(900), EditContext(network))
    assert network.seen == [(64 + 2 * SURROUND,) * 2]
    assert after.pixels.shape == photo(900).pixels.shape
    assert np.abs(after.pixels.astype(int) + photo(900).pixels - 255)[5, 5].max() <= 1


def test_colours_are_kept_and_lightness_changes():
    after = paint(Picture(np.full((64, 64, 3), (90, 130, 150), np.uint8)), keep_colours=True).pixels.astype(int)
    assert (after - after[..., :1] == (0, 40, 60)).all()
    assert not np.array_equal(after[0, 0], (90, 130, 150))


@pytest.mark.parametrize("shape", [(1, 1), (48, 41)])
def test_any_picture_is_a_style_by_optimisation(style, shape):
    before = Picture(np.full((*shape, 3), 120, np.uint8))
    operation = Stylize(style=str(style), steps=3, features="lite0")
    first, second = (operation.apply(before, EditContext(None)) for _ in range(2))
    assert first.pixels.shape == before.pixels.shape
    assert not np.array_equal(first.pixels, before.pixels)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.notes == ("stylize: Süße Farben 1.png by 3 steps of optimisation on efficientnet-lite0",)


def test_optimisation_can_keep_colours_and_paint_a_region_only(style):
    region = Region(boxes=((30, 30, 110, 120),))
    inside = region.rasterise(160, 170)
    operation = Stylize(style=str(style), steps=3, size=64, features="lite0", keep_colours=True, region=region)
    after = operation.apply(photo(), EditContext(None)).pixels
    assert np.array_equal(after[~inside], photo().pixels[~inside])
    change = after[inside].astype(int) - photo().pixels[inside]
    assert np.abs(change).max() > 5
    assert (change == change[:, :1]).mean() > 0.9


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jpg", b"", "a picture's file, or a trained style, but it is empty: 0 bytes"),
        ("a.svg", b"<svg></svg>", "a picture's file.*a drawing"),
        ("a.txt", b"hello", "a picture's file.*not an image"),
    ],
)
def test_a_style_that_is_no_picture_is_said_in_one_line(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^style: got '.*{name}', allowed: {said}") as caught:
        paint(style=str(path))
    assert "\n" not in str(caught.value)


def test_a_style_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"^style: got 'mosaik', allowed: .*stylize-mosaik has no champion"):
        paint(style="mosaik")
    with pytest.raises(InputError, match=r"^style: got '.*none.png', allowed: .* No such file"):
        paint(style=str(tmp_path / "none.png"), family="gatys")
    with pytest.raises(InputError, match=r"^style: got '.*none.png', allowed: the file of a picture that is there"):
        paint(style=str(tmp_path / "none.png"))


def test_features_that_stand_in_for_vgg19_are_said(style, monkeypatch):
    def refuse():
        raise SourceError("no internet")

    monkeypatch.setattr(perceptual, "load_vgg19", refuse)
    stylize.load_features.cache_clear()
    try:
        assert Stylize(style=str(style)).name_features() == "efficientnet-lite0, since VGG19 cannot be fetched"
        assert Stylize(style=str(style), features="lite0").name_features() == "efficientnet-lite0"
    finally:
        stylize.load_features.cache_clear()


def test_a_picture_is_painted_fast_only_by_the_network_that_learned_it(tmp_path):
    path = tmp_path / "negative.png"
    Image.new("RGB", (40, 40), "red").save(path)
    fast = Stylize(style=str(path), family="fast")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    after = fast.apply(photo(), EditContext(Inverter(style_sha256=digest)))
    assert np.array_equal(after.pixels, 255 - photo().pixels)
    with pytest.raises(InputError, match="stylize-negative was trained from another picture of that name"):
        fast.apply(photo(), EditContext(Inverter(style_sha256="0" * 64)))


def test_what_a_network_paints_at_its_own_edges_is_not_seen(monkeypatch):
    def run(_, image):
        made = np.zeros_like(image)
        made[..., 16:-16, 16:-16] = 1 - image[..., 16:-16, 16:-16]
        return made

    monkeypatch.setattr(Inverter, "run", run)
    assert np.array_equal(paint().pixels, 255 - photo().pixels)


def test_a_network_that_does_not_say_its_sides_is_refused():
    with pytest.raises(RegistryError, match="stylize-negative version 3 does not say"):
        Stylize(style="negative").apply(photo(), EditContext(Inverter(multiple=None)))


def test_the_command_line_names_a_style_and_its_strength():
    assert parse_operation("stylize,style=mosaic.jpg,strength=0.6") == Stylize(style="mosaic.jpg", strength=0.6)
    assert parse_operation("stylize:mosaic,where=background").where == "background"
    with pytest.raises(InputError, match=r"^strength: got .*1.5"):
        parse_operation("stylize:mosaic,strength=1.5")


def test_slots_are_named_by_the_style():
    assert name_style("pictures/The Great_Wave (1831).jpg") == "the-great-wave-1831"
    assert slot_of_style("mosaic") == slot_of_style("a/mosaic.png") == "stylize-mosaic"


@pytest.mark.photos
def test_a_packshots_product_is_painted_and_its_background_stays(photographs):
    with Image.open(sorted((photographs / "packshots").glob("*kettle*.webp"))[0]) as image:
        picture = Picture(np.asarray(image.convert("RGB")))
    after = Stylize(
        style=str(photographs / "styles" / "mosaic.jpg"), where="product", size=96, steps=12, features="lite0"
    ).apply(picture, EditContext(None))
    changed = (after.pixels != picture.pixels).any(axis=2)
    assert 0.1 < changed.mean() < 0.6
    assert not changed[:40].any()

"""A picture against rules: what is measured, what passes, and what would mend it."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from models.errors import InputError, RegistryError
from models.imaging.inspection.product import measure_area, measure_extent, measure_white
from models.imaging.inspection.sharpness import measure_sharpness
from tasks.editing.job import EditJob
from tasks.editing.parsing import parse_operation
from tasks.editing.photo import edit_photo
from tasks.market import evidence
from tasks.market.check import check_picture, check_pictures, failing_rules, judge
from tasks.market.evidence import Evidence, Scene, look
from tasks.market.fixes import FixPlan, plan_fix
from tasks.market.header import read_header
from tasks.market.rules import Market
from tasks.photos.formats import WRITTEN_SUFFIXES
from tasks.photos.photo_file import load_photo
from tasks.photos.xmp import XMP, XMP_CHUNK
from tasks.provenance.generated import Provenance
from tests.generators import GENERATED_BY

SIDE = 240


class Nothing:
    """No networks."""

    def network(self, slot, family=None):
        raise RegistryError(f"{slot} has no champion")


def write_anew(source, out):
    plan = FixPlan((), WRITTEN_SUFFIXES[out.suffix]).job().plan()
    return edit_photo(plan, load_photo(source), out, Nothing())


def make_market(**rules):
    return Market.model_validate({"market": "own", "source": "a test", "rules": rules})


def draw(background=(255, 255, 255), width=120, height=160):
    """A striped product, `width` x `height`, in the middle of a square; its pixels and its mask."""
    pixels = np.full((SIDE, SIDE, 3), background, np.uint8)
    matte = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    inside = (slice(top, top + height), slice(left, left + width))
    matte[inside] = 1
    pixels[inside] = (40, 60, 90)
    pixels[inside][::8] = (150, 160, 170)
    return pixels, matte


def find_dark(pixels):
    return (pixels.max(axis=2) < 200).astype(np.float32)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def check(path, **rules):
    report = check_picture(path, make_market(**rules), find_dark)
    assert not report.problem
    return {row.rule: row for row in report.rows}


def test_a_picture_that_meets_every_rule(tmp_path):
    path = save(tmp_path / "a.png", draw()[0])
    report = check_picture(path, make_market(white_background={"minimum": 1}, longest_side={"minimum": 200}), find_dark)
    assert report.passed
    assert report.fixes == ()
    assert plan_fix(report) is None
    assert json.loads(report.model_dump_json())["rows"][0]["pass"] is True


def test_sides_and_what_mends_them(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((100, 240, 3), np.uint8))
    small = check(path, longest_side={"minimum": 500}, shortest_side={"minimum": 150, "may_enlarge": False})
    assert (small["longest_side"].measured, small["longest_side"].fix) == ("240 px", "upscale:3")
    assert (small["shortest_side"].measured, small["shortest_side"].fix) == ("100 px", "")
    large = check(path, longest_side={"maximum": 120}, megapixels={"maximum": 0.006}, aspect={"maximum": 1})
    assert [row.fix for row in large.values()] == ["frame,side=120", "frame,side=120", "frame,square=true"]
    assert check(path, longest_side={"minimum": 2000})["longest_side"].fix == ""  # nothing enlarges nine times


def test_the_product_and_the_white_around_it():
    pixels, matte = draw((255, 255, 255))
    pixels[:60] = 254
    assert measure_extent(matte, (60, 40, 180, 200)) == pytest.approx(160 / 240)
    assert measure_area(matte) == pytest.approx(120 * 160 / 240**2)
    white = measure_white(pixels, matte)
    assert white == pytest.approx(0.67, abs=0.03)
    assert measure_white(pixels, np.ones_like(matte)) is None


def test_a_beige_background_and_a_small_product_say_what_mends_them(tmp_path):
    path = save(tmp_path / "a.png", draw((235, 228, 220))[0])
    rows = check(
        path,
        longest_side={"minimum": 240},
        white_background={"minimum": 0.99},
        product_box={"minimum": 0.85},
        product_area={"maximum": 0.2},
    )
    assert (rows["white_background"].measured[:4], rows["white_background"].fix) == ("0.0%", "background:white")
    assert rows["product_box"].measured.startswith("66.7%")
    assert rows["product_box"].fix == "frame,share=0.87,square=true,minimum_side=240"
    assert rows["product_area"].fix == "frame,share=0.18,measure=area,square=true,minimum_side=240"


def test_no_product_and_no_background_are_said(tmp_path):
    rules = {"product_box": {"minimum": 0.5}, "white_background": {"minimum": 0.5}}
    blank = check(save(tmp_path / "a.png", np.full((50, 50, 3), 255, np.uint8)), **rules)
    assert blank["product_box"].measured == "no product found"
    assert not blank["product_box"].passed
    full = check(save(tmp_path / "b.png", np.full((50, 50, 3), 9, np.uint8)), **rules)
    assert full["white_background"].measured == "no background in sight"


def test_sharpness_does_not_depend_on_size_and_falls_with_blur():
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 255, (50, 50, 3), np.uint8)
    large, blurred = (
        np.asarray(Image.fromarray(fine).resize((side, side), kind)) for side, kind in ((2000, 0), (1000, 3))
    )
    usual = np.asarray(Image.fromarray(fine).resize((1000, 1000), 0))
    sharp = measure_sharpness(usual, (0, 0, 1000, 1000))
    assert measure_sharpness(large, (0, 0, 2000, 2000)) == pytest.approx(sharp, rel=0.05)
    assert measure_sharpness(blurred, (0, 0, 1000, 1000)) < 0.1 * sharp


def test_text_and_borders_are_reported_with_what_mends_them():
    pixels, matte = draw()
    pixels = np.pad(pixels[6:-6, 6:-6], ((6, 6), (6, 6), (0, 0)))
    header = Evidence(header=None, scene=Scene(pixels, matte, (60, 40, 180, 200)))
    rows = {row.rule: row for row in judge(header, make_market(borders={"allowed": False}, text={"allowed": False}))}
    assert (rows["borders"].measured, rows["borders"].fix) == (
        "top 6 px, right 6 px, bottom 6 px, left 6 px",
        "background:white",
    )
    assert rows["text"].measured == "none seen beside the product"


def test_facts_of_the_file(tmp_path):
    pixels = draw()[0]
    rules = {
        "format": {"allowed": ["JPEG", "PNG"]},
        "suffix": {"required": True},
        "transparency": {"allowed": False},
        "animation": {"allowed": False},
        "colour_space": {"allowed": ["sRGB"]},
        "megabytes": {"maximum": 1e-6},
    }
    liar = check(save(tmp_path / "a.jpg", pixels, format="WEBP"), **rules)
    assert (liar["format"].measured, liar["format"].fix) == ("WEBP", "--format jpg")
    assert liar["suffix"].measured == ".jpg, the file is WEBP"
    assert not liar["megabytes"].passed
    clear = check(save(tmp_path / "b.png", np.dstack([pixels, pixels[..., 0]])), **rules)
    assert (clear["transparency"].passed, clear["transparency"].fix) == (False, "--format jpg")
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "c.jpg")
    assert check(tmp_path / "c.jpg", **rules)["colour_space"].measured == "CMYK, no profile"


def test_profiles_are_told_apart(tmp_path):
    def colour_space(profile):
        path = save(tmp_path / "a.png", draw()[0], icc_profile=profile)
        return check(path, colour_space={"allowed": ["sRGB"]})["colour_space"]

    assert colour_space(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()).passed
    lab = colour_space(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    assert (lab.passed, lab.fix) == (False, "--icc srgb")
    assert colour_space(b"nonsense" * 20).measured == "a damaged profile"


def test_an_animation_is_reported_and_its_pixels_are_not_guessed(tmp_path):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("white", "black")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    rows = check(tmp_path / "a.gif", animation={"allowed": False}, sharpness={"minimum": 1})
    assert (rows["animation"].passed, rows["animation"].measured) == (False, "2 frames")
    assert rows["sharpness"].measured == "not measured: animated: 2 frames"


@pytest.mark.parametrize(("record", "label", "passed"), [(1, 1, True), (1, 0, False), (0, 0, True), (0, 1, True)])
def test_a_generated_picture_must_say_so(tmp_path, record, label, passed):
    chunks = PngInfo()
    if record:
        chunks.add_itxt(Provenance.chunk, GENERATED_BY.model_dump_json())
    if label:
        chunks.add_itxt(XMP_CHUNK, XMP)
    path = save(tmp_path / "a.png", draw()[0], pnginfo=chunks)
    row = check(path, ai_label={"required": True})["ai_label"]
    assert row.passed is passed
    assert ("made by generate-bags version 3" in row.measured) is bool(record)
    write_anew(path, tmp_path / "b.jpg")
    written = read_header(load_photo(tmp_path / "b.jpg"))
    assert written.is_labelled is bool(record or label)
    assert written.generated_by == ("generate-bags version 3" if record else "an edit by a network" if label else "")


def test_what_cannot_be_read_is_one_report_among_the_others(tmp_path):
    paths = [save(tmp_path / "a.png", draw()[0]), tmp_path / "b.jpg", tmp_path / "c.png", tmp_path / "none.png"]
    paths[1].write_text("not a picture")
    content = io.BytesIO()
    Image.fromarray(draw()[0]).save(content, "PNG")
    paths[2].write_bytes(content.getvalue()[:200])
    reports = list(check_pictures(paths, make_market(sharpness={"minimum": 1}), find_dark))
    assert [report.passed for report in reports] == [True, False, False, False]
    assert all(report.problem and "\n" not in report.problem for report in reports[1:])
    assert failing_rules(reports) == {}


def test_fixes_become_one_edit_in_their_order(tmp_path):
    path = save(tmp_path / "a.webp", draw((235, 228, 220))[0])
    market = make_market(
        format={"allowed": ["JPEG"]}, product_box={"minimum": 0.85}, white_background={"minimum": 0.99}
    )
    plan = plan_fix(check_picture(path, market, find_dark))
    assert [one.op for one in plan.operations] == ["background", "frame"]
    assert plan.form == "jpg"


def test_a_picture_of_which_only_the_file_is_wrong_is_written_anew(tmp_path):
    path = save(tmp_path / "a.webp", draw()[0])
    market = make_market(format={"allowed": ["PNG"], "preferred": "png"})
    plan = plan_fix(check_picture(path, market, find_dark))
    assert (plan.operations, plan.form) == ((), "png")
    write_anew(path, tmp_path / "b.png")
    assert check_picture(tmp_path / "b.png", market, find_dark).passed
    other = EditJob(operations=(parse_operation("degrade:grayscale"),), measured=False).plan()
    with pytest.raises(InputError, match="--overwrite replaces it"):
        edit_photo(other, load_photo(path), tmp_path / "b.png", Nothing())


@pytest.mark.parametrize(
    ("height", "width", "fix", "size"),
    [
        (300, 400, "", (400, 300)),
        (297, 400, "frame,aspect=4:3", (400, 300)),
        (400, 200, "frame,aspect=3:4", (300, 400)),
        (400, 380, "frame,square=true", (400, 400)),
    ],
)
def test_a_market_may_take_one_of_several_aspects(tmp_path, height, width, fix, size):
    source = save(tmp_path / "a.png", np.full((height, width, 3), 200, np.uint8))
    market = make_market(aspect={"one_of": ["4:3", "square"]})
    report = check_picture(source, market, find_dark)
    assert (report.passed, report.fixes) == (not fix, (fix,) if fix else ())
    if fix:
        edit_photo(plan_fix(report).job().plan(), load_photo(source), tmp_path / "b.png", Nothing())
        assert check_picture(tmp_path / "b.png", market, find_dark).passed
        with Image.open(tmp_path / "b.png") as image:
            assert image.size == size


def test_sides_may_be_one_of_several_and_the_nearest_is_suggested(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((100, 240, 3), np.uint8))
    for allowed, fix in (
        ([200, 1000], "frame,side=200"),
        ([100, 250], "frame,side=250"),
        ([{"minimum": 400}, 100], "upscale:2"),
        ([240], ""),
    ):
        row = check(path, longest_side={"one_of": allowed})["longest_side"]
        assert (row.passed, row.fix) == (not fix, fix)
    small = {"one_of": [100, 250], "may_enlarge": False}
    assert check(path, longest_side=small)["longest_side"].fix == "frame,side=100"


def test_a_product_is_framed_in_a_shape_that_the_market_takes(tmp_path):
    pixels = draw()[0][40:200]
    path = save(tmp_path / "a.png", pixels)
    rules = {"product_box": {"maximum": 0.5}, "aspect": {"one_of": ["4:3"]}}
    assert check(path, **rules)["product_box"].fix == "frame,share=0.48,aspect=4:3"


def test_what_is_judged_is_read_once(tmp_path, monkeypatch):
    """A file that changes while it is checked is judged by the bytes that were read, and by their digest."""
    path = save(tmp_path / "a.png", draw()[0])
    judged = load_photo(path)

    def read_and_swap(photo):
        save(path, np.zeros((9, 9, 3), np.uint8))
        return read_header(photo)

    monkeypatch.setattr(evidence, "read_header", read_and_swap)
    report = check_picture(path, make_market(longest_side={"minimum": 200}, product_box={"minimum": 0.5}), find_dark)
    assert report.passed
    assert report.sha256 == judged.sha256 != load_photo(path).sha256


def test_the_product_is_found_where_none_is_given():
    pixels, matte = draw((235, 228, 220))
    scene = look(pixels)
    assert np.abs((scene.matte > 0.5) ^ (matte > 0.5)).mean() < 0.02

from PIL import Image

from tasks.dataset.squares import fit_square


def test_an_image_keeps_its_aspect_and_is_centred():
    square = fit_square(Image.new("RGB", (100, 50), "black"), (32, 32, 3), background=255)
    assert (square[8:24] == 0).all()
    assert (square[:8] == 255).all()
    assert (square[24:] == 255).all()
    small = fit_square(Image.new("L", (10, 6)), (32, 32, 1), background=9)
    assert (small == 0).sum() == 60


def test_a_crop_keeps_the_middle_square_alone():
    wide = Image.new("RGB", (100, 50), "black")
    wide.paste("red", (25, 0, 75, 50))
    assert (fit_square(wide, (32, 32, 3), 255, "crop") == (255, 0, 0)).all()
    small = fit_square(wide.resize((20, 10)), (32, 32, 3), 9, "crop")
    assert (small == 9).all(axis=2).sum() == 32 * 32 - 10 * 10
    assert fit_square(wide, (32, 32, 3), 255, "pad")[0, 0].tolist() == [255, 255, 255]

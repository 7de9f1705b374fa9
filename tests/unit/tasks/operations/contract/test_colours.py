"""Colours as people write them."""

import pytest
from pydantic import BaseModel, ValidationError

from tasks.operations.contract.colours import Colour, read_colour


@pytest.mark.parametrize(
    ("text", "channels"),
    [("white", (255, 255, 255)), ("#f5f5f5", (245, 245, 245)), ("#1aB", (17, 170, 187)), ("rgb(1, 2, 3)", (1, 2, 3))],
)
def test_names_and_digits_are_read(text, channels):
    assert read_colour(text) == channels


@pytest.mark.parametrize("text", ["", "of sand", "#12345", "ffffff"])
def test_what_is_no_colour_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"^a colour such as white or #f5f5f5$"):
        read_colour(text)


def test_transparency_is_refused():
    with pytest.raises(ValueError, match=r"^a colour without transparency, such as #f5f5f5$"):
        read_colour("#ff000080")


class Paper(BaseModel):
    colour: Colour = "white"


def test_a_field_keeps_the_text_and_names_itself():
    assert Paper(colour="navy").colour == "navy"
    with pytest.raises(ValidationError) as refusal:
        Paper(colour="of sand")
    (error,) = refusal.value.errors()
    assert error["loc"] == ("colour",)
    assert error["msg"].endswith("a colour such as white or #f5f5f5")

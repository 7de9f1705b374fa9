"""The shape of a frame as people write it."""

import pytest
from pydantic import BaseModel, ValidationError

from tasks.operations.contract.aspect import AspectText, read_aspect


@pytest.mark.parametrize(
    ("text", "ratio"), [("4:3", 4 / 3), (" 3:4 ", 0.75), ("1.91:1", 1.91), ("100:1", 100), ("1:100", 0.01)]
)
def test_width_to_height_is_read(text, ratio):
    assert read_aspect(text) == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["", "4", "4/3", "4:3:2", "0:3", "4:0", "-4:3", "101:1", "1:101", "a:b", "4: 3"])
def test_other_texts_are_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"^width to height, such as 4:3, at most 100 to 1$"):
        read_aspect(text)


class Frame(BaseModel):
    aspect: AspectText


def test_a_field_keeps_the_text_and_names_itself():
    assert Frame(aspect="4:3").aspect == "4:3"
    with pytest.raises(ValidationError) as refusal:
        Frame(aspect="wide")
    assert refusal.value.errors()[0]["loc"] == ("aspect",)

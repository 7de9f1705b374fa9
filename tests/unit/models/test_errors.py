"""Errors that reach a person: one base, one line, what came and what is allowed."""

import pytest

from models import errors
from models.errors import CatalogueError, InputError, PackshotError, SourceError, ValidationFailed


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ("0 to 1", "0 to 1"),
        (("bag", "boot"), "one of bag, boot"),
        ({"png": 1, "jpg": 2}, "one of png, jpg"),
        (range(1, 4), "one of 1, 2, 3"),
        ([], "one of "),
    ],
)
def test_a_wrong_value_is_told_with_its_field_and_what_is_allowed(allowed, said):
    error = InputError("--seed", "many", allowed)
    assert str(error) == f"--seed: got 'many', allowed: {said}"
    assert (error.field, error.received) == ("--seed", "many")


def test_text_with_line_breaks_stays_on_one_line():
    assert "\n" not in str(InputError("category", "bag\nboot", "one line"))


def test_every_error_has_the_base_and_says_what_it_is():
    ours = [one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__]
    assert len(ours) == 11
    for one in ours:
        assert issubclass(one, PackshotError)
        assert one.__doc__
        assert one.__name__ in errors.__doc__
    assert issubclass(SourceError, CatalogueError)
    assert issubclass(ValidationFailed, CatalogueError)

"""What every record of an image's making has: its JSON, and the mark that every reader understands."""

import json
from typing import ClassVar

import pytest

from tasks.photos.xmp import SOURCE_TYPE_RECORD
from tasks.provenance.record import Link, OwnRecord, software


class Drawn(OwnRecord):
    """A record for tests."""

    chunk: ClassVar[str] = "packshot:drawn"
    hand: str
    pens: int
    mark: str = ""

    @property
    def marked(self):
        return self.mark

    @property
    def says(self):
        return f"drawn by {self.hand}"

    def links(self, sha256):
        return [Link(sha256, "image", "0" * 64, "drawn after")]


def test_equal_records_are_equal_text_whatever_the_script():
    text = Drawn(pens=2, hand="包 é").to_json()
    assert text == '{"hand":"包 é","mark":"","pens":2}'
    assert Drawn.model_validate_json(text) == Drawn(hand="包 é", pens=2)


def test_only_a_record_that_states_a_source_type_is_marked():
    plain, marked = (Drawn(hand="ann", pens=1, mark=mark) for mark in ("", "http://example.org/digitalArt"))
    assert list(plain.texts()) == ["packshot:drawn"]
    assert marked.texts() == {"packshot:drawn": marked.to_json(), SOURCE_TYPE_RECORD: "http://example.org/digitalArt"}
    assert json.loads(marked.texts()["packshot:drawn"])["pens"] == 1
    assert plain.generated_by == ""


def test_a_record_says_what_it_must():
    with pytest.raises(TypeError, match="abstract"):
        type("Silent", (OwnRecord,), {"chunk": "x"})()


def test_the_software_has_its_version():
    name, version = software().split()
    assert name == "packshot"
    assert version[0].isdigit()

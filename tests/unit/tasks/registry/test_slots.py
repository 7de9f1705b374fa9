"""Which slot an editing network competes for, and the family behind an exported file."""

import pytest

from models.errors import InputError
from models.families.family import ImageShape
from tasks.registry.slots import rebuild, slot_of_editor


@pytest.mark.parametrize(
    ("capability", "facts", "slot"),
    [
        ("upscale", {"scale": 3, "reach": 4}, "upscale-x3"),
        ("inpaint", {"multiple": 16}, "inpaint"),
        ("stylize", {"style": "styles/mosaic.jpg"}, "stylize-mosaic"),
    ],
)
def test_networks_of_one_kind_share_a_slot(capability, facts, slot):
    assert slot_of_editor(capability, facts) == slot


def test_a_file_of_any_scale_is_spoilt_as_its_family_does():
    family = rebuild("espcn", {"scale": 4, "reach": 4, "macs": 1}, ImageShape(3, 96, 2))
    assert family.facts["scale"] == 4
    with pytest.raises(InputError, match="one that edits photographs"):
        rebuild("dcgan", {}, ImageShape(1, 32, 2))

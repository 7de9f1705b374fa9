"""What a training's key depends on."""

import pytest

from models.families.discovery import load_family
from tasks.workspace.code import list_code
from tests.families import FAMILIES

CARRIED = (
    "models.families.discovery",
    "models.errors",
    "tasks.training.run_log",
    "tasks.registry.tracking",
    "tasks.workspace.progress",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_code_of_a_family_is_all_of_it_that_computes(family):
    module = load_family(family).__module__
    code = set(list_code("tasks.training.fit", module))
    assert {
        module,
        "models.training.trainer",
        "models.training.initial",
        "models.families.family",
        "models.training.average",
        "tasks.training.fit",
    } <= code
    assert not code.intersection(CARRIED)


def test_modules_are_found_through_others():
    assert "models.training.history" in list_code("models.training.trainer")
    assert list_code("models.errors") == ("models.errors",)
    others = set(list_code("models.generators.lsgan")) - set(list_code("models.families.family"))
    assert {"models.families.adversarial", "models.losses.games"} <= others

"""What a training's key depends on."""

import pytest

from models import FAMILIES
from tasks.workspace.code import list_code


@pytest.mark.parametrize("family", FAMILIES)
def test_the_code_of_a_family_is_all_that_it_imports(family):
    module = FAMILIES[family].partition(":")[0]
    code = list_code("tasks.training.fit", module)
    assert {
        module,
        "models",
        "models.training.trainer",
        "models.training.initial",
        "models.families.family",
        "models.training.average",
    } <= set(code)
    assert "tasks.training.fit" in code
    assert not [name for name in code if not name.startswith("models") and name != "tasks.training.fit"]


def test_modules_are_found_through_others():
    assert "models.files" in list_code("models.training.checkpoint")
    assert list_code("models.errors") == ["models.errors"]
    others = set(list_code("models.generators.lsgan")) - set(list_code("models.families.family"))
    assert {"models.families.adversarial", "models.losses.games"} <= others

"""What a training's key depends on."""

import pytest

from models import FAMILIES
from tasks.fit import list_code


@pytest.mark.parametrize("family", FAMILIES)
def test_the_code_of_a_family_is_all_that_it_imports(family):
    module = FAMILIES[family].partition(":")[0]
    code = list_code("tasks.fit", module)
    assert {module, "models", "models.trainer", "models.initial", "models.family", "models.average"} <= set(code)
    assert "tasks.fit" in code
    assert not [name for name in code if not name.startswith("models") and name != "tasks.fit"]


def test_modules_are_found_through_others():
    assert "models.files" in list_code("models.checkpoint")
    assert list_code("models.errors") == ["models.errors"]
    others = set(list_code("models.lsgan")) - set(list_code("models.family"))
    assert {"models.adversarial", "models.losses"} <= others

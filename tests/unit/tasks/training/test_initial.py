"""What `init_from` may name, and how a version is named that an alias meant."""

import hashlib

import pytest

from models.errors import InputError
from models.generators.dcgan import DCGANConfig
from models.generators.gp import GPConfig
from tasks.training.initial import Initial, find_initial, name_source, name_version
from tasks.workspace.settings import Settings


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "networks.safetensors").write_bytes(b"weights")
    return Settings(root=tmp_path)


def test_a_file_is_found_from_the_checkout_and_known_by_its_bytes(settings, tmp_path):
    given = "weights/networks.safetensors"
    initial = find_initial(settings, DCGANConfig(init_from=given))
    assert initial == Initial(tmp_path / given, hashlib.sha256(b"weights").hexdigest(), given)


def test_a_recipe_that_names_nothing_starts_from_its_seed(settings):
    assert find_initial(settings, DCGANConfig()) is None
    assert find_initial(settings, GPConfig()) is None  # fitted at once: it has no such parameter


@pytest.mark.parametrize("given", ["dcgan", "slot@", "models:/", "a/b/c@1", "weights/networks.pt"])
def test_other_forms_are_refused_with_those_there_are(settings, given):
    with pytest.raises(InputError, match=rf"^init_from: got '{given}', allowed: SLOT@N, SLOT@champion, models:/SLOT/N"):
        find_initial(settings, DCGANConfig(init_from=given))


def test_a_file_that_is_not_there_is_named(settings, tmp_path):
    with pytest.raises(InputError, match=rf"allowed: a file that is there; {tmp_path}/lost\.safetensors is not$"):
        find_initial(settings, DCGANConfig(init_from="lost.safetensors"))


def test_the_recipe_says_which_version_an_alias_meant(tmp_path):
    recipe = DCGANConfig(init_from="generate-shop@champion")
    assert name_source(recipe, None) is recipe
    named = name_source(recipe, Initial(tmp_path, "0" * 64, "models:/generate-shop/4"))
    assert named.init_from == "models:/generate-shop/4"
    assert recipe.init_from == "generate-shop@champion"


@pytest.mark.parametrize(
    ("uri", "name"),
    [("models:/generate-shop/4", "generate-shop@4"), ("weights/networks.safetensors", None), ("models:/a/b/c", None)],
)
def test_a_version_has_one_name_in_the_lineage_index(uri, name):
    assert name_version(uri) == name

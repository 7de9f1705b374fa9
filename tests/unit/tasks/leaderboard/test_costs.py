"""What families and versions cost: numbers are counted as they are, without memory, and the newest version speaks."""

from itertools import pairwise

import pytest
import yaml

from models.families.discovery import load_family
from tasks.leaderboard.costs import SHAPE, count_recipe_parameters, list_families, measured_costs
from tasks.registry.versions import VersionSummary
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings
from tests.families import FAMILIES


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"families": {"dcgan": {"width": 8, "latent": 16}}}))
    return Settings(root=tmp_path)


def test_every_family_has_a_line_with_its_parameters(settings):
    families = list_families(settings.root)
    assert sorted(family.name for family in families) == sorted(FAMILIES)
    capabilities = [family.capability for family in families]
    assert list(dict.fromkeys(capabilities)) == ["generate", *sorted(set(capabilities) - {"generate"})]
    assert sum(first != second for first, second in pairwise(capabilities)) == len(set(capabilities)) - 1
    assert all(int(family.parameters.replace(",", "")) > 0 for family in families)


def test_parameters_are_those_of_the_recipe(settings):
    made = load_family("dcgan")(load_recipe(settings.root, "dcgan", {}), SHAPE)
    assert count_recipe_parameters(settings.root, "dcgan") == sum(
        kept.numel() for kept in made.generator.state_dict().values()
    )


def version(number, family="dcgan", **tags):
    tags = {"family": family, **tags}
    return VersionSummary("slot", number, "run", tags, (), "", created=number)


def test_the_newest_version_that_was_measured_says_what_a_family_costs():
    versions = [
        version(3),
        version(2, latency_ms="9", megabytes="4", training_seconds="60"),
        version(1, latency_ms="8"),
    ]
    assert measured_costs(versions) == {"dcgan": ("9", "4", "60")}
    assert measured_costs([version(1, family="vae", latency_ms="8")]) == {"vae": ("8", "", "")}

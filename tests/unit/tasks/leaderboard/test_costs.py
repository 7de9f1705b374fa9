"""What families and versions cost: numbers are counted as they are, without memory, and the newest version speaks."""

from itertools import pairwise

import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper, save

from models.families.discovery import load_family
from tasks.leaderboard.costs import SHAPE, count_recipe_parameters, list_families, measured_costs
from tasks.registry.model_folder import count_parameters
from tasks.registry.register import VersionSummary
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings
from tests.families import FAMILIES
from tests.generators import LATENT, SIDE, write_generator


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"families": {"dcgan": {"width": 8, "latent": 16}}}))
    return Settings(root=tmp_path)


def test_every_family_has_a_line_with_its_parameters(settings):
    families = list_families(settings)
    assert sorted(family.name for family in families) == sorted(FAMILIES)
    capabilities = [family.capability for family in families]
    assert list(dict.fromkeys(capabilities)) == ["generate", *sorted(set(capabilities) - {"generate"})]
    assert sum(first != second for first, second in pairwise(capabilities)) == len(set(capabilities)) - 1
    assert all(int(family.parameters.replace(",", "")) > 0 for family in families)


def test_parameters_are_those_of_the_recipe(settings):
    made = load_family("dcgan")(load_recipe(settings.root, "dcgan", {}), SHAPE)
    assert count_recipe_parameters(settings, "dcgan") == sum(
        kept.numel() for kept in made.generator.state_dict().values()
    )


def test_a_files_numbers_are_counted_in_loops_too(tmp_path):
    plain = write_generator(tmp_path / "plain.onnx")
    assert count_parameters(plain) == LATENT * SIDE**2 + 3 * SIDE**2 + 4  # weights, shades, a shape
    branches = []
    for size in (5, 6):
        kept = numpy_helper.from_array(np.zeros(size, np.float32), f"kept{size}")
        out = helper.make_tensor_value_info(f"out{size}", TensorProto.FLOAT, [size])
        node = helper.make_node("Identity", [f"kept{size}"], [f"out{size}"])
        branches.append(helper.make_graph([node], f"g{size}", [], [out], [kept]))
    choice = helper.make_tensor_value_info("choice", TensorProto.BOOL, [])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n"])
    node = helper.make_node("If", ["choice"], ["out"], then_branch=branches[0], else_branch=branches[1])
    graph = helper.make_graph([node], "g", [choice], [out])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(tmp_path / "if.onnx"))
    assert count_parameters(tmp_path / "if.onnx") == 11


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

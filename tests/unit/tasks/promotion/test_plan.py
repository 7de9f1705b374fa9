"""The plan of a training: how its catalogue is prepared, how its versions are measured, and which bounds they hold."""

import pytest
import yaml

from models.errors import InputError
from tasks.promotion.bounds import GateBounds
from tasks.promotion.editor_gate import EditorBounds
from tasks.promotion.plan import read_plan

PARAMS = {
    "prepare": {"default": {"size": 32}, "clothing": {"size": 64, "background": 200}},
    "evaluate": {"samples": 150},
    "gate": {"max_distance": 5.0},
    "editing": {"upscale": {"size": 96, "fit": "crop"}, "gate": {"min_gain": 0.5}},
}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return tmp_path


def test_a_generator_has_the_catalogues_squares_and_the_gates_bounds(root):
    plan = read_plan(root, "clothing", "dcgan")
    assert (plan.prepare.size, plan.prepare.fit, plan.evaluate.samples) == (64, "pad", 150)
    assert plan.gate == GateBounds(max_distance=5.0)


def test_an_editor_has_the_squares_of_its_capability_and_bounds_of_its_own(root):
    plan = read_plan(root, "clothing", "espcn")
    assert (plan.prepare.size, plan.prepare.fit, plan.prepare.background) == (96, "crop", 200)
    assert plan.gate == EditorBounds(min_gain=0.5)


@pytest.mark.parametrize(("family", "names"), [("dcgan", "max_distance, "), ("espcn", "min_gain")])
def test_an_unknown_bound_is_refused_with_those_of_the_kind(root, family, names):
    params = PARAMS | {"gate": {"colour": 1}, "editing": {"gate": {"colour": 1}}}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(InputError, match=f"parameter: got 'colour', allowed: one of .*{names}"):
        read_plan(root, "clothing", family)

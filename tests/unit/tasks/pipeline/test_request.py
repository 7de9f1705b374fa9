"""A training as it is asked for: checked once, frozen, and the recipe kept whole."""

import inspect

import pytest
from pydantic import ValidationError

from flows.train import train
from flows.train_editor import train_editor
from models.editors.espcn import ESPCNConfig
from models.errors import InputError
from models.generators.dcgan import DCGANConfig
from tasks.pipeline.request import TrainRequest
from tasks.workspace.parameters import parse


def test_the_familys_own_parameters_are_kept():
    request = TrainRequest(recipe=DCGANConfig(width=24), catalogue="shop")
    assert request.recipe.width == 24
    assert request.model_dump()["recipe"]["width"] == 24


@pytest.mark.parametrize(("flow", "recipe"), [(train, DCGANConfig()), (train_editor, ESPCNConfig())])
def test_both_flows_take_what_is_asked_for(flow, recipe):
    request = TrainRequest(recipe=recipe, catalogue="shop", force=True)
    signature = inspect.signature(flow.fn)
    assert request.parameters.keys() == signature.parameters.keys()
    defaults = {name: signature.parameters[name].default for name in ("data_version", "quarantine", "max_quarantined")}
    assert defaults.items() <= request.parameters.items()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_quarantined": 3.0}, "max_quarantined: got 3.0, allowed: less than or equal to 1"),
        ({"catalogue": "../shop"}, "catalogue: got '../shop', allowed: lower-case letters, digits and hyphens"),
        ({"colour": 1}, "parameter: got 'colour', allowed: one of .*catalogue, data_version"),
        ({"recipe": {"family": "dcgan", "width": 8}}, "parameter: got 'recipe.width'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message):
        parse(TrainRequest, {"recipe": DCGANConfig(), "catalogue": "shop"} | changes)


def test_a_request_does_not_change():
    request = TrainRequest(recipe=DCGANConfig(), catalogue="shop")
    with pytest.raises(ValidationError, match="frozen"):
        request.force = True

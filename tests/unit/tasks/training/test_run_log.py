"""The recipe as MLflow shows it."""

from models.generators.dcgan import DCGANConfig
from tasks.training.run_log import flatten


def test_nested_parameters_have_dotted_names():
    nested = {"epochs": 3, "augment": {"flip": 0.5, "deep": {"er": None}}, "freeze": ["generator.*"], "none": {}}
    assert flatten(nested) == {"epochs": 3, "augment.flip": 0.5, "augment.deep.er": None, "freeze": ["generator.*"]}


def test_every_parameter_of_a_recipe_is_there_once():
    flat = flatten(DCGANConfig().model_dump())
    assert flat["augment.flip"] == DCGANConfig().augment.flip
    assert "augment" not in flat
    assert set(DCGANConfig.model_fields) <= {name.partition(".")[0] for name in flat}

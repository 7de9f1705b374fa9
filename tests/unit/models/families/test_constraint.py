"""Parameters that do not go together: the complaint is about the one that a person set."""

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from models.errors import InputError
from models.families.adversarial import Updates
from models.families.constraint import VIOLATED, Constraint, check_constraints
from models.generators.dcgan import DCGANConfig
from models.generators.wgan import WGANConfig
from tasks.workspace.parameters import build_recipe, parse


def complaint(call):
    with pytest.raises(InputError) as refusal:
        call()
    return str(refusal.value)


@pytest.mark.parametrize(
    ("config", "given", "message"),
    [
        (DCGANConfig, {"r1": 1}, "r1: got 1.0, allowed: 0 unless discriminator_norm is layer or none"),
        (DCGANConfig, {"auxiliary": 1}, "auxiliary: got 1.0, allowed: 0 unless conditional is on"),
        (DCGANConfig, {"critic_updates": 20, "batch_size": 32}, "critic_updates: got 20, allowed: at most half of"),
        (DCGANConfig, {"freeze": "body.*"}, "freeze: got 'body.*', allowed: nothing, unless init_from says"),
        (WGANConfig, {"discriminator_norm": "batch"}, "discriminator_norm: got 'batch', allowed: layer or none while"),
        (WGANConfig, {"batch_size": 8}, "batch_size: got 8, allowed: at least twice critic_updates (5)"),
    ],
)
def test_the_parameter_that_was_given_is_named_not_the_default_that_minds(config, given, message):
    assert complaint(lambda: parse(config, given)).startswith(message)


BLOCK = {"family": "dcgan", "conditional": True, "auxiliary": 0.5, "init_from": "a@1", "fresh": ["a.*"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conditional": False}, "conditional: got False, allowed: true while auxiliary is 0.5: it tells the"),
        ({"conditional": False, "auxiliary": 1.0}, "auxiliary: got 1.0, allowed: 0 unless conditional is on"),
        ({"init_from": None}, "init_from: got None, allowed: what to start from, such as SLOT@champion, while fresh"),
    ],
)
def test_a_change_of_this_run_is_named_before_what_the_recipe_has(changes, message):
    assert complaint(lambda: build_recipe(BLOCK, changes)).startswith(message)


def test_a_form_shows_the_same_words():
    with pytest.raises(ValidationError, match=r"auxiliary: got 0\.5, allowed: 0 unless conditional is on"):
        DCGANConfig(auxiliary=0.5)


def test_defaults_are_validated_too():
    class Wrong(DCGANConfig):
        r1: float = 1.0

    with pytest.raises(ValidationError, match=r"r1: got 1\.0"):
        Wrong()

    class OutOfBounds(DCGANConfig):
        critic_updates: Updates = 0

    with pytest.raises(ValidationError, match=r"critic_updates\n.*greater than or equal to 1"):
        OutOfBounds()


class Frame(BaseModel):
    width: int = 4
    height: int = 3


LYING = Constraint(
    lambda frame: frame.width >= frame.height, {"height": "at most {width}, the width", "width": "at least {height}"}
)


@pytest.mark.parametrize(
    ("given", "changed", "blamed"),
    [
        ({"width": 2}, (), "width"),
        ({"height": 9}, (), "height"),
        ({"width": 2, "height": 9}, (), "height"),  # both were set: the first of the rule
        ({"width": 2, "height": 9}, ("width",), "width"),  # but this run changes the other one
        ({"width": 2, "height": 9}, ("colour",), "height"),
    ],
)
def test_who_is_to_blame(given, changed, blamed):
    assert LYING.blame(Frame(**given), changed) == blamed


def test_the_first_rule_that_is_broken_is_told_with_the_values_of_the_others():
    whole = Constraint(lambda frame: frame.width % 2 == 0, {"width": "an even number"})
    check_constraints(Frame(), (LYING, whole), ())
    with pytest.raises(PydanticCustomError) as refusal:
        check_constraints(Frame(width=3, height=5), (LYING, whole), ())
    assert refusal.value.type == VIOLATED
    assert refusal.value.message() == "height: got 5, allowed: at most 3, the width"
    with pytest.raises(PydanticCustomError, match="width: got 3, allowed: an even number"):
        check_constraints(Frame(width=3, height=1), (LYING, whole), ())

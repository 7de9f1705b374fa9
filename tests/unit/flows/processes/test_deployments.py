"""prefect.yaml as the one list of deployments, and what its schedules become."""

import pytest
import yaml
from prefect.utilities.callables import parameter_schema
from pydantic import ValidationError

from flows.edit import edit
from flows.processes.deployments import load_deployment, make_schedules, read_deployments
from flows.train import train
from flows.train_editor import train_editor
from models.errors import InputError
from tasks.operations.contract.discovery import list_operations
from tasks.workspace.settings import SOURCE
from tests.families import EDITING, GENERATING

NAMES = ["train", "train-editor", "retrain", "promote", "rollback", "generate", "edit"]
LISTED = SOURCE / "prefect.yaml"


def deployment(name, retrain_cron=None):
    return next(entry for entry in read_deployments(LISTED, retrain_cron) if entry.name == name)


def test_the_deployments_are_listed_once():
    assert [entry.name for entry in read_deployments(LISTED)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_entrypoint_is_a_flow_whose_parameters_make_a_form(name, monkeypatch):
    monkeypatch.chdir(LISTED.parent)
    loaded = load_deployment(deployment(name))
    assert loaded.flow_name == name
    assert loaded._parameter_openapi_schema.properties


def test_retrain_is_scheduled_but_off():
    (schedule,) = make_schedules(deployment("retrain"), {})
    assert (schedule.schedule.cron, schedule.active) == ("0 3 * * 1", False)


def test_a_switch_that_a_person_left_on_stays_on():
    (schedule,) = make_schedules(deployment("retrain"), {"0 3 * * 1": True})
    assert schedule.active


def test_the_setting_replaces_the_schedule_and_switches_it_on():
    (schedule,) = make_schedules(deployment("retrain", "30 4 * * *"), {})
    assert (schedule.schedule.cron, schedule.active) == ("30 4 * * *", True)
    assert not deployment("train", "30 4 * * *").schedules


def test_a_wrong_cron_line_is_an_input_error():
    with pytest.raises(InputError, match=r"PACKSHOT_RETRAIN_CRON: got 'every day'.*five fields"):
        read_deployments(LISTED, "every day")


def test_a_missing_list_names_where_it_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        read_deployments(tmp_path / "prefect.yaml")


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "prefect.yaml"
    path.write_text(
        yaml.safe_dump({"deployments": [{"name": "a", "entrypoint": "b", "description": "c", "colour": "d"}]})
    )
    with pytest.raises(ValidationError, match="colour"):
        read_deployments(path)


@pytest.mark.parametrize(
    ("trains", "families"), [(train, GENERATING), (train_editor, EDITING)], ids=["generators", "editors"]
)
def test_the_forms_of_training_offer_each_family_as_a_choice(trains, families):
    schema = parameter_schema(trains).model_dump()["properties"]["recipe"]
    assert len(schema["anyOf"]) == len(families)
    assert "oneOf" not in schema  # Prefect's page shows raw JSON for it


def test_the_form_of_edit_offers_each_operation_as_a_choice():
    schema = parameter_schema(edit).model_dump()["properties"]["operations"]
    assert len(schema["items"]["anyOf"]) == len(list_operations())
    assert "oneOf" not in schema["items"]

"""Which failures of a step are tried again."""

import pytest
from prefect.states import Failed

from flows.steps.declaration import flow_run_id, passes
from models.errors import InputError, ServiceError, StorageError


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ServiceError("MLflow does not answer"), True),
        (InputError("catalogue", "shoes", ("bags",)), False),
        (StorageError("disk full"), False),
        (ZeroDivisionError("a defect"), False),
    ],
)
def test_only_a_lost_server_is_waited_for(error, again):
    assert passes(None, None, Failed(data=error)) is again


def test_outside_of_a_flow_there_is_no_run():
    assert flow_run_id() == ""

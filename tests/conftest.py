"""Settings of the whole test run, and the photographs that only PACKSHOT_PHOTOS names."""

import os
from pathlib import Path

import pytest

from bench.photographs import WHAT_TO_SET, photo_folder
from tasks.workspace.settings import TELEMETRY_OFF

# One thread per process, since tiny networks only lose time on two.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ.update(TELEMETRY_OFF)

# What someone has set for a checkout and servers of their own is not for tests, which have homes of their own.
SERVERS = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
SERVERS += ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")
for name in {*os.environ} - {"PACKSHOT_PHOTOS"}:
    if name.startswith("PACKSHOT_") or name in SERVERS:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    unset = pytest.mark.skipif(not os.environ.get("PACKSHOT_PHOTOS"), reason=f"set PACKSHOT_PHOTOS to {WHAT_TO_SET}")
    for item in items:
        if item.get_closest_marker("photos"):
            item.add_marker(unset)


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder of the development photographs, for tests marked `photos`."""
    return photo_folder()

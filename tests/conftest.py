"""Settings of the whole test run: one thread per process, since tiny networks only lose time on two."""

import os

from tasks.workspace.settings import TELEMETRY_OFF

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ.update(TELEMETRY_OFF)

"""The steps as Prefect tasks, in the order of a training."""

from flows.steps.data import ingest, prepare, validate
from flows.steps.declaration import flow_run_id
from flows.steps.model import conclude, evaluate, fit, ruler
from flows.steps.promotion import gate, leaderboard, register

__all__ = [
    "conclude",
    "evaluate",
    "fit",
    "flow_run_id",
    "gate",
    "ingest",
    "leaderboard",
    "prepare",
    "register",
    "ruler",
    "validate",
]

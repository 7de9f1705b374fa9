"""The steps as Prefect tasks, in the order of a training."""

from flows.steps.data import ingest, prepare, validate
from flows.steps.declaration import flow_run_id
from flows.steps.model import conclude, evaluate, evaluate_editor, fit, ruler
from flows.steps.promotion import gate, leaderboard, register, rival_editor, rival_generator

__all__ = [
    "conclude",
    "evaluate",
    "evaluate_editor",
    "fit",
    "flow_run_id",
    "gate",
    "ingest",
    "leaderboard",
    "prepare",
    "register",
    "rival_editor",
    "rival_generator",
    "ruler",
    "validate",
]

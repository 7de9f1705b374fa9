"""How a step is declared to Prefect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Task, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed

from models.errors import ServiceError
from tasks.pipeline.outcome import StepResult

Given = ParamSpec("Given")
Value = TypeVar("Value")


def passes(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """True for a failure that may be over in a moment: a server that restarts."""
    return isinstance(state.result(raise_on_failure=False), ServiceError)


def step(
    name: str, retries: int = 0, retry_delay_seconds: int | list[float] = 0
) -> Callable[[Callable[Given, StepResult[Value]]], Callable[Given, StepResult[Value]]]:
    """Declare a function to Prefect as the task `name`; a lost server is tried again, nothing else is.

    When nothing had to be done the task's state is called Skipped and says why.
    """

    def declare(function: Callable[Given, StepResult[Value]]) -> Callable[Given, StepResult[Value]]:
        @task(
            name=name,
            cache_policy=NO_CACHE,
            retries=retries,
            retry_delay_seconds=retry_delay_seconds,
            retry_condition_fn=passes,
        )
        @wraps(function)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> State[StepResult[Value]]:
            done = function(*args, **kwargs)
            state_name = "Skipped" if done.line.skipped else "Completed"
            return Completed(data=done, name=state_name, message=done.line.text)

        @wraps(function)
        def call(*args: Given.args, **kwargs: Given.kwargs) -> StepResult[Value]:
            return run(*args, **kwargs).result()

        return call

    return declare


def flow_run_id() -> str:
    """The id of the flow run that this is part of, "" outside of one."""
    return str(runtime.flow_run.id or "")

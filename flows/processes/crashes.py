"""Runs whose process was killed are marked as crashed instead of looking as if they ran for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.events import AutomationCore

HEARTBEAT_SECONDS = 30
SILENT_SECONDS = 3 * HEARTBEAT_SECONDS
CRASH_RULE = "packshot: runs that fell silent have crashed"


def crash_rule() -> AutomationCore:
    """The rule that marks a run as crashed when its heartbeat stops: a killed run must not hold its slot for ever."""
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, EventTrigger, ResourceSpecification
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import Posture

    beat = "prefect.flow-run.heartbeat"
    ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
    return AutomationCore(
        name=CRASH_RULE,
        trigger=EventTrigger(
            after={beat},
            expect={beat, *ends},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENT_SECONDS),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=f"no heartbeat for {SILENT_SECONDS} s")],
    )


async def keep_crash_rule() -> None:
    """Create the crash rule unless the server has it."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        if not await client.read_automations_by_name(CRASH_RULE):
            await client.create_automation(crash_rule())


async def crash_lost_runs(deployments: list[UUID]) -> int:
    """Mark as crashed what an earlier process of ours left behind when it was killed; returns how many runs.

    Only this process runs these deployments, so at its start none of their runs can be under way.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.states import Crashed

    under_way = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    async with get_client() as client:
        lost = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": under_way}}}),
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=deployments)),
            sort=FlowRunSort.START_TIME_ASC,
            limit=200,
        )
        for run in lost:
            await client.set_flow_run_state(run.id, Crashed(message="the process that ran it was killed"), force=True)
    return len(lost)

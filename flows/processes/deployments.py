"""The process that serves the deployments of prefect.yaml: it registers them and starts their runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict

from flows.processes.crashes import HEARTBEAT_SECONDS, crash_lost_runs, keep_crash_rule
from flows.processes.prefect_server import PrefectServer
from flows.reporting.console import run_command
from models.errors import InputError
from tasks.workspace.settings import Settings
from tasks.workspace.storage import write_atomically

if TYPE_CHECKING:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

RETRAIN = "retrain"


class Schedule(BaseModel):
    """A schedule as prefect.yaml writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str
    timezone: str = "UTC"
    active: bool = True


class Deployment(BaseModel):
    """A deployment as prefect.yaml writes it; `work_pool` only concerns `prefect deploy`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    entrypoint: str
    description: str
    tags: list[str] = []
    parameters: dict[str, Any] = {}
    schedules: list[Schedule] = []
    work_pool: dict[str, Any] = {}


def read_deployments(path: Path, retrain_cron: str | None = None) -> list[Deployment]:
    """The deployments of a prefect.yaml; `retrain_cron` replaces the schedule of `retrain` and switches it on.

    Raises:
        InputError: the file is missing, or `retrain_cron` is not a cron line.
    """
    if not path.is_file():
        raise InputError("prefect.yaml", str(path), "a file that lists the deployments; is PACKSHOT_ROOT the checkout?")
    listed = [
        with_recipe(Deployment.model_validate(entry), path.parent)
        for entry in yaml.safe_load(path.read_text())["deployments"]
    ]
    if retrain_cron is None:
        return listed
    switched_on = [Schedule(cron=check_cron(retrain_cron))]
    return [entry.model_copy(update={"schedules": switched_on}) if entry.name == RETRAIN else entry for entry in listed]


def with_recipe(entry: Deployment, root: Path) -> Deployment:
    """A deployment that names a recipe's family, the rest of it from `params.yaml`."""
    if "recipe" not in entry.parameters:
        return entry
    from tasks.workspace.parameters import load_recipe

    changes = dict(entry.parameters["recipe"])
    recipe = load_recipe(root, changes.pop("family"), changes).model_dump(mode="json")
    return entry.model_copy(update={"parameters": {**entry.parameters, "recipe": recipe}})


def check_cron(line: str) -> str:
    """Return `line` when Prefect can schedule by it.

    Raises:
        InputError: it is not a cron line.
    """
    from prefect.client.schemas.schedules import CronSchedule

    try:
        return CronSchedule(cron=line).cron
    except ValueError as error:
        allowed = "five fields: minute hour day month weekday, such as `0 3 * * 1`"
        raise InputError("PACKSHOT_RETRAIN_CRON", line, allowed) from error


async def kept_switches(entry: Deployment, flow_name: str) -> dict[str, bool]:
    """Cron line -> whether a person left it on in Prefect's page; empty for a deployment that is new."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.schedules import CronSchedule
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        try:
            known = await client.read_deployment_by_name(f"{flow_name}/{entry.name}")
        except ObjectNotFound:
            return {}
    return {item.schedule.cron: item.active for item in known.schedules if isinstance(item.schedule, CronSchedule)}


def make_schedules(entry: Deployment, switches: dict[str, bool]) -> list[DeploymentScheduleCreate]:
    """The schedules in Prefect's form, each active or not as it was left in the page."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    return [
        DeploymentScheduleCreate(
            schedule=CronSchedule(cron=item.cron, timezone=item.timezone),
            active=switches.get(item.cron, item.active),
        )
        for item in entry.schedules
    ]


def load_deployment(entry: Deployment) -> RunnerDeployment:
    """Load the entry's flow, whose parameters become the form, from the working folder; without a schedule yet."""
    from prefect.deployments.runner import RunnerDeployment

    return RunnerDeployment.from_entrypoint(
        entry.entrypoint,
        name=entry.name,
        description=entry.description,
        tags=entry.tags,
        parameters=entry.parameters,
    )


async def make_deployment(entry: Deployment, settings: Settings) -> RunnerDeployment:
    """The entry in Prefect's form; a cron line set by a setting wins over the switch in the page."""
    deployment = load_deployment(entry)
    by_setting = entry.name == RETRAIN and settings.retrain_cron is not None
    switches = {} if by_setting else await kept_switches(entry, str(deployment.flow_name))
    deployment.schedules = [*make_schedules(entry, switches)]
    return deployment


def ready_file(settings: Settings) -> Path:
    """The file with the id of the process that serves the deployments, written once all are registered."""
    return settings.home / "prefect" / "deployments.pid"


@contextmanager
def ready(settings: Settings) -> Iterator[None]:
    """Signal, for the duration of the block, that the deployments are served."""
    path = ready_file(settings)
    write_atomically(path, str(os.getpid()).encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def serve(settings: Settings) -> None:
    """Register every deployment and run what is asked of them, one run at a time, until told to stop."""
    from prefect.runner import Runner

    runner = Runner("packshot", limit=1, pause_on_shutdown=False, heartbeat_seconds=HEARTBEAT_SECONDS)
    listed = read_deployments(settings.root / "prefect.yaml", settings.retrain_cron)
    known = [await runner.aadd_deployment(await make_deployment(entry, settings)) for entry in listed]
    await keep_crash_rule()
    await crash_lost_runs(known)
    await run_until_told(runner, settings)


async def run_until_told(runner: Runner, settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then cancel what still runs; the runner's own handler ends in a traceback."""
    stop = asyncio.Event()
    running = asyncio.create_task(runner.start())
    while not runner.started and not running.done():
        await asyncio.sleep(0.05)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    with ready(settings):
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        await runner.astop()
    stopping.cancel()
    await running


def main() -> None:
    """Serve the deployments of the settings' root against the server that PREFECT_API_URL or the settings name."""
    settings = Settings()
    os.environ.update({"PREFECT_API_URL": f"{settings.prefect_url}/api", **os.environ, **settings.environment()})
    os.chdir(settings.root)
    server = PrefectServer(settings)
    server.lend_password()
    server.wait()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    sys.exit(run_command(main))

"""The flow `edit`: a folder of photographs put through the same operations, with a table of results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.reporting.page import show_table
from flows.reporting.watch import step_progress
from serving.networks import RegistryNetworks
from tasks.editing.batch import edit_folder
from tasks.editing.job import EditJob
from tasks.editing.parsing import Operations
from tasks.editing.tally import BatchResult
from tasks.photos.formats import FileFormat
from tasks.photos.options import WriteOptions
from tasks.photos.reading import Icc
from tasks.workspace.settings import Settings


@task(name="edit", cache_policy=NO_CACHE)
def edit_photos(settings: Settings, job: EditJob, source: Path, out: Path) -> BatchResult:
    """Edit every photograph in the folder; the run's page shows the counts and the first photographs left out."""
    with step_progress("edit") as watch:
        flow_run = str(runtime.flow_run.id or "")
        result = edit_folder(settings, job, source, out, RegistryNetworks(settings, threads=1), watch, flow_run)
    rows = [one.model_dump() for one in result.reasons]
    show_table(rows, "left-out", f"{result.text}. All photographs: {result.table}")
    return result


@flow(name="edit", flow_run_name="{source}")
def edit(
    source: Annotated[str, Field(description="folder of photographs; its sub-folders are edited too")],
    operations: Annotated[Operations, Field(min_length=1, description="what is done to each, in this order")],
    out: Annotated[str, Field(description="folder for the results, outside of the source")],
    form: Annotated[FileFormat, Field(description="what the results are written as")] = "png",
    icc: Annotated[Icc, Field(description="convert colours to sRGB, or keep each photograph's profile")] = "srgb",
    write: Annotated[WriteOptions, Field(description="quality, and which metadata is kept")] = WriteOptions(),  # noqa: B008 - the form's defaults
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of operations that draw random numbers")] = 0,
    measured: Annotated[bool, Field(description="measure the change inside each product")] = True,
    overwrite: Annotated[
        bool, Field(description="replace files in the folder of results that are not of this edit")
    ] = False,
) -> BatchResult:
    """Edit a folder; run again, it does what is missing and keeps what was done."""
    job = EditJob(
        operations=operations, form=form, icc=icc, write=write, seed=seed, measured=measured, overwrite=overwrite
    )
    return edit_photos(Settings(), job, Path(source), Path(out))

"""The command line: `packshot` is the list of what can be started, each command imported when it is used."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer
from typer._click.exceptions import ClickException

from flows.cli.versioning import data_app, run_dvc
from flows.reporting.console import run_command, warn
from tasks.market.listing import list_markets
from tasks.photos.formats import WRITTEN

app = typer.Typer(
    name="packshot",
    help="Generate product images, and answer for every one of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.command("dvc", add_help_option=False, context_settings={"ignore_unknown_options": True})(run_dvc)

Catalogue = Annotated[str, typer.Option(help="A folder of data/.")]
DataVersion = Annotated[Optional[str], typer.Option(help="Git revision or md5; the working tree when left out.")]  # noqa: UP045
SlotArgument = Annotated[str, typer.Argument(help="Such as generate-fashion-mnist.")]
Why = Annotated[str, typer.Option(help="Goes to the ledger.")]


def main() -> None:
    """The entry point of the `packshot` command."""
    sys.exit(run_command(run_typed))


def run_typed() -> object:
    """Run what was typed; what the parser refuses is said as it words it, with nothing that steers the terminal."""
    try:
        return app(standalone_mode=False)
    except ClickException as refusal:
        worded = io.StringIO()
        refusal.show(worded)
        warn(worded.getvalue())
        return refusal.exit_code


@app.command()
def demo() -> None:
    """The main job from catalogue to served images, with a short recipe."""
    from flows.cli.demo import run_demo

    run_demo()


@app.command()
def up() -> None:
    """Run the Prefect server, the MLflow server and the deployments until Ctrl-C."""
    from flows.processes.up import run_servers
    from tasks.workspace.settings import Settings

    run_servers(Settings())


@app.command("sign-in")
def sign_in() -> None:
    """Print links that sign a browser in to the servers that `packshot up` runs."""
    from flows.processes.sign_in import show_links
    from tasks.workspace.settings import Settings

    show_links(Settings())


@app.command()
def doctor() -> None:
    """Check what is installed, reachable, writable and configured, with advice for whatever is not."""
    from flows.cli.doctor import run_doctor
    from tasks.workspace.settings import Settings

    raise typer.Exit(run_doctor(Settings()))


@app.command()
def train(
    family: Annotated[str, typer.Argument(help="Such as dcgan; `packshot models` lists them.")],
    catalogue: Catalogue = "fashion-mnist",
    data_version: DataVersion = None,
    epochs: Annotated[Optional[int], typer.Option(help="Passes over the training split.")] = None,  # noqa: UP045
    seed: Annotated[Optional[int], typer.Option(help="Of weights, order, noise and augmentation.")] = None,  # noqa: UP045
    changes: Annotated[Optional[list[str]], typer.Option("--set", help="name=value of the recipe.")] = None,  # noqa: UP045
    quarantine: Annotated[bool, typer.Option(help="Set failing images aside and go on.")] = False,
    max_quarantined: Annotated[float, typer.Option(help="Largest share that may be set aside.")] = 0.02,
    force: Annotated[bool, typer.Option(help="Run the flow even when nothing changed.")] = False,
) -> None:
    """Validate, prepare, train, evaluate, register, and promote if the gate allows it."""
    from flows.cli.runs import train_family
    from tasks.pipeline.request import TrainRequest
    from tasks.workspace.parameters import load_recipe, parse, parse_changes
    from tasks.workspace.settings import Settings

    named = {"epochs": epochs, "seed": seed}
    recipe = parse_changes(changes or []) | {name: value for name, value in named.items() if value is not None}
    request = {
        "recipe": load_recipe(Settings().root, family, recipe),
        "catalogue": catalogue,
        "data_version": data_version,
        "quarantine": quarantine,
        "max_quarantined": max_quarantined,
        "force": force,
    }
    train_family(parse(TrainRequest, request))


@app.command()
def evaluate(
    slot: SlotArgument,
    version: Annotated[Optional[int], typer.Option(help="The champion when left out.")] = None,  # noqa: UP045
) -> None:
    """Evaluate a registered version on its catalogue's test split."""
    from flows.cli.runs import evaluate_version

    evaluate_version(slot, version)


@app.command()
def generate(
    slot: SlotArgument,
    count: Annotated[int, typer.Option(help="How many images.")] = 64,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    category: Annotated[Optional[str], typer.Option(help="All in turn when left out.")] = None,  # noqa: UP045
    out: Annotated[Optional[Path], typer.Option(help="Folder; packshots/SLOT when left out.")] = None,  # noqa: UP045
) -> None:
    """Make images with a slot's champion, each with its provenance."""
    from flows.cli.runs import generate_images

    generate_images(slot, count, seed, category, out)


@app.command()
def texture(
    example: Annotated[Path, typer.Argument(help="A photograph of a fabric or a background.")],
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 512,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Else EXAMPLE-texture.png.")] = None,  # noqa: UP045
) -> None:
    """Grow a seamless texture from an example."""
    from flows.cli.runs import make_texture_file

    make_texture_file(example, size, seed, out)


@app.command()
def edit(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A photograph, or a folder of photographs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A file, or a folder; never that of the originals.")],
    op: Annotated[Optional[list[str]], typer.Option(help="NAME[:VALUE][,key=value...]; again for the next.")] = None,  # noqa: UP045
    ops: Annotated[Optional[Path], typer.Option(help="A JSON file with a list of operations.")] = None,  # noqa: UP045
    mask: Annotated[Optional[Path], typer.Option(help="White where an operation with a region works.")] = None,  # noqa: UP045
    form: Annotated[Optional[str], typer.Option("--format", help=f"{', '.join(WRITTEN)}; else OUT's suffix.")] = None,  # noqa: UP045
    quality: Annotated[int, typer.Option(help="Of JPEG and WebP, 1 to 100.")] = 92,
    lossless: Annotated[bool, typer.Option(help="WebP keeps every pixel.")] = False,
    icc: Annotated[str, typer.Option(help="srgb converts the colours, keep leaves them in their profile.")] = "srgb",
    keep_metadata: Annotated[bool, typer.Option(help="Keep camera, time and author; never the place.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    measure: Annotated[bool, typer.Option(help="Measure the change inside the product.")] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace results of another edit.")] = False,
) -> None:
    """Edit a photograph, or every photograph in a folder; run again, it does what is missing.

    `packshot operations` lists what --op takes, such as --op upscale:2 --op "inpaint,boxes=10 20 110 90".
    """
    from flows.cli.edit import choose_format, edit_pictures, read_edit
    from tasks.editing.job import EditJob

    job = EditJob.model_validate(
        {
            "operations": read_edit(op or (), ops, mask),
            "form": choose_format(source, out, form),
            "icc": icc,
            "write": {"quality": quality, "lossless": lossless, "keep_metadata": keep_metadata},
            "seed": seed,
            "measured": measure,
            "overwrite": overwrite,
        }
    )
    edit_pictures(source, job, out)


@app.command()
def operations(
    name: Annotated[Optional[str], typer.Argument(help="One of them, with its parameters.")] = None,  # noqa: UP045
) -> None:
    """What `edit --op` takes: the operations, or the parameters of one."""
    from flows.cli.edit import show_operations, show_parameters

    if name is None:
        show_operations()
    else:
        show_parameters(name)


@app.command()
def check(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A picture, or a folder of pictures.")],
    market: Annotated[str, typer.Option(help=f"{', '.join(list_markets())}, or a YAML file of rules.")],
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what can be fixed, and check again.")] = False,
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Where --fix writes: a file or a folder.")] = None,  # noqa: UP045
    overwrite: Annotated[bool, typer.Option(help="Replace results of another edit.")] = False,
) -> None:
    """Check pictures against a marketplace's rules; the exit code is 1 when one fails."""
    from flows.cli.check import check_source

    raise typer.Exit(check_source(source, market, as_json, fix, out, overwrite))


@app.command()
def promote(
    slot: SlotArgument,
    version: Annotated[Optional[int], typer.Option(help="The challenger when left out.")] = None,  # noqa: UP045
    why: Why = "promoted by a person",
) -> None:
    """Make a version the slot's champion, recorded in the ledger."""
    from flows.cli.registry import promote_version

    promote_version(slot, version, why)


@app.command()
def rollback(slot: SlotArgument, why: Why = "rolled back by a person") -> None:
    """Restore the previous champion, recorded in the ledger."""
    from flows.cli.registry import rollback_slot

    rollback_slot(slot, why)


@app.command()
def lineage(
    x: Annotated[Optional[str], typer.Argument(help="A generated file, SLOT@N, a run id or a data md5.")] = None,  # noqa: UP045
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    verify: Annotated[bool, typer.Option(help="Check the ledger, and the registry beside it.")] = False,
    restore: Annotated[bool, typer.Option(help="Make file, index and registry what the ledger says.")] = False,
    adopt: Annotated[bool, typer.Option(help="Take over what nothing vouches for, in your name.")] = False,
) -> None:
    """Where something came from, and what was made from it."""
    from flows.cli.registry import show_lineage

    show_lineage(x, as_json, verify, restore, adopt)


@app.command()
def leaderboard(
    slot: SlotArgument,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    measure: Annotated[bool, typer.Option(help="Judge those that were measured otherwise again.")] = False,
) -> None:
    """Rank the versions of a slot on the same held-out images."""
    from flows.cli.registry import show_leaderboard

    show_leaderboard(slot, as_json, measure)


@app.command()
def models() -> None:
    """The families that can be trained, with their costs, and the slots with their versions."""
    from flows.cli.registry import list_models

    list_models()


@app.callback()
def prepare_environment() -> None:
    """Set what the libraries read from the environment, before any of them is imported."""
    from tasks.workspace.settings import Settings

    os.environ.update(Settings().environment())
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")

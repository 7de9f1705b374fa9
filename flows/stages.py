"""The stages of `dvc.yaml`: prepare, train and evaluate without any server, through the same functions as the flows."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.reporting.console import ConsoleProgress, run_command
from models.errors import InputError
from tasks.dataset.validate import require_valid
from tasks.pipeline.steps import (
    ensure_catalogue,
    ensure_generator_report,
    ensure_prepared,
    ensure_training,
    ensure_validation,
)
from tasks.promotion.shipments import RULERS, SHIPPED
from tasks.workspace.code import find_module, list_code
from tasks.workspace.git import git_commit
from tasks.workspace.parameters import build_recipe, find_source, parse, read_params, read_prepare
from tasks.workspace.settings import SOURCE, Settings

if TYPE_CHECKING:
    from tasks.dataset.prepared import PreparedSet
    from tasks.evaluation.ruler import RulerFile
    from tasks.training.result import FitResult

OUT = Path("artifacts")
LOCK = "requirements.lock"


def prepare() -> None:
    """Ingest, validate and prepare; the prepared set's description is the stage's output."""
    copy(_prepared(Settings()).folder / "meta.json", OUT / "prepare")


def train() -> None:
    """Train the recipe; weights, exported model and history are the stage's outputs."""
    fitted, _, _ = _fitted(Settings())
    for name in ("generator.onnx", "generator.safetensors", "history.csv"):
        copy(fitted.folder / name, OUT / "train")


def evaluate() -> None:
    """Evaluate the exported model; report, metrics and pictures are the stage's outputs."""
    from tasks.evaluation.generators import EvaluateConfig, write_metrics
    from tasks.evaluation.report import evaluation_folder
    from tasks.evaluation.yardstick import Yardstick

    settings = Settings()
    fitted, prepared, ruler = _fitted(settings)
    config = parse(EvaluateConfig, read_params(settings.root)["evaluate"])
    with ConsoleProgress("evaluate") as watch:
        yardstick = Yardstick(prepared, config, ruler)
        report = ensure_generator_report(settings.home, fitted.onnx, fitted.family, yardstick, watch).value
    for name in ("report.json", "samples.png", "nearest.png"):
        copy(evaluation_folder(settings.home, report.key) / name, OUT / "evaluate")
    write_metrics(report, OUT / "evaluate" / "metrics.json")


def _prepared(settings: Settings) -> PreparedSet:
    from tasks.dataset.prepare import PrepareConfig

    name = read_params(settings.root)["reproduce"]["catalogue"]
    judging = read_params(settings.root)["validate"]
    with ConsoleProgress("prepare") as watch:
        data = ensure_catalogue(settings, find_source(settings.root, name), None, watch).value
        validation = ensure_validation(settings.home, data, judging["quarantine"], judging["max_quarantined"]).value
        require_valid(validation)
        config = parse(PrepareConfig, read_prepare(settings.root, name))
        return ensure_prepared(settings.home, data, validation, config, watch).value


def _fitted(settings: Settings) -> tuple[FitResult, PreparedSet, RulerFile]:
    from tasks.evaluation.ruler import ensure_ruler

    prepared = _prepared(settings)
    recipe = build_recipe(read_params(settings.root)["reproduce"]["train"], {})
    with ConsoleProgress("train") as watch:
        ruler = ensure_ruler(settings, prepared.catalogue, prepared, watch)
        tags = {"git_commit": git_commit(settings.root)}
        return ensure_training(settings, prepared, recipe, ruler, tags, watch).value, prepared, ruler


def list_inputs(root: Path) -> dict[str, list[str]]:
    """What each stage depends on, as `dvc.yaml` must have it: data, results before it, all code that its step imports.

    The versions of packages are those of `requirements.lock`.
    """
    from models.families.discovery import module_of
    from tasks.dataset import prepare, validate
    from tasks.evaluation import generators, ruler
    from tasks.training import fit

    wanted = read_params(root)["reproduce"]
    catalogue, family = find_source(root, wanted["catalogue"]), module_of(wanted["train"]["family"])
    rulers = sorted(SHIPPED.glob(f"{RULERS}{wanted['catalogue']}-*.onnx"))
    meta, onnx = "artifacts/prepare/meta.json", "artifacts/train/generator.onnx"
    files: dict[str, list[str | Path]] = {
        "prepare": [f"data/{catalogue}", validate.SUITES],
        "train": [meta, *rulers],
        "evaluate": [meta, onnx, *rulers],
    }
    code = {
        "prepare": (validate.__name__, prepare.__name__),
        "train": (ruler.__name__, fit.__name__, family),
        "evaluate": (generators.__name__, family),
    }
    return {stage: [*map(_name, files[stage]), *_list_files(code[stage]), LOCK] for stage in STAGES}


def write_inputs() -> None:
    """Write what each stage depends on into `dvc.yaml`."""
    from dvc.utils.serialize import modify_yaml

    with modify_yaml("dvc.yaml") as described:
        for stage, inputs in list_inputs(Settings().root).items():
            described["stages"][stage]["deps"] = inputs


def _list_files(roots: tuple[str, ...]) -> list[str]:
    return [_name(path) for module in list_code(*roots) if (path := find_module(module))]


def _name(path: str | Path) -> str:
    return path if isinstance(path, str) else path.relative_to(SOURCE).as_posix()


def copy(file: Path, folder: Path) -> None:
    """Put a copy of a kept file where DVC expects the stage's output."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / file.name)


STAGES = {"prepare": prepare, "train": train, "evaluate": evaluate}
COMMANDS = {**STAGES, "inputs": write_inputs}


def main(arguments: list[str]) -> None:
    """Run the stage that is named, or `inputs`, which writes into `dvc.yaml` what the stages depend on."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        raise InputError("stage", " ".join(arguments), COMMANDS)
    COMMANDS[arguments[0]]()


if __name__ == "__main__":
    sys.exit(run_command(lambda: main(sys.argv[1:])))

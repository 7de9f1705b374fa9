"""The flows on a small real catalogue, with a real Prefect server, MLflow on SQLite, DVC and Great Expectations."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from flows.cli.registry import show_leaderboard
from flows.generate import generate
from flows.promote import promote, rollback
from flows.retrain import retrain
from flows.steps import ingest
from flows.train import train
from models.errors import InputError, RegistryError
from models.families.family import FamilyConfig
from tasks.auditing.audit import verify_ledger
from tasks.leaderboard.ranking import build_leaderboard, read_report
from tasks.lineage.index import Lineage
from tasks.provenance.embedded import find_own
from tasks.registry.loading import load_version
from tasks.registry.tracking import open_tracking
from tasks.registry.versions import list_versions
from tasks.workspace.parameters import load_recipe
from tests.workshop import CATEGORIES, at_work, make_workshop

SLOT = "generate-shapes"
LEARNED = {"seed": 0, "epochs": 12, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    settings = make_workshop(tmp_path_factory.mktemp("workshop"))
    with at_work(settings) as working:
        yield working


@pytest.fixture(scope="module")
def first(workshop):
    return train(recipe(workshop, **LEARNED), catalogue="shapes")


def recipe(settings, **changes) -> FamilyConfig:
    return load_recipe(settings.root, "dcgan", changes)


def test_a_first_version_becomes_champion_and_all_is_recorded(workshop, first):
    champion = load_version(workshop, SLOT, "champion")
    assert (first.slot, first.version, first.promoted) == (SLOT, 1, True)
    assert champion.version == 1
    assert champion.tags["data_md5"] == first.data_md5
    assert champion.tags["prefect_flow_run"] == first.flow_run
    assert champion.tags["validation_success"] == "true"
    assert "**Protocol**" in champion.description
    assert "licence: not stated" in champion.description
    assert {"parameters", "megabytes", "training_seconds", "latency_ms", "memory_mb"} <= set(champion.tags)
    assert [line.step for line in first.lines] == [
        "ingest",
        "validate",
        "prepare",
        "ruler",
        "fit",
        "evaluate",
        "register",
        "gate",
    ]


def test_the_flow_run_shows_tables_and_links(workshop, first):
    with get_client(sync_client=True) as client:
        keys = {artifact.key for artifact in client.read_artifacts() if str(artifact.flow_run_id) == first.flow_run}
    assert {"validation", "figures", "mlflow-run", "mlflow-version", "gate", f"leaderboard-{SLOT}"} <= keys
    assert {"contact-sheet", "samples", "nearest", "interpolations", "film-strip"} <= keys


def test_the_leaderboard_is_the_slots_page_in_mlflow(workshop, first):
    tracking = open_tracking(workshop)
    description = tracking.client.get_registered_model(SLOT).description
    assert f"**Leaderboard** of `{SLOT}`: ranked by kernel distance" in description
    assert "| 1 | 1 | dcgan | champion |" in description
    experiment = tracking.client.get_experiment_by_name("leaderboards")
    run = tracking.client.search_runs([experiment.experiment_id])[0]
    page = (tracking.find_files(run.info.artifact_uri) / "leaderboard.html").read_text()
    assert "data:image/png;base64," in page


def test_the_same_again_skips_what_was_done(workshop, first):
    again = train(recipe(workshop, **LEARNED), catalogue="shapes")
    skipped = {line.step for line in again.lines if line.skipped}
    assert skipped >= {"ingest", "validate", "prepare", "fit", "evaluate"}
    assert (again.version, again.run_id) == (1, first.run_id)
    assert all("unchanged" in line.text for line in again.lines if line.skipped)


def test_images_can_be_made_again_and_traced_to_the_data(workshop, first, tmp_path):
    made = generate(slot=SLOT, count=7, seed=3, out=str(tmp_path / "a"))
    again = generate(slot=SLOT, count=9, seed=3, out=str(tmp_path / "b"))
    assert [path.read_bytes() for path in made.images] == [path.read_bytes() for path in again.images[:7]]
    provenance = find_own(made.images[4])
    assert (provenance.version, provenance.seed, provenance.index) == (1, 3, 4)
    assert provenance.category == sorted(CATEGORIES)[1]

    chain = json.loads(Lineage(workshop.home).trace(str(made.images[0])).to_json())
    kinds = {node["kind"] for node in chain["ancestors"]}
    assert kinds >= {"version", "run", "report", "prepared", "data", "validation", "commit", "flow_run"}
    back = Lineage(workshop.home).trace(first.data_md5)
    assert {"prepared", "run", "version"} <= {node.kind for node in back.descendants()}


def test_one_category_can_be_asked_for(workshop, first, tmp_path):
    made = generate(slot=SLOT, count=3, seed=0, category="ring", out=str(tmp_path))
    assert {find_own(path).category for path in made.images} == {"ring"}
    with pytest.raises(InputError, match=r"category: got 'sofa', allowed: one of bigbox, box, ring"):
        generate(slot=SLOT, count=3, seed=0, category="sofa", out=str(tmp_path / "no"))


def test_a_loser_stays_challenger_with_the_reason_on_it_until_a_person_decides(workshop, first):
    worse = train(recipe(workshop, seed=1, epochs=1, learning_rate=1e-6), catalogue="shapes")
    assert (worse.version, worse.promoted) == (2, False)
    tagged = next(version for version in list_versions(workshop, SLOT) if version.version == 2)
    assert tagged.aliases == ("challenger",)
    assert "kernel distance" in tagged.tags["gate.reason"]  # 150 samples are too few for the Fréchet distance

    promote(slot=SLOT, why="a test")
    assert load_version(workshop, SLOT, "champion").version == 2
    rollback(slot=SLOT, why="a test")
    assert load_version(workshop, SLOT, "champion").version == 1
    assert [entry.action for entry in verify_ledger(workshop) if entry.action != "register"] == [
        "promote",
        "challenge",
        "promote",
        "rollback",
    ]
    board = build_leaderboard(workshop, SLOT)
    # After so short a training the processor's rounding orders the two; the gate asks for more than their uncertainty.
    assert [one.rank for one in board.standings] == [1, 2]
    assert board.standings[0].distance <= board.standings[1].distance
    assert {one.version: one.aliases for one in board.standings} == {1: ("champion",), 2: ()}


def test_retrain_challenges_with_the_champions_family(workshop, first):
    outcome = retrain(slot=SLOT, seed=5)
    assert outcome.slot == SLOT
    assert load_version(workshop, SLOT, outcome.version).tags["family"] == "dcgan"


def test_versions_measured_otherwise_can_be_measured_alike(workshop, first, capsys):
    tracking, second = open_tracking(workshop), load_version(workshop, SLOT, 2)
    report = build_report_of_elsewhere(tracking, second.run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        path.write_text(report)
        tracking.log_figure_file(second.run_id, path, "evaluation")
    apart = [one for one in build_leaderboard(workshop, SLOT).standings if one.apart]
    assert [one.version for one in apart] == [2]

    show_leaderboard(SLOT, as_json=True, measure=True)
    board = json.loads(capsys.readouterr().out)
    assert {one["version"]: one["rank"] for one in board["standings"]}[2] is not None
    assert not any(one.apart for one in build_leaderboard(workshop, SLOT).standings)


def build_report_of_elsewhere(tracking, run_id) -> str:
    """The report that the run keeps, as if it had been measured on other images."""
    report = read_report(tracking, run_id)
    elsewhere = {**report.protocol, "reference_digest": "0" * 64}
    return report.model_copy(update={"protocol": elsewhere}).model_dump_json()


def test_an_unknown_slot_names_those_there_are(workshop, first):
    with pytest.raises(RegistryError, match=SLOT):
        generate(slot="generate-nothing", count=1)


@pytest.mark.filterwarnings("ignore:Logger 'prefect.task_runs'")  # the step is called outside of a flow
def test_a_wrong_value_is_not_tried_again(workshop, first):
    with pytest.raises(InputError, match=r"^catalogue: got 'sofas'"):
        ingest(workshop, "sofas", None)
    failed, deadline = [], time.monotonic() + 60  # the server hears of a step's end by an event, some time later
    with get_client(sync_client=True) as client:
        while not failed and time.monotonic() < deadline:
            runs = [run for run in client.read_task_runs() if run.name.startswith("ingest")]
            failed = [run for run in runs if run.state.is_failed()]
    assert [run.run_count for run in failed] == [1]

"""The flow `train-editor` on a small real catalogue: editing networks compete for a slot by the same gate."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from flows.retrain import retrain
from flows.train_editor import train_editor
from models.exported.editor import ExportedRestoration
from tasks.leaderboard.ranking import build_leaderboard
from tasks.promotion.reevaluate import evaluate_registered
from tasks.registry.loading import load_version
from tasks.workspace.parameters import load_recipe
from tasks.workspace.progress import NullProgress
from tests.workshop import PARAMS, at_work, make_workshop

SLOT = "upscale-x2"
SMALL = {
    **{"epochs": 6, "batch_size": 8, "evaluations_per_epoch": 1, "scale": 2},
    **{"precision": "32-true", "memory_format": "contiguous"},
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    settings = make_workshop(tmp_path_factory.mktemp("workshop"))
    families = PARAMS["families"] | {name: {"family": name} for name in ("espcn", "foldsr")}
    params = PARAMS | {"families": families, "editing": {"gate": {"min_gain": -20, "min_category_gain": -20}}}
    (settings.root / "params.yaml").write_text(yaml.safe_dump(params))
    with at_work(settings) as working:
        yield working


@pytest.fixture(scope="module")
def first(workshop):
    return train_editor(load_recipe(workshop.root, "espcn", SMALL), catalogue="shapes")


def test_a_first_editor_becomes_champion_of_its_slot(workshop, first):
    assert (first.slot, first.version, first.promoted) == (SLOT, 1, True)
    champion = load_version(workshop, SLOT, "champion")
    assert champion.tags["catalogue"] == "shapes"
    assert "bicubic" in champion.description
    assert [line.step for line in first.lines] == [
        *("ingest", "validate", "prepare", "fit", "evaluate", "register", "gate"),
    ]
    network = ExportedRestoration(champion.onnx_path)
    made = network.run(image=np.zeros((1, 1, 7, 9), np.float32))
    assert made.shape == (1, 1, 14, 18)


def test_a_rival_of_another_family_is_held_against_it_on_the_same_images(workshop, first):
    small = {**SMALL, "epochs": 1, "learning_rate": 0.5, "width": 4, "layers": 1}  # unlearns what it starts with
    rival = train_editor(load_recipe(workshop.root, "foldsr", small), catalogue="shapes")
    assert (rival.slot, rival.version, rival.promoted) == (SLOT, 2, False)
    assert "against champion" in rival.verdict
    board = build_leaderboard(workshop, SLOT)
    assert [(one.rank, one.version) for one in board.standings] == [(1, 1), (2, 2)]
    assert "higher is better" in board.protocol


def test_the_same_again_skips_what_was_done(workshop, first):
    again = train_editor(load_recipe(workshop.root, "espcn", SMALL), catalogue="shapes")
    assert {line.step for line in again.lines if line.skipped} >= {"prepare", "fit", "evaluate"}
    assert again.version == 1


def test_a_registered_editor_is_judged_again_on_its_own_catalogue(workshop, first):
    report = evaluate_registered(workshop, SLOT, 1, NullProgress())
    assert (report.catalogue, report.family) == ("shapes", "espcn")
    assert f"PSNR {report.value('psnr'):.2f} dB" in first.verdict


def test_retrain_challenges_an_editor_at_its_own_scale(workshop, first):
    families = yaml.safe_load((workshop.root / "params.yaml").read_text())
    families["families"]["espcn"] |= {**SMALL, "epochs": 1, "scale": 4}
    (workshop.root / "params.yaml").write_text(yaml.safe_dump(families))
    outcome = retrain(slot=SLOT, seed=3)
    assert outcome.slot == SLOT
    assert outcome.version > 1

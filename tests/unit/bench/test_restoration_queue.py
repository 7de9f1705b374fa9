import json

import numpy as np
import pytest
from PIL import Image

from bench import restoration
from bench.restoration import (
    HELD_OUT_KODAK,
    QUEUE,
    Job,
    count_updates,
    find_start,
    held_out_pieces,
    train,
    training_pieces,
)
from models.exported.editor import ExportedRestoration
from tasks.workspace.parameters import load_recipe
from tasks.workspace.settings import Settings

SMALL = {"epochs": 1, "batch_size": 4, "width": 4, "layers": 1}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A state folder with a few drawn patches, and a queue of two tiny jobs."""
    generator = np.random.default_rng(0)
    for name, count, side in (("train-96", 8, 96), ("held-out", 2, 192)):
        np.save(tmp_path / f"{name}.npy", generator.integers(0, 256, (count, side, side, 3), dtype=np.uint8))
    larger = {**SMALL, "scale": 3, "fresh": ["generator.tail.*", "generator.skip.*"]}
    jobs = {"two": Job("foldsr", SMALL), "three": Job("foldsr", larger, start="two")}
    monkeypatch.setattr(restoration, "QUEUE", jobs)
    return tmp_path


def test_jobs_are_trained_exported_and_left_alone_when_done(place):
    settings = Settings()
    train("two", settings, place)
    train("three", settings, place)
    assert ExportedRestoration(place / "three" / "network.onnx").facts["scale"] == 3
    told = json.loads((place / "three" / "trained.json").read_text())
    assert (told["steps"], told["config"]["scale"]) == (2, 3)
    before = (place / "three" / "trained.json").stat().st_mtime_ns
    train("three", settings, place)
    assert (place / "three" / "trained.json").stat().st_mtime_ns == before


def test_a_job_waits_for_the_one_it_starts_from(place, capsys):
    train("three", Settings(), place)
    assert "three: waits for two" in capsys.readouterr().out
    assert not (place / "three").exists()


@pytest.mark.parametrize("name", QUEUE)
def test_every_job_goes_on_from_shipped_weights_of_its_slot(name, tmp_path):
    job = QUEUE[name]
    start = find_start(tmp_path, job.start)
    config = load_recipe(Settings().root, job.family, {"init_from": str(start), **job.changes})
    assert start.is_file()
    assert start.stem == f"upscale-{name.partition('-')[2]}-{job.family}"
    assert f"x{config.scale}" in name


def test_updates_of_the_weights_that_a_job_starts_from_are_counted(place):
    train("two", Settings(), place)
    train("three", Settings(), place)
    told = {name: json.loads((place / name / "trained.json").read_text()) for name in ("two", "three")}
    assert [told[name]["updates"] for name in ("two", "three")] == [2, 4]
    shipped = find_start(place, "upscale-x2-foldsr")
    assert count_updates(shipped) == json.loads(shipped.with_suffix(".json").read_text())["figures"]["updates"]


def test_held_out_photos_and_set5_are_never_learned_from(tmp_path):
    shades = {}
    for number, path in enumerate((*(f"kodak/{name}.png" for name in ("01", *HELD_OUT_KODAK)), "set5/image.png")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 2, (192, 192, 1)) * 40
        shades[path] = number * 40
        Image.fromarray(np.add(noise, [0, 0, number * 40]).astype(np.uint8)).save(tmp_path / path)
    both = (training_pieces(tmp_path, 96), held_out_pieces(tmp_path))
    learned, judged = (np.concatenate(list(pieces)) for pieces in both)
    assert {int(piece[..., 2].min()) for piece in learned} == {shades["kodak/01.png"]}
    assert len(learned) > 1
    assert {int(piece[..., 2].min()) for piece in judged} == {shades[f"kodak/{name}.png"] for name in HELD_OUT_KODAK}

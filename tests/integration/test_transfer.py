"""A registered version starts the training of another catalogue, through the real flow: two views of one catalogue."""

from __future__ import annotations

import pytest
import torch
import yaml
from safetensors.torch import load_file

from flows.train import train
from models.errors import InputError, RegistryError
from tasks.lineage.index import Lineage
from tasks.promotion.moves import make_champion
from tasks.promotion.reevaluate import evaluate_registered
from tasks.registry.loading import fetch_weights, load_version
from tasks.registry.tracking import open_tracking
from tasks.training.initial import find_initial, name_version
from tasks.workspace.parameters import find_source, load_recipe
from tasks.workspace.progress import NullProgress
from tasks.workspace.storage import digest_file
from tests.workshop import at_work, make_workshop

VIEWS = {
    "two-shapes": {"of": "shapes", "categories": ["box", "ring"]},
    "no-shapes": {"of": "shapes", "categories": ["box", "sofa"]},
}
FROM = "generate-two-shapes"
TO = "generate-shapes"
CHANGES = {"init_from": f"{FROM}@champion", "freeze": ["generator.body.*"], "seed": 4}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    settings = make_workshop(tmp_path_factory.mktemp("workshop"))
    path = settings.root / "params.yaml"
    params = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(params | {"prepare": params["prepare"] | VIEWS}))
    with at_work(settings) as working:
        yield working


@pytest.fixture(scope="module")
def source(workshop):
    """The outcome of a training on two of the three categories."""
    outcome = train(recipe(workshop), catalogue="two-shapes")
    make_champion(workshop, FROM, 1, who="a test", why="so small a training may fail at the gate")
    return outcome


@pytest.fixture(scope="module")
def transferred(workshop, source):
    """The outcome of a training on all three that starts from it."""
    return train(recipe(workshop, **CHANGES), catalogue="shapes")


def recipe(settings, **changes):
    return load_recipe(settings.root, "dcgan", changes)


def refuse(settings, **changes) -> str:
    with pytest.raises((InputError, RegistryError)) as refused:
        find_initial(settings, recipe(settings, **changes))
    return str(refused.value)


def test_a_view_has_a_slot_a_ruler_and_categories_of_its_own(workshop, source, transferred):
    assert (source.slot, transferred.slot) == (FROM, TO)
    assert source.data_md5 == transferred.data_md5
    assert find_source(workshop.root, "two-shapes") == "shapes"
    rulers = {path.stem for path in (workshop.home / "rulers").glob("ruler-*.onnx")}
    assert rulers == {"ruler-two-shapes-32x32x1", "ruler-shapes-32x32x1"}
    report = evaluate_registered(workshop, FROM, None, NullProgress())
    assert set(report.by_category("share")) == {"box", "ring"}


def test_what_is_frozen_has_the_bytes_of_the_version_it_came_from(workshop, source, transferred):
    first, second = (load_file(fetch_weights(workshop, slot, 1)[1]) for slot in (FROM, TO))
    frozen = {name for name in first if name.startswith("generator.body.")}
    assert frozen
    assert {name for name in first.keys() & second if torch.equal(first[name], second[name])} == frozen
    assert first["generator.category.weight"].shape[0] == 2
    assert second["generator.category.weight"].shape[0] == 3


def test_where_it_came_from_is_in_mlflow_and_in_the_lineage(workshop, source, transferred):
    run = open_tracking(workshop).client.get_run(transferred.run_id)
    _, weights = fetch_weights(workshop, FROM, "champion")
    assert run.data.params["init_from"] == f"models:/{FROM}/1"
    assert (
        run.data.tags["init_sha256"] == digest_file(weights) == load_version(workshop, FROM, 1).tags["weights_sha256"]
    )
    assert "fresh: generator.category.*" in run.data.tags["init_text"]
    chain = Lineage(workshop.home).trace(f"{TO}@{transferred.version}")
    assert f"started from: version {FROM}@1" in chain.to_text()
    below = Lineage(workshop.home).trace(f"{FROM}@1").descendants()
    assert f"{TO}@{transferred.version}" in {node.id for node in below}
    fitted = next(line for line in transferred.lines if line.step == "fit")
    assert f"from models:/{FROM}/1" in fitted.text


def test_the_version_by_its_number_is_the_same_training(workshop, transferred):
    again = train(recipe(workshop, **CHANGES | {"init_from": f"models:/{FROM}/1"}), catalogue="shapes")
    assert (again.run_id, again.version) == (transferred.run_id, transferred.version)
    assert next(line for line in again.lines if line.step == "fit").skipped


def test_a_file_with_the_same_weights_can_start_a_training_too(workshop, transferred, tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes(fetch_weights(workshop, FROM, 1)[1].read_bytes())
    initial = find_initial(workshop, recipe(workshop, init_from=str(file)))
    assert (initial.path, initial.sha256, initial.uri) == (file, digest_file(file), str(file))
    assert name_version(initial.uri) is None
    outcome = train(recipe(workshop, init_from=str(file), epochs=1), catalogue="shapes")
    assert f"started from: weights {initial.sha256}" in Lineage(workshop.home).trace(outcome.run_id).to_text()


def test_networks_of_another_shape_are_refused_before_a_run_begins(workshop, source):
    client = open_tracking(workshop).client
    experiment = client.get_experiment_by_name("train").experiment_id
    before = len(client.search_runs([experiment]))
    with pytest.raises(InputError, match=r"init_from: got 'models:/generate-two-shapes/1'.*generator\.noise\.weight"):
        train(recipe(workshop, init_from=f"{FROM}@1", width=16), catalogue="two-shapes")
    assert len(client.search_runs([experiment])) == before


def test_what_is_not_there_is_named(workshop, source):
    assert "slot: got 'generate-shoes', which has no versions; slots:" in refuse(workshop, init_from="generate-shoes@1")
    assert "got '7', there are: 1 @champion" in refuse(workshop, init_from=f"models:/{FROM}/7")
    assert "got 'best', there are: 1" in refuse(workshop, init_from=f"models:/{FROM}@best")
    assert "a file that is there" in refuse(workshop, init_from="no/such.safetensors")
    for wrong in ("generate-shapes", "weights.pt", "models:/shapes", "runs:/a/b", ""):
        assert refuse(workshop, init_from=wrong).startswith(f"init_from: got {wrong!r}, allowed: SLOT@N")
    assert "without the weights" in refuse(workshop, init_from="ruler-two-shapes@1")
    assert find_initial(workshop, recipe(workshop)) is None


def test_lost_or_changed_weights_are_noticed(workshop, source, transferred):
    path = fetch_weights(workshop, TO, transferred.version)[1]
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    assert "does not have the bytes" in refuse(workshop, init_from=f"{TO}@{transferred.version}")
    path.unlink()
    assert "is lost" in refuse(workshop, init_from=f"{TO}@{transferred.version}")
    path.write_bytes(content)


def test_a_view_of_categories_that_are_not_there_lists_them(workshop):
    with pytest.raises(InputError, match=r"prepare.categories: got 'sofa', allowed: one of bigbox, box, ring"):
        train(recipe(workshop), catalogue="no-shapes")


@pytest.mark.parametrize("field", ["freeze", "fresh"])
def test_patterns_need_weights_to_start_from(workshop, field):
    with pytest.raises(InputError, match=rf"{field}: got 'generator\.\*', allowed: nothing, unless init_from says"):
        load_recipe(workshop.root, "dcgan", {field: "generator.*"})

"""Weights that come with Packshot: registered once, champion where there is none, and served to operations."""

from __future__ import annotations

import hashlib
import json
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import RegistryError
from serving.networks import RegistryNetworks
from tasks.auditing.audit import verify_ledger
from tasks.lineage.index import Lineage
from tasks.promotion.moves import make_champion
from tasks.promotion.shipments import SHIPPED, awaits_shipping, list_shipments, register_shipped
from tasks.registry.loading import load_version
from tasks.registry.versions import list_versions

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow's own models, at import


FACTS = {"capability": "upscale", "family": "srcnn", "scale": 2}


def write_network(path, gain):
    """image (N, 1, H, W) -> image * gain, with the fact that it is an upscaler of 2."""
    shape = ["n", 1, "h", "w"]
    luma = helper.make_tensor_value_info("luma", TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info("restored", TensorProto.FLOAT, shape)
    factor = helper.make_tensor("gain", TensorProto.FLOAT, [1], [gain])
    graph = helper.make_graph([helper.make_node("Mul", ["luma", "gain"], ["restored"])], "g", [luma], [made], [factor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"packshot": json.dumps(FACTS)})
    onnx.save(model, str(path))


def ship(folder, slot, family, gain, champion=True):
    """Put a network and its card into `folder`."""
    path = folder / f"{slot}-{family}.onnx"
    folder.mkdir(exist_ok=True)
    write_network(path, gain)
    card = {
        "slot": slot,
        "family": family,
        "champion": champion,
        "what": "Doubles the sides of a photograph.",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "data": [{"name": "kodak", "images": 24, "digest": hashlib.md5(slot.encode()).hexdigest(), "licence": "free"}],
        "recipe": {"epochs": 3},
        "figures": {"set5_psnr": 37.0 + gain / 100},
        "protocol": "Y channel, borders cropped.",
        "limits": "Makes no detail that was not there.",
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    return card


def test_shipped_weights_are_registered_once_with_card_ledger_and_lineage(registry_settings, tracking, slot, tmp_path):
    ship(tmp_path / "weights", slot, "espcn", 1.0, champion=False)
    card = ship(tmp_path / "weights", slot, "srcnn", 2.0)
    assert awaits_shipping(registry_settings.home, tmp_path / "weights")
    arrivals = register_shipped(registry_settings, folder=tmp_path / "weights")
    assert not awaits_shipping(registry_settings.home, tmp_path / "weights")
    assert [(one.family, one.version, one.promoted) for one in arrivals] == [("srcnn", 1, True), ("espcn", 2, False)]
    assert register_shipped(registry_settings, folder=tmp_path / "weights") == []

    champion = load_version(registry_settings, slot, "champion")
    assert champion.tags["family"] == "srcnn"
    assert "`kodak`, 24 images" in champion.description
    assert "| set5 psnr | 37.02 |" in champion.description
    entry = next(one for one in verify_ledger(registry_settings) if one.slot == slot and one.action == "promote")
    assert (entry.who, entry.figures) == ("packshot", card["figures"])
    assert entry.why.startswith("shipped with packshot ")
    above = Lineage(registry_settings.home).trace(f"{slot}@1").ancestors()
    assert {"run", "data"} <= {node.kind for node in above}


def test_a_lost_note_finds_the_versions_again_by_their_bytes(registry_settings, tracking, slot, tmp_path):
    ship(tmp_path / "weights", slot, "srcnn", 3.0)
    register_shipped(registry_settings, folder=tmp_path / "weights")
    for note in (registry_settings.home / "shipped").glob("*.json"):
        note.unlink()
    assert register_shipped(registry_settings, folder=tmp_path / "weights") == []
    assert len(list_versions(registry_settings, slot)) == 1


def test_ones_own_champion_stays(registry_settings, slot, add_version, tmp_path):
    make_champion(registry_settings, slot, add_version(1.0), who="ann", why="mine")
    ship(tmp_path / "weights", slot, "srcnn", 4.0)
    (arrival,) = register_shipped(registry_settings, folder=tmp_path / "weights")
    assert (arrival.version, arrival.promoted) == (2, False)
    assert load_version(registry_settings, slot, "champion").version == 1


def test_many_processes_that_ship_at_once_make_one_version(registry_settings, tracking, slot, tmp_path):
    ship(tmp_path / "weights", slot, "srcnn", 5.0)
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(register_shipped(registry_settings, folder=tmp_path / "weights")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one) for one in made) == [0, 0, 1]
    assert len(list_versions(registry_settings, slot)) == 1


def test_a_damaged_file_or_card_is_named(tmp_path):
    ship(tmp_path, "upscale-x2", "srcnn", 1.0)
    write_network(tmp_path / "upscale-x2-srcnn.onnx", 9.0)
    with pytest.raises(RegistryError, match=r"upscale-x2-srcnn.onnx does not have the bytes that its card names"):
        list_shipments(tmp_path)
    (tmp_path / "upscale-x2-srcnn.json").write_text('{"slot": "upscale-x2"}')
    with pytest.raises(RegistryError, match=r"upscale-x2-srcnn.json of shipped weights is not one: family"):
        list_shipments(tmp_path)


def test_a_figure_that_mlflow_would_not_take_is_named(tmp_path):
    card = ship(tmp_path, "upscale-x2", "srcnn", 1.0)
    card["figures"] = {"psnr_1%": 37.0}
    (tmp_path / "upscale-x2-srcnn.json").write_text(json.dumps(card))
    with pytest.raises(RegistryError, match=r"of shipped weights is not one: figures\.psnr_1%"):
        list_shipments(tmp_path)


def test_all_that_the_repository_ships_is_small_and_enters_the_registry(registry_settings, tracking):
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 20_000_000
    register_shipped(registry_settings)
    assert not awaits_shipping(registry_settings.home)
    slots = [shipment.card.slot for shipment in list_shipments()]
    assert all(len(list_versions(registry_settings, slot)) == slots.count(slot) for slot in slots)


def test_the_toolbox_gives_the_champion_or_a_family_and_keeps_to_it(registry_settings, tracking, slot, tmp_path):
    ship(tmp_path / "weights", slot, "srcnn", 2.0)
    ship(tmp_path / "weights", slot, "espcn", 3.0, champion=False)
    register_shipped(registry_settings, folder=tmp_path / "weights")
    networks = RegistryNetworks(registry_settings, threads=1)
    network = networks.network(slot)
    assert (network.slot, network.version, network.family, network.facts) == (slot, 1, "srcnn", FACTS)
    planes = np.ones((1, 1, 2, 3), np.float32)
    np.testing.assert_array_equal(network.run(luma=planes), planes * 2)
    np.testing.assert_array_equal(networks.network(slot, "espcn").run(luma=planes), planes * 3)

    make_champion(registry_settings, slot, 2, who="ann", why="better")
    assert networks.network(slot) is network  # a batch keeps the versions that it began with
    assert RegistryNetworks(registry_settings).network(slot).version == 2


def test_the_toolbox_says_what_there_is(registry_settings, tracking, slot, tmp_path):
    ship(tmp_path / "weights", slot, "srcnn", 2.0)
    register_shipped(registry_settings, folder=tmp_path / "weights")
    networks = RegistryNetworks(registry_settings)
    with pytest.raises(RegistryError, match=f"family: got 'fsrcnn', of which {slot} has no version; there are: srcnn"):
        networks.network(slot, "fsrcnn")
    for _ in range(2):  # the second answer is the first one, kept
        with pytest.raises(RegistryError, match="slot: got 'no-such-slot', which has no versions"):
            networks.network("no-such-slot")

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, event

from models.errors import InputError, StorageError
from tasks.lineage.entries import Intent, Witness
from tasks.lineage.index import Derivation, Lineage, Parent
from tasks.lineage.ledger import Ledger
from tasks.lineage.trace import Node, Ref
from tasks.photos.writing import encode_png, write_image
from tasks.provenance.edited import EditRecord
from tasks.provenance.generated import Provenance
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file

SLOT = "generate-shirts"
DATA = Node("data", "d" * 32, {"name": "shirts"})
VALIDATION = Node("validation", "aa11" * 8)
PREPARED = Node("prepared", "p" * 32)
COMMIT = Node("commit", "c" * 40)
RUN = Node("run", "ab" * 16, {"name": "dcgan"})
VERSION = Node("version", f"{SLOT}@1", {"family": "dcgan"})


class Query(NamedTuple):
    statement: str
    plan: list[str]


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(PACKSHOT_HOME=tmp_path / "home")


@pytest.fixture
def lineage(settings) -> Lineage:
    index = Lineage(settings.home)
    index.record_all(
        [
            Derivation(VALIDATION, [Parent(DATA, "judged")]),
            Derivation(PREPARED, [Parent(DATA, "prepared from"), Parent(VALIDATION, "passed")]),
            Derivation(RUN, [Parent(PREPARED, "trained on"), Parent(COMMIT, "with code of")]),
            Derivation(VERSION, [Parent(RUN, "trained by")]),
        ]
    )
    return index


def image(index: int) -> Node:
    return Node("image", f"{index:064x}", {"path": f"out/{index}.png", "index": index})


def provenance(version: int) -> Provenance:
    return Provenance(
        slot=SLOT, version=version, family="dcgan", run_id=RUN.id, prepared_key=PREPARED.id, data_md5=DATA.id,
        validation_key=VALIDATION.id, git_commit=COMMIT.id, onnx_sha256="o" * 64, seed=7, index=0, software="packshot",
    )  # fmt: skip


def kinds(nodes) -> list[str]:
    return [node.kind for node in nodes]


def test_an_image_leads_back_to_data_and_commit(lineage):
    lineage.record(image(1), [Parent(VERSION, "made by")])
    chain = lineage.trace(image(1).id)
    assert kinds(chain.ancestors()) == ["version", "run", "commit", "prepared", "data", "validation"]
    assert chain.descendants() == []
    assert chain.images == {}


def test_data_leads_forward_to_counted_images(lineage):
    lineage.record_all(Derivation(image(n), [Parent(VERSION, "made by")]) for n in range(12))
    chain = lineage.trace(DATA.id)
    assert set(chain.descendants()) == {VALIDATION, PREPARED, RUN, VERSION}
    images = chain.images[VERSION.ref]
    assert (images.total, len(images.first)) == (12, 5)
    assert images.first[0].attributes["path"].startswith("out/")
    assert "12 images, the first:" in chain.to_text()


@pytest.mark.parametrize("x", [f"{SLOT}@1", f"models:/{SLOT}/1", f"{SLOT}@champion", f"models:/{SLOT}@champion"])
def test_a_version_is_found_by_each_of_its_names(settings, lineage, x):
    ledger = Ledger(settings.home)
    ledger.finish(ledger.begin(Intent(slot=SLOT, action="promote", version=1, previous=None, who="a", why="b")))
    assert lineage.trace(x).focus == VERSION


def test_prefixes_of_six_characters_are_enough_when_unambiguous(lineage):
    assert lineage.trace("ababab").focus == RUN
    with pytest.raises(InputError, match=r"SLOT@N.*a run id"):
        lineage.trace("ababa")
    lineage.record(Node("run", "ababab" + "0" * 26))
    with pytest.raises(InputError, match=r"it may be run ababab0+, run abababab"):
        lineage.trace("ababab")
    assert lineage.trace(RUN.id).focus == RUN


def test_version_1_is_not_version_12(lineage):
    lineage.record(Node("version", "slot-two@12"))
    with pytest.raises(InputError, match="slot-two@1'"):
        lineage.trace("slot-two@1")


@pytest.mark.parametrize("x", ["nothing-like-it", "", "generate-shirts@champion", "%", "x' OR 1=1 --"])
def test_the_unknown_is_an_error_with_the_forms(lineage, x):
    with pytest.raises(InputError, match="a generated file, SLOT@N"):
        lineage.trace(x)


def test_a_file_is_found_by_its_bytes(lineage, tmp_path):
    path = tmp_path / "a.png"
    write_image(path, encode_png(np.zeros((8, 8), np.uint8), provenance(1)))
    made = Node("image", digest_file(path), {"path": str(path)})
    lineage.record(made, [Parent(VERSION, "made by")])
    chain = lineage.trace(str(path))
    assert (chain.focus, chain.note) == (made, "")


def test_a_file_made_elsewhere_tells_its_version_and_says_so(lineage, tmp_path):
    write_image(tmp_path / "a.png", encode_png(np.zeros((8, 8), np.uint8), provenance(1)))
    chain = lineage.trace(str(tmp_path / "a.png"))
    assert chain.focus == VERSION
    assert "not in the index" in chain.note
    assert chain.note in chain.to_text()
    write_image(tmp_path / "b.png", encode_png(np.zeros((8, 8), np.uint8), provenance(9)))
    with pytest.raises(InputError, match="SLOT@N"):
        lineage.trace(str(tmp_path / "b.png"))


def test_an_edit_of_a_picture_made_elsewhere_tells_the_version_behind_it(lineage, tmp_path):
    record = EditRecord(
        input_sha256="0" * 64,
        steps=(),
        written={},
        seed=0,
        source_type="",
        may_alter_product=False,
        software="",
        ancestor=provenance(1),
    )
    write_image(tmp_path / "a.png", encode_png(np.zeros((8, 8), np.uint8), record))
    chain = lineage.trace(str(tmp_path / "a.png"))
    assert chain.focus == VERSION
    assert f"its record says written anew of {'0' * 64}, which was {SLOT}@1, seed" in chain.note


def test_a_file_without_provenance_is_an_error(lineage, tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="holds no provenance"):
        lineage.trace(str(tmp_path / "a.png"))


def test_recording_again_changes_nothing_but_adds_attributes(lineage):
    before = lineage.trace(VERSION.id)
    lineage.record(
        Node("version", VERSION.id, {"data_md5": DATA.id}, created="2001-01-01T00:00:00Z"), [Parent(RUN, "trained by")]
    )
    after = lineage.trace(VERSION.id)
    assert after.up == before.up
    assert after.focus.created == before.focus.created != "2001-01-01T00:00:00Z"
    assert after.focus.attributes == {"family": "dcgan", "data_md5": DATA.id}


def test_json_holds_both_ways(lineage):
    lineage.record(image(1), [Parent(VERSION, "made by")])
    answer = json.loads(lineage.trace(RUN.id).to_json())
    assert answer["focus"]["id"] == RUN.id
    assert [node["kind"] for node in answer["ancestors"]] == ["commit", "prepared", "data", "validation"]
    assert [node["kind"] for node in answer["descendants"]] == ["version"]
    assert answer["images"][0]["count"] == 1
    assert {
        "child": {"kind": "version", "id": VERSION.id},
        "parent": {"kind": "run", "id": RUN.id},
        "role": "trained by",
    } in answer["edges"]


def test_text_shows_a_node_once_and_then_refers_to_it(lineage):
    lines = lineage.trace(VERSION.id).to_text().splitlines()
    assert lines[0] == f"version {VERSION.id} family=dcgan"
    assert sum("data " + DATA.id in line for line in lines) == 2
    assert sum("(see above)" in line for line in lines) == 1


def test_a_circle_ends(settings):
    index = Lineage(settings.home)
    one, two = Node("run", "first-run"), Node("run", "second-run")
    index.record_all([Derivation(one, [Parent(two, "from")]), Derivation(two, [Parent(one, "from")])])
    assert index.trace("first-run").ancestors() == [two, one]
    assert "see above" in index.trace("first-run").to_text()


def test_two_writers_lose_nothing(settings):
    def write(first: int) -> None:
        for n in range(first, first + 40):
            Lineage(settings.home).record(image(n), [Parent(VERSION, "made by")])

    writers = [threading.Thread(target=write, args=(start,)) for start in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert Lineage(settings.home).trace(VERSION.id).images[Ref("version", VERSION.id)].total == 80


def test_a_new_index_is_made_by_many_at_once(tmp_path):
    problems: list[Exception] = []

    def record(home, start: threading.Barrier) -> None:
        start.wait()
        try:
            Lineage(Settings(PACKSHOT_HOME=home).home).record(VERSION)
        except StorageError as error:
            problems.append(error)

    for attempt in range(15):
        start = threading.Barrier(8)
        writers = [threading.Thread(target=record, args=(tmp_path / str(attempt), start)) for _ in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert problems == []


@pytest.mark.parametrize("known", [DATA.id, image(0).id])
def test_a_query_reads_as_much_of_many_images_as_of_few(lineage, known):
    lineage.record_all(Derivation(image(n), [Parent(VERSION, "made by")]) for n in range(10))
    few = record_queries(lambda: lineage.trace(known))
    lineage.record_all(Derivation(image(n), [Parent(VERSION, "made by")]) for n in range(10, 2_000))
    many = record_queries(lambda: lineage.trace(known))
    assert [query.statement for query in many] == [query.statement for query in few]
    assert not [line for query in many for line in query.plan if line.startswith(("SCAN nodes", "SCAN edges"))]
    assert lineage.trace(DATA.id).images[VERSION.ref].total == 2_000


def record_queries(function):
    """The statements that `function()` has the database run, each with the plan by which SQLite runs it."""
    queries = []

    def explain(connection, cursor, statement, parameters, context, executemany):
        plan = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        queries.append(Query(statement, [row[-1] for row in plan]))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        function()
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    return queries


def test_a_file_that_is_no_database_is_a_storage_error(settings):
    settings.home.mkdir()
    (settings.home / "lineage.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match=r"lineage\.db.*packshot doctor"):
        Lineage(settings.home).trace("anything")


def test_the_module_does_not_import_mlflow():
    code = (
        "import sys, tasks.lineage.index; sys.exit(any(name in sys.modules for name in ('mlflow', 'torch', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_version_leads_back_to_the_version_that_its_training_started_from(lineage):
    run, version = Node("run", "cd" * 16), Node("version", "generate-boots@1")
    lineage.record_all(
        [
            Derivation(run, [Parent(PREPARED, "trained on"), Parent(VERSION, "started from")]),
            Derivation(version, [Parent(run, "registered from")]),
        ]
    )
    assert f"started from: version {SLOT}@1" in lineage.trace(version.id).to_text()
    assert version in lineage.trace(VERSION.id).descendants()
    lineage.record(run, [Parent(Node("weights", "e" * 64, {"file": "mine.safetensors"}), "started from")])
    assert "weights" in kinds(lineage.trace(version.id).ancestors())


def test_what_the_ledger_says_otherwise_of_a_version_is_said(settings, lineage):
    witness = Witness(run_id="r", files={}, tags={"family": "dcgan", "onnx_sha256": "f" * 64})
    told = Intent(slot=SLOT, action="register", version=9, previous=None, who="a", why="b", witness=witness)
    ledger = Ledger(settings.home)
    ledger.finish(ledger.begin(told))
    lineage.record(Node("version", f"{SLOT}@9", {"family": "dcgan", "onnx_sha256": "f" * 64}))
    assert lineage.trace(f"{SLOT}@9").note == ""
    lineage.record(Node("version", f"{SLOT}@9", {"onnx_sha256": "0" * 64}))
    assert f"onnx_sha256 of {SLOT}@9 is {'0' * 64} in the index and {'f' * 64} in the ledger" in (
        lineage.trace(f"{SLOT}@9").note
    )
    (settings.home / "ledger.jsonl").write_text("no ledger")
    assert "ledger: entry 1 was edited" in lineage.trace(f"{SLOT}@9").note

"""Attacks on what is served and on what the ledger says: each is refused, found by one check, and mended."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import onnx
import pytest
from typer.testing import CliRunner

from flows.cli.doctor import check_ledger
from models.errors import InputError, LedgerError, PackshotError, RegistryError
from serving.engine import load
from tasks.auditing.adoption import adopt_ledger
from tasks.auditing.audit import audit, verify_ledger
from tasks.auditing.healing import restore_ledger
from tasks.lineage.entries import Entry, Intent
from tasks.lineage.ledger import Ledger, extend
from tasks.lineage.signing import make_key
from tasks.promotion.moves import make_champion, restore_champion
from tasks.registry.loading import load_version
from tasks.registry.recording import HEAD_TAG
from tasks.registry.register import register
from tasks.registry.tracking import Tracking, open_tracking
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file
from tests.generators import write_generator

SLOT = "generate-bags"
TAGS = {"data_md5": "d" * 32, "git_commit": "c" * 40, "validation_key": "v", "prepared_key": "p"}


class Shop(NamedTuple):
    """A home with three versions: 1 was champion, 2 is, 3 is no champion yet."""

    settings: Settings
    tracking: Tracking
    root: Path

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def file(self) -> Path:
        return self.home / "ledger.jsonl"

    def folder(self, version: int) -> Path:
        uri = self.tracking.client.get_model_version_download_uri(SLOT, str(version))
        return self.tracking.find_files(uri)

    def register(self, seed: int) -> int:
        run = self.tracking.start_or_resume_run("test", None, "run", {}, {})
        onnx_path = write_generator(self.root / f"{seed}.onnx", seed=seed)
        return register(self.settings, run, SLOT, "dcgan", onnx_path, model_card=f"# {seed}", tags=TAGS)

    def promote(self, version: int) -> None:
        make_champion(self.settings, SLOT, version, who="ann", why="because")

    def sql(self, *statements: str, database: str = "lineage.db") -> None:
        with closing(sqlite3.connect(self.home / database)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def lines(self) -> list[bytes]:
        return self.file.read_bytes().splitlines(keepends=True)

    def forge(self, **changes: object) -> None:
        """Change the last entry of the file as one who has no key can: its hash is right, its signature is not."""
        last = Ledger(self.home).entries()[-1].model_copy(update=changes)
        last = last.model_copy(update={"hash": changes.get("hash", last.digest())})
        self.file.write_bytes(b"".join(self.lines()[:-1]) + last.line.encode())

    def state(self) -> tuple[object, ...]:
        """All that a move would write."""
        model = self.tracking.client.get_registered_model(SLOT)
        file = self.file.read_bytes() if self.file.is_file() else None
        return file, dict(model.aliases), dict(model.tags)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("pristine")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        shop = _open(root)
        for seed in (1, 2, 3):
            shop.register(seed)
        shop.promote(1)
        shop.promote(2)
    return root


def _open(root: Path) -> Shop:
    settings = Settings(PACKSHOT_HOME=root / "home", mlflow_port=9)
    settings.home.mkdir(mode=0o700, exist_ok=True)
    return Shop(settings, open_tracking(settings), root)


@pytest.fixture
def shop(pristine, tmp_path, monkeypatch) -> Shop:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(pristine / "home", tmp_path / "home")
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PACKSHOT_MLFLOW_PORT", "9")
    return _open(tmp_path)


def append(path: Path, more: bytes) -> None:
    path.write_bytes(path.read_bytes() + more)


def cut(shop: Shop, keep: slice) -> None:
    shop.file.write_bytes(b"".join(shop.lines()[keep]))


def rewrite(shop: Shop, change: Callable[[bytes], bytes]) -> None:
    shop.file.write_bytes(change(shop.file.read_bytes()))


def link(shop: Shop) -> None:
    shop.file.rename(shop.root / "elsewhere")
    shop.file.symlink_to(shop.root / "elsewhere")


def into_folder(shop: Shop) -> None:
    shop.file.unlink()
    shop.file.mkdir()


def drop_database(shop: Shop) -> None:
    for path in shop.home.glob("lineage.db*"):
        path.unlink()


def garbage(shop: Shop) -> None:
    drop_database(shop)
    (shop.home / "lineage.db").write_bytes(b"no database" * 1000)


def other_schema(shop: Shop) -> None:
    shop.sql("drop table ledger_entries", "create table ledger_entries (a, b)")


def add_pending(shop: Shop) -> None:
    """A move in another's name, signed by a key that is not the installation's."""
    (shop.root / "other").mkdir(mode=0o700)
    told = Intent(slot=SLOT, action="promote", version=3, previous=2, who="the boss", why="trust me")
    entry = extend(Ledger(shop.home).entries(), told, make_key(shop.root / "other"))
    with closing(sqlite3.connect(shop.home / "lineage.db")) as connection:
        connection.execute("insert into ledger_entries values (?, ?, ?, 1)", (entry.n, entry.hash, entry.line))
        connection.commit()


def replay(shop: Shop) -> None:
    """File and index as they were before the last move."""
    ledger = Ledger(shop.home)
    ledger.begin_anew(ledger.entries()[:-1])


def lose_all(shop: Shop) -> None:
    shop.file.unlink()
    drop_database(shop)


def replace_key(shop: Shop) -> None:
    (shop.home / "ledger.key").unlink()
    make_key(shop.home)


def forge_anew(shop: Shop) -> None:
    """A whole ledger by another key, in file and index, that makes version 3 the champion."""
    (shop.root / "other").mkdir(mode=0o700)
    key, entries = make_key(shop.root / "other"), []
    for entry in Ledger(shop.home).entries():
        told = Intent(**{name: getattr(entry, name) for name in Intent.model_fields} | {"who": "the boss"})
        entries.append(extend(entries, told, key))
    Ledger(shop.home).begin_anew(entries)


def unsign(shop: Shop) -> None:
    """The ledger as an older version would have written it: nothing is signed."""
    entries: list[Entry] = []
    for entry in Ledger(shop.home).entries():
        bare = entry.model_copy(update={"key": "", "signature": "", "witness": None, "model": ""})
        bare = bare.model_copy(update={"previous_hash": entries[-1].hash if entries else "0" * 64})
        entries.append(bare.model_copy(update={"hash": bare.digest()}))
    Ledger(shop.home).begin_anew(entries)


def row(column: str, value: str, where: str = "n = 3") -> Callable[[Shop], None]:
    return lambda shop: shop.sql(f"update ledger_entries set {column} = {value} where {where}")


OF_FIELDS: dict[str, Callable[[Shop], None]] = {
    f"{name} changed": lambda shop, changes={name: value}: shop.forge(**changes)
    for name, value in {
        "slot": "other", "action": "challenge", "version": 3, "previous": 7, "who": "the boss", "why": "", "n": 9,
        "figures": {"psnr": 99.0}, "time": "2001-01-01T00:00:00Z", "previous_hash": "0" * 64, "key": "0" * 64,
        "signature": "0" * 128, "model": "0" * 64, "hash": "0" * 64,
    }.items()
}  # fmt: skip
OF_THE_FILE: dict[str, Callable[[Shop], None]] = {
    "signature stripped": lambda shop: shop.forge(signature=""),
    "signature and key stripped": lambda shop: shop.forge(signature="", key=""),
    "first entry removed": lambda shop: cut(shop, slice(1, None)),
    "last entry removed": lambda shop: cut(shop, slice(None, -1)),
    "middle entry removed": lambda shop: shop.file.write_bytes(b"".join(shop.lines()[:2] + shop.lines()[3:])),
    "reversed": lambda shop: cut(shop, slice(None, None, -1)),
    "last entry doubled": lambda shop: append(shop.file, shop.lines()[-1]),
    "first entry inserted again": lambda shop: shop.file.write_bytes(shop.lines()[0] + shop.file.read_bytes()),
    "cut at the end": lambda shop: rewrite(shop, lambda whole: whole[:-9]),
    "cut at the start": lambda shop: rewrite(shop, lambda whole: whole[9:]),
    "empty": lambda shop: shop.file.write_bytes(b""),
    "lost": lambda shop: shop.file.unlink(),
    "byte order mark": lambda shop: rewrite(shop, lambda whole: b"\xef\xbb\xbf" + whole),
    "line ends of Windows": lambda shop: rewrite(shop, lambda whole: whole.replace(b"\n", b"\r\n")),
    "trailing bytes": lambda shop: append(shop.file, b"\0"),
    "trailing line": lambda shop: append(shop.file, b"\n"),
    "not UTF-8": lambda shop: append(shop.file, b"\xff\n"),
    "huge number": lambda shop: rewrite(shop, lambda whole: whole.replace(b'"n":5,', b'"n":5' + b"0" * 5000 + b",")),
    "not a number": lambda shop: rewrite(shop, lambda whole: whole.replace(b'"n":5,', b'"n":NaN,')),
    "wrong type": lambda shop: rewrite(shop, lambda whole: whole.replace(b'"n":5,', b'"n":[5],')),
    "a link": link,
    "a folder": into_folder,
}
OF_THE_INDEX: dict[str, Callable[[Shop], None]] = {
    "row removed": lambda shop: shop.sql("delete from ledger_entries where n = 3"),
    "last row removed": lambda shop: shop.sql("delete from ledger_entries where n = 5"),
    "row added": lambda shop: shop.sql("insert into ledger_entries values (9, 'a', 'b', 0)"),
    "rows emptied": lambda shop: shop.sql("delete from ledger_entries"),
    "hash of a row": row("hash", "'0'"),
    "line of a row": row("line", "'{}'"),
    "bytes in a row": row("line", "x'ff00'"),
    "mark of a row": row("pending", "1"),
    "forged pending row": add_pending,
    "database lost": drop_database,
    "database garbage": garbage,
    "database of another schema": other_schema,
}
OF_HEADS: dict[str, Callable[[Shop], None]] = {
    "head removed": lambda shop: shop.tracking.client.delete_registered_model_tag(SLOT, HEAD_TAG),
    "head forged": lambda shop: shop.tracking.client.set_registered_model_tag(SLOT, HEAD_TAG, "99:abc:def"),
}
BEYOND_RESTORE: dict[str, Callable[[Shop], None]] = {
    "older copy of file and index": replay,
    "file and index lost": lose_all,
    "key lost": lambda shop: (shop.home / "ledger.key").unlink(),
    "key replaced": replace_key,
    "key garbage": lambda shop: (shop.home / "ledger.key").write_bytes(b"\xff"),
    "forged anew by another key": forge_anew,
    "never signed": unsign,
}
LEDGER = {**OF_FIELDS, **OF_THE_FILE, **OF_THE_INDEX, **OF_HEADS, **BEYOND_RESTORE}


def swap_bytes(shop: Shop, version: int = 2) -> None:
    """Other bytes, together with the tag that names them."""
    path = write_generator(shop.folder(version) / "model.onnx", seed=66)
    digest = digest_file(path)
    shop.tracking.client.set_model_version_tag(SLOT, str(version), "onnx_sha256", digest)


def older_bytes(shop: Shop) -> None:
    shutil.copyfile(shop.folder(1) / "model.onnx", shop.folder(2) / "model.onnx")


def move_source(shop: Shop) -> None:
    old = shop.folder(2)
    shutil.copytree(old, old.with_name("moved"))
    write_generator(old.with_name("moved") / "model.onnx", seed=66)
    where = (old.with_name("moved")).as_uri()
    shop.sql(
        f"update model_versions set source = '{where}', storage_location = '{where}' where version = 2",
        database="mlflow/mlflow.db",
    )


def make_slot_again(shop: Shop) -> None:
    """The slot deleted, and made again with the same numbers and aliases."""
    client, folders = shop.tracking.client, {n: shop.folder(n) for n in (1, 2, 3)}
    tags = {n: dict(client.get_model_version(SLOT, str(n)).tags) for n in folders}
    runs = {n: client.get_model_version(SLOT, str(n)).run_id for n in folders}
    client.delete_registered_model(SLOT)
    client.create_registered_model(SLOT)
    for n, folder in folders.items():
        write_generator(folder / "model.onnx", seed=60 + n)
        client.create_model_version(SLOT, source=folder.as_uri(), run_id=runs[n], tags=tags[n])
    client.set_registered_model_alias(SLOT, "champion", "2")


def add_external_data(shop: Shop) -> None:
    (shop.folder(2) / "weights.bin").write_bytes(b"\0" * 64)


def tag(name: str, value: str) -> Callable[[Shop], None]:
    return lambda shop: shop.tracking.client.set_model_version_tag(SLOT, "2", name, value)


MODELS: dict[str, Callable[[Shop], None]] = {
    "bytes and their tag": swap_bytes,
    "an older version's bytes": older_bytes,
    "source moved": move_source,
    "slot made again": make_slot_again,
    "a file beside the model": add_external_data,
    "a file lost": lambda shop: (shop.folder(2) / "MLmodel").unlink(),
    "a link": lambda shop: (
        (shop.folder(2) / "MLmodel").unlink(),
        (shop.folder(2) / "MLmodel").symlink_to("/dev/null"),
    ),
    "tag data": tag("data_md5", "0" * 32),
    "tag family": tag("family", "vae"),
    "tag commit": tag("git_commit", "0" * 40),
    "tag validation": tag("validation_key", "forged"),
    "tag of the bytes": tag("onnx_sha256", "0" * 64),
    "tag removed": lambda shop: shop.tracking.client.delete_model_version_tag(SLOT, "2", "git_commit"),
    "run of the version": lambda shop: shop.sql(
        "update model_versions set run_id = 'other' where version = 2", database="mlflow/mlflow.db"
    ),
    "champion moved": lambda shop: shop.tracking.client.set_registered_model_alias(SLOT, "champion", "3"),
    "champion's alias deleted": lambda shop: shop.tracking.client.delete_registered_model_alias(SLOT, "champion"),
    "champion deleted": lambda shop: shop.tracking.client.delete_model_version(SLOT, "2"),
}


def heal(shop: Shop) -> list[str]:
    """Run the command that each finding names, until there is none; returns the commands."""
    ran: list[str] = []
    while findings := audit(shop.settings).findings:
        command = findings[0].heal
        assert len(ran) < 4, (ran, findings)
        ran.append(command)
        if command.endswith("--restore"):
            restore_ledger(shop.settings, who="ann")
        elif command.endswith("--adopt"):
            adopt_ledger(shop.settings, who="ann")
        else:
            assert command == f"packshot rollback {SLOT}"
            restore_champion(shop.settings, SLOT, who="ann", why="forged")
    return ran


def assert_found(shop: Shop) -> None:
    with pytest.raises(LedgerError) as told:
        verify_ledger(shop.settings)
    check = check_ledger(shop.settings)
    assert check.status == "fail"
    assert told.value.heal == check.advice
    assert str(told.value).isprintable()
    assert check.found.isprintable()


@pytest.mark.parametrize("attack", LEDGER)
def test_a_tampered_ledger_stops_every_move_and_is_mended(shop, attack):
    LEDGER[attack](shop)
    before = shop.state()
    with pytest.raises(LedgerError, match=r"packshot lineage --(restore|adopt)$"):
        shop.promote(3)
    with pytest.raises(LedgerError):
        shop.register(9)
    assert shop.state() == before
    assert_found(shop)
    ran = heal(shop)
    assert ran[:1] == ["packshot lineage --adopt" if attack in BEYOND_RESTORE else "packshot lineage --restore"]
    if attack not in BEYOND_RESTORE:
        assert load(shop.settings, SLOT).version.version == 2
        assert [entry.who for entry in verify_ledger(shop.settings)].count("the boss") == 0
    shop.promote(3)
    assert load(shop.settings, SLOT).version.version == 3


@pytest.mark.parametrize("attack", MODELS)
def test_a_forged_model_is_not_served_and_is_mended(shop, attack):
    MODELS[attack](shop)
    with pytest.raises(PackshotError, match="to mend it: packshot"):
        load(shop.settings, SLOT)
    assert_found(shop)
    heal(shop)
    served = load(shop.settings, SLOT).version if "slot" not in attack else None
    assert served is None or {**served.tags, "gate.reason": ""} == {**served.tags, **TAGS, "gate.reason": ""}
    shop.promote(shop.register(8))
    assert load(shop.settings, SLOT).version.tags["git_commit"] == TAGS["git_commit"]
    assert verify_ledger(shop.settings)


def test_a_version_that_packshot_did_not_register_is_refused_until_a_person_adopts_it(shop):
    client, folder = shop.tracking.client, shop.root / "planted"
    shutil.copytree(shop.folder(1), folder)
    tags = dict(client.get_model_version(SLOT, "1").tags)
    client.create_model_version(SLOT, source=folder.as_uri(), run_id="planted", tags=tags)
    for refused in (lambda: load(shop.settings, SLOT, 4), lambda: shop.promote(4)):
        with pytest.raises(RegistryError, match=r"version 4 is not in the ledger.*packshot lineage --adopt$"):
            refused()
    assert_found(shop)
    (adopted,) = adopt_ledger(shop.settings, who="ann")
    assert (adopted.action, adopted.version, adopted.who) == ("adopt", 4, "ann")
    assert load(shop.settings, SLOT, 4).version.run_id == "planted"


def test_a_tag_that_was_added_is_in_no_record(shop):
    shop.tracking.client.set_model_version_tag(SLOT, "2", "licence", "all mine")
    assert "licence" not in load_version(shop.settings, SLOT, "champion").tags


def test_a_version_of_any_number_is_checked_and_not_only_the_champion(shop):
    swap_bytes(shop, 3)
    with pytest.raises(RegistryError, match=r"version 3: .*to mend it: packshot lineage --restore"):
        load(shop.settings, SLOT, 3)
    assert heal(shop) == ["packshot lineage --restore"]
    with pytest.raises(RegistryError, match="version 3 was withdrawn by ledger entry 6"):
        load(shop.settings, SLOT, 3)
    assert load(shop.settings, SLOT).version.version == 2


@pytest.mark.parametrize("where", ["initializer", "node"])
def test_a_model_with_external_data_is_not_registered(shop, where):
    path = write_generator(shop.root / "external.onnx")
    proto = onnx.load(str(path))
    tensor = proto.graph.initializer[0]
    if where == "node":
        proto.graph.node.insert(0, onnx.helper.make_node("Constant", [], [tensor.name], value=tensor))
        del proto.graph.initializer[0]
        tensor = proto.graph.node[0].attribute[0].t
    (shop.root / "weights.bin").write_bytes(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, "weights.bin")
    tensor.ClearField("raw_data")
    path.write_bytes(proto.SerializeToString())
    run = shop.tracking.start_or_resume_run("test", None, "run", {}, {})
    with pytest.raises(InputError, match="ONNX file"):
        register(shop.settings, run, SLOT, "dcgan", path, model_card="", tags=TAGS)


def test_the_commands_say_the_finding_and_its_cure_in_one_line(shop):
    from flows.cli.app import app

    older_bytes(shop)
    told = CliRunner().invoke(app, ["lineage", "--verify"])
    assert str(told.exception).endswith(f"to mend it: packshot rollback {SLOT}")


def test_a_ledger_of_an_older_version_goes_on_once_a_person_took_it_over(shop):
    unsign(shop)
    shop.file.write_bytes(b"".join(line for line in shop.lines() if b'"action":"promote"' in line))
    old = keep_unsigned(shop)
    shop.sql("drop table ledger_entries")
    (shop.home / "ledger.key").unlink()
    shop.tracking.client.set_registered_model_tag(SLOT, HEAD_TAG, f"2:{old[-1].hash}")
    for refused in (lambda: load(shop.settings, SLOT), lambda: shop.promote(3)):
        with pytest.raises(LedgerError, match=r"entry 1 is not signed; an older version .*packshot lineage --adopt$"):
            refused()
    first, *versions = adopt_ledger(shop.settings, who="ann")
    assert (first.who, old[-1].hash in first.why, first.why[:23]) == ("ann", True, "took over 2 entries, he")
    assert [(entry.action, entry.version) for entry in versions] == [("adopt", 1), ("adopt", 2), ("adopt", 3)]
    assert verify_ledger(shop.settings)[:2] == old
    assert load(shop.settings, SLOT).version.version == 2
    assert restore_champion(shop.settings, SLOT, who="ann", why="x").version == 1
    assert adopt_ledger(shop.settings, who="ann") == []


def keep_unsigned(shop: Shop) -> list[Entry]:
    """Write the file's entries as a chain of their own, as an older version wrote them."""
    chained: list[Entry] = []
    for n, line in enumerate(shop.lines(), start=1):
        previous = chained[-1].hash if chained else "0" * 64
        bare = Entry.model_validate_json(line).model_copy(update={"n": n, "previous_hash": previous})
        chained.append(bare.model_copy(update={"hash": bare.digest()}))
    shop.file.write_bytes("".join(entry.line for entry in chained).encode())
    return chained


def test_adoption_does_not_take_over_bytes_that_their_tag_does_not_name(shop):
    client, folder = shop.tracking.client, shop.root / "planted"
    shutil.copytree(shop.folder(1), folder)
    client.create_model_version(SLOT, source=folder.as_uri(), run_id="planted", tags={"onnx_sha256": "0" * 64})
    (told,) = adopt_ledger(shop.settings, who="ann")
    assert (told.action, told.version) == ("withdraw", 4)
    with pytest.raises(RegistryError, match="version 4 was withdrawn"):
        load(shop.settings, SLOT, 4)


def test_a_ledger_that_can_be_restored_is_not_adopted(shop):
    append(shop.file, b"more")
    with pytest.raises(LedgerError, match=r"--restore$"):
        adopt_ledger(shop.settings, who="mallory")


def test_a_version_is_hashed_once_a_load_and_not_per_image(shop, monkeypatch):
    from tasks.registry import witnesses

    hashed: list[Path] = []
    monkeypatch.setattr(witnesses, "digest_file", lambda path: hashed.append(path) or digest_file(path))
    served = load(shop.settings, SLOT)
    count = len(hashed)
    assert len(set(hashed)) == count
    for seed in range(3):
        served.generator.sample(4, seed)
    assert len(hashed) == count

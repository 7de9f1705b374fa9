"""What `packshot doctor` finds and advises, on real folders, repositories and ports."""

import importlib.metadata
import shutil
import socket
import subprocess

import pytest

from flows.cli import doctor
from tasks.workspace.records import StepKey, StepRecords
from tasks.workspace.settings import Settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in ("PREFECT_API_URL", "PREFECT_API_DATABASE_CONNECTION_URL", "PACKSHOT_PHOTOS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    return Settings(root=tmp_path, debian_datasets=tmp_path / "datasets")


def git(folder, *arguments):
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_every_bad_row_has_one_line_of_advice(settings):
    checks = doctor.diagnose(settings)
    assert {check.status for check in checks} >= {"ok", "fail"}
    for check in checks:
        assert bool(check.advice) == (check.status != "ok"), check
        assert "\n" not in check.advice + check.found
    assert not settings.home.exists(), "a diagnosis changes nothing"


def test_the_table_names_each_check_and_the_code_says_that_something_failed(settings, capsys):
    checks = doctor.diagnose(settings)
    assert doctor.print_diagnosis(checks) == 1
    shown = capsys.readouterr().out
    assert all(check.name in shown for check in checks)
    assert doctor.print_diagnosis([doctor.Check("git", "ok", "here")]) == 0


def test_packages_are_compared_with_the_lock(settings):
    lock = settings.root / "requirements.lock"
    version = importlib.metadata.version("pytest")
    lock.write_text(f"# a comment\npytest=={version}\n")
    assert doctor.check_packages(settings).status == "ok"
    lock.write_text("pytest==0.0.1\nno-such-package==1\n")
    check = doctor.check_packages(settings)
    assert check.status == "warn"
    assert check.found == f"pytest {version} instead of 0.0.1, no-such-package is missing"
    assert "make venv" in check.advice


def test_git_needs_a_commit(settings):
    git(settings.root, "init")
    assert doctor.check_git(settings).status == "fail"
    identity = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
    git(settings.root, *identity, "commit", "--allow-empty", "--message", "first")
    assert doctor.check_git(settings).status == "ok"


def test_data_is_missing_then_pinned_then_here(settings):
    assert doctor.check_data(settings).status == "fail"
    (settings.root / "data.dvc").touch()
    assert doctor.check_data(settings).status == "warn"
    (settings.data / "shirts").mkdir(parents=True)
    check = doctor.check_data(settings)
    assert (check.status, check.found) == ("ok", "pinned; here: shirts")


def test_a_port_that_something_else_took_is_named(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check = doctor.check_mlflow(settings.model_copy(update={"mlflow_port": port}))
    assert check.status == "fail"
    assert f"port {port}" in check.found
    assert "PACKSHOT_MLFLOW_PORT" in check.advice


def test_a_given_prefect_server_must_answer(settings, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    check = doctor.check_prefect(settings)
    assert (check.status, check.found) == ("fail", "no answer from http://127.0.0.1:9/api")


def test_one_database_for_both_servers_is_refused(settings, monkeypatch):
    assert doctor.check_databases(settings).status == "ok"
    shared = settings.mlflow_database.replace("sqlite", "sqlite+aiosqlite", 1)
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", shared)
    assert doctor.check_databases(settings).status == "fail"


def test_photographs_are_optional_but_must_exist_when_named(settings, monkeypatch, tmp_path):
    assert doctor.check_photos(settings).status == "ok"
    monkeypatch.setenv("PACKSHOT_PHOTOS", str(tmp_path / "nowhere"))
    assert doctor.check_photos(settings).status == "warn"


def test_debian_data_sets_that_are_installed_are_found(settings):
    (settings.debian_datasets / "fashion-mnist").mkdir(parents=True)
    assert doctor.check_debian(settings).found == str(settings.debian_datasets / "fashion-mnist")


def test_what_a_home_remembers_of_another_place_is_named(settings, tmp_path):
    assert doctor.check_places(settings).status == "ok"
    records, made = StepRecords(settings.home), settings.home / "made.txt"
    made.parent.mkdir()
    made.write_text("made")
    records.save(StepKey(name="prepare", inputs={}), {}, [made], 0.1)
    assert doctor.check_places(settings).status == "ok"
    record = next(records.folder.glob("*.json"))
    record.write_text(record.read_text().replace('"made.txt"', '"/elsewhere/.packshot/made.txt"'))
    check = doctor.check_places(settings)
    assert (check.status, check.found) == ("warn", "1 records point elsewhere, first to /elsewhere/.packshot/made.txt")


def test_a_state_that_others_could_write_is_found_with_the_command_that_heals_it(settings):
    (settings.root / ".dvc").mkdir()
    (settings.root / ".dvc" / "config").touch()
    state = settings.dvc_state / "repo"
    state.mkdir(parents=True)
    settings.home.chmod(0o755)
    state.chmod(0o777)
    found = {check.name: check for check in doctor.diagnose(settings)}
    assert (found["DVC"].status, found["DVC"].advice) == ("fail", f"run `rm -r {settings.dvc_state}`: it is made anew")
    assert (found["state folder"].status, found["state folder"].advice) == ("fail", f"run `chmod 700 {settings.home}`")
    settings.home.chmod(0o700)
    shutil.rmtree(settings.dvc_state)
    found = {check.name: check.status for check in doctor.diagnose(settings)}
    assert (found["state folder"], found["DVC"]) == ("ok", "ok")

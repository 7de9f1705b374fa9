"""The process that registers shipped weights says what is new, and nothing where nothing is."""

import os

import pytest

from flows.processes import shipping
from tasks.promotion.shipments import Arrival


@pytest.fixture(autouse=True)
def own_environment(tmp_path, monkeypatch):
    for name, value in os.environ.items():
        monkeypatch.setenv(name, value)  # so that what the process sets is taken back
    monkeypatch.setenv("PACKSHOT_HOME", str(tmp_path / "home"))
    yield
    for name in set(os.environ) - {"PACKSHOT_HOME"}:
        if str(tmp_path) in os.environ[name]:
            monkeypatch.delenv(name)


def test_each_new_version_is_told_with_what_it_became(monkeypatch, capsys):
    arrivals = [
        Arrival(slot="upscale-x2", version=1, family="foldsr", promoted=True),
        Arrival(slot="upscale-x2", version=2, family="espcn", promoted=False),
    ]
    seen = []
    monkeypatch.setattr(shipping, "register_shipped", lambda settings: seen.append(settings.home) or arrivals)
    shipping.main()
    rows = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines() if line.strip()[:7] == "upscale"]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["upscale-x2", "1", "foldsr", "champion"],
        ["upscale-x2", "2", "espcn", "waits for a promotion"],
    ]
    assert os.environ["PREFECT_HOME"] == str(seen[0] / "prefect")  # before a library that reads it is imported


def test_nothing_new_is_nothing_to_say(monkeypatch, capsys):
    monkeypatch.setattr(shipping, "register_shipped", lambda _: [])
    shipping.main()
    assert capsys.readouterr() == ("", "")

"""One checkout and one Prefect server for all tests of the command line."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from flows.processes.prefect_server import prefect_server
from tests.e2e.shop import TRAIN, Ended, Shop, end, open_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Iterator[Shop]:
    """A checkout with a catalogue, and a server that its commands join."""
    # Commands that a shell started in the background ignore Ctrl-C, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    made = open_shop(tmp_path_factory.mktemp("shop"))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PREFECT_API_URL", raising=False)
        with prefect_server(made.settings):
            yield made


@pytest.fixture(scope="session")
def trainings(shop) -> list[Ended]:
    """Three trainings started at once in a new home: two of the same recipe, one of another."""
    seeds = ("0", "0", "1")
    return [end(process) for process in [shop.start(*TRAIN, "--seed", seed) for seed in seeds]]


@pytest.fixture(scope="session")
def champion(shop, trainings) -> Shop:
    """The shop, with a champion."""
    for ended in trainings:
        assert ended.code == 0, ended.err[-1500:]
    shop.promote()
    return shop

"""What a run's page shows: the gate's verdict as Markdown, and nothing at all outside of a flow run."""

import pytest

from flows.reporting.page import explain, show_figures, show_picture, show_samples
from tasks.promotion.gate import GateVerdict
from tasks.promotion.selection import Judged
from tasks.workspace.settings import Settings
from tests.reports import make_report


class Moved:
    text = "generate-shop version 3 stays challenger"


def test_a_verdict_shows_what_was_broken_before_what_held():
    verdict = GateVerdict(
        good_enough=False,
        servable=True,
        reasons=["rarest category shirt: 4.00%"],
        held=["latency 12 ms", "memory 300 MB"],
    )
    assert explain(Judged(verdict, Moved())).splitlines() == [
        "**generate-shop version 3 stays challenger**",
        "",
        "- **broken**: rarest category shirt: 4.00%",
        "- held: latency 12 ms",
        "- held: memory 300 MB",
    ]


@pytest.fixture
def no_server(monkeypatch):
    """Any request would go to a port that nobody has."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")


def test_outside_of_a_flow_run_there_is_no_page(no_server, tmp_path):
    settings = Settings(PACKSHOT_HOME=tmp_path)
    show_figures(make_report())
    show_picture(settings, "a" * 32, tmp_path / "nearest.png", "evaluation", "nearest", "a text")
    show_samples(settings, "a" * 32, tmp_path / "samples-0000120.png")

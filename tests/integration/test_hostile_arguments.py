"""The whole command line with arguments that an enemy, a script or a cat on the keyboard would type."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.cli.app import app, main

SECONDS = 20
SERVERS = {"up", "demo", "dvc"}
"""Commands that take nothing to misread; what follows `dvc` is DVC's."""
HOSTILE = [
    *(
        "",
        " ",
        ".",
        "..",
        "/",
        "-",
        "--",
        "-x",
        "~",
        "*",
        "\n",
        "a\nb",
        "../../etc/passwd",
        "/dev/zero",
        "/dev/null",
        "/proc/self/mem",
    ),
    *(
        "x" * 300,
        "x/" * 3000,
        "x" * 70_000,
        "\udcff\udc80",
        "a\udce9.jpg",
        "\ud800",
        "\x1b]0;title\x07",
        "\u202eexe.gpj",
        "\ufeff",
        "鞋子",
    ),
    *(
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "9" * 400,
        "1.5",
        "0x10",
        "१२",
        "true",
        "null",
        "[]",
        "{}",
        "[" * 5000,
        '{"a":' * 3000,
        '"\\ud800"',
    ),
    *(
        "=1+1",
        "a=b",
        "a=b=c",
        "=",
        "seed=",
        "epochs=-1",
        "seed=1e400",
        "epochs=" + "9" * 30,
        "lr=nan",
        "sofa:2",
        "upscale:nan",
        "frame:9e9",
    ),
    *(
        "inpaint,boxes=1 2 3",
        "inpaint,boxes=" + "9" * 400,
        "crop,",
        ",",
        ":",
        "upscale:2,upscale:2",
        "generate-x@0",
        "generate-x@" + "9" * 40,
    ),
    *(
        "a@b@c",
        "http://example.org/x.png",
        "$(id)",
        "`id`",
        "%s%n",
        "\\",
        "con",
        "*.jpg",
        "fifo",
        "loop",
        "folder",
        "deep.json",
        "list.json",
    ),
]


def commands(group: typer.Typer) -> dict[tuple[str, ...], list[str]]:
    """Each command's words, and the names of its options, as the parser knows them."""
    found: dict[tuple[str, ...], list[str]] = {}

    def walk(command: object, words: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*words, name))
        if words and not hasattr(command, "commands"):
            params = getattr(command, "params", [])
            found[words] = [name for param in params for name in param.opts if name.startswith("--")]

    walk(typer.main.get_command(group), ())
    return found


COMMANDS = {words: options for words, options in commands(app).items() if words[0] not in SERVERS}


@st.composite
def typed(draw: st.DrawFn) -> list[str]:
    """What is typed: a command, hostile arguments, and options with hostile values in any order."""
    words = draw(st.sampled_from(sorted(COMMANDS)))
    value = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_characters="\0"), max_size=30))
    given = st.one_of(
        value.map(lambda one: [one]),
        st.tuples(st.sampled_from([*COMMANDS[words], "--help", "--no-such"]), value).map(list),
        st.sampled_from(COMMANDS[words] or ["--help"]).map(lambda one: [one]),
    )
    return [*words, *(word for part in draw(st.lists(given, max_size=4)) for word in part)]


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """A hang is an error."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """An empty checkout to work in, with files that are none; what would work is never begun."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "data.dvc").write_text("outs: []\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("families: {}\n")
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    (root / "loop").symlink_to("loop")
    (root / "deep.json").write_text("[" * 100_000)
    (root / "list.json").write_text(json.dumps([{"op": "x" * 10_000}, 1, None]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name in ("ROOT", "HOME"):
            patch.setenv(f"PACKSHOT_{name}", str(root if name == "ROOT" else root / "home"))
        patch.setenv("PACKSHOT_OFFLINE", "true")

        def work(*_: object, **__: object) -> None:
            raise SystemExit("the work would begin")

        patch.setattr("flows.processes.prefect_server.PrefectServer.start", work)
        patch.setattr("flows.processes.sign_in.links", lambda _: [])
        outside, terminate = dict(os.environ), signal.getsignal(signal.SIGTERM)
        yield root
        os.environ.clear()
        os.environ.update(outside)
        signal.signal(signal.SIGTERM, terminate)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(typed())
def test_no_arguments_end_in_a_traceback_or_in_silence(checkout, capsys, words):
    with pytest.MonkeyPatch.context() as patch, time_limit(SECONDS):
        patch.setattr(sys, "argv", ["packshot", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    said = capsys.readouterr()
    assert ended.value.code in (0, 1, 2, None)
    assert "Traceback" not in said.out + said.err
    if ended.value.code:
        assert said.out + said.err
    assert not any(ord(one) < 32 and one not in "\n" for one in said.out + said.err)

"""The edge between our errors and a person: lines, exit codes, progress and tables."""

import errno
import signal
import sqlite3
import subprocess
import sys

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field

from flows.reporting.console import ConsoleProgress, explain, run_command, say, say_json, say_lines, summary_table
from models.errors import InputError, ServiceError
from tasks.outlets.terminal import is_steering


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(ge=1, le=100)
    family: str


@pytest.fixture(autouse=True)
def keep_sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def failing(error):
    def command():
        raise error

    return command


def test_a_command_that_returns_is_a_success(capsys):
    assert run_command(lambda: None) == 0
    assert run_command(lambda: 3) == 3
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ServiceError("no answer at\n http://x"), 1, "error: no answer at http://x\n"),
        (InputError("epochs", 0, "1 to 100"), 2, "error: epochs: got 0, allowed: 1 to 100\n"),
        (KeyboardInterrupt(), 130, "stopped; run the same command again to resume\n"),
        (SystemExit("told so"), 1, "error: told so\n"),
    ],
)
def test_errors_become_one_line_and_a_code(capsys, error, code, line):
    assert run_command(failing(error)) == code
    assert capsys.readouterr() == ("", line)


def test_a_long_line_is_not_broken(capsys):
    run_command(failing(ServiceError("word " * 100)))
    assert capsys.readouterr().err.count("\n") == 1


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def test_each_wrong_field_is_a_line_of_its_own(capsys):
    assert run_command(lambda: Recipe(epochs=0, colour="red")) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: epochs: got 0, allowed: greater than or equal to 1",
        "error: family: got 'nothing', allowed: a value; the field is required",
        "error: colour: got 'red', allowed: no field of this name",
    ]


def test_a_full_disk_is_explained_however_deep_it_lies(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "model.onnx"))
    outer = RuntimeError("saving failed")
    outer.__cause__ = full
    assert explain(outer)[0].startswith(f"disk full: writing {tmp_path / 'model.onnx'} failed")


class Refused(RuntimeError):
    """What a library makes of an error."""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), f"cannot use {'x' * 100}...{'x' * 100}: File"),
        (PermissionError(errno.EACCES, "Permission denied", b"caf\xe9"), "cannot use caf\udce9: Permission denied"),
        (UnicodeEncodeError("utf-8", "a\ud800", 1, 2, "surrogates not allowed"), "a name or value: got 'a\\ud800', al"),
        (ValueError("lstat: embedded null character in path: null byte"), "a name: got one with a null byte"),
        (RecursionError("maximum recursion depth exceeded"), "what was given is nested too deeply"),
        (OverflowError("int too large to convert"), "a number that was given is too large"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_a_defect_beside_it_is_not_hidden(error, line):
    assert explain(error)[0].startswith(line)
    outer = Refused("a library failed")
    outer.__cause__ = error
    assert explain(outer)[0].startswith(line)
    defect = KeyError("while handling it")
    defect.__context__ = error
    assert explain(defect) == []


def test_what_is_said_steers_no_terminal(capsys):
    assert run_command(failing(InputError("name", "\x1b]0;owned\x07", "letters"))) == 2
    say("title \x1b[2J\u202e")
    say_lines(["one", "two\nforged"])
    say_json('{"name": "\x9b"}')
    summary_table("t", ("name",), [["\x1b[31mred"]])
    with ConsoleProgress("edit") as progress:
        progress.update(1, 1, "\x1b[2J")
    shown = capsys.readouterr()
    assert not any(map(is_steering, (shown.out + shown.err).replace("\n", "")))
    assert "\\x1b]0;owned\\x07" in shown.err
    assert "two\\nforged\n" in shown.out


def test_a_full_database_is_explained():
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("pragma max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as caught:
        database.execute("create table t (x)")
    database.close()
    assert explain(caught.value)[0].startswith("disk full")


def test_ctrl_c_inside_a_typer_application_says_how_to_resume(capsys):
    app = typer.Typer()
    app.command()(failing(KeyboardInterrupt()))
    assert run_command(lambda: app([])) == 130
    assert capsys.readouterr().err == "stopped; run the same command again to resume\n"


def test_sigterm_unwinds_the_stack():
    code = (
        "import os, signal, sys\n"
        "from flows.reporting.console import run_command\n"
        "def command():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        signal.pause()\n"
        "    finally:\n"
        "        print('let go')\n"
        "sys.exit(run_command(command))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "let go\n", "")


def test_progress_in_a_log_is_a_line_now_and_then(capsys):
    with ConsoleProgress("train") as progress:
        for done in range(1, 1001):
            progress.update(done, 1000, f"loss {1 / done:.3f}")
    assert capsys.readouterr().err == "train: 1/1000 loss 1.000\ntrain: 1000/1000 loss 0.001\n"


def test_a_table_shows_every_cell_whole(capsys):
    digest = "0123456789abcdef" * 4
    summary_table("steps", ("step", "digest"), [("ingest", digest), ("fit", 3)], {"fit": "red"})
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("steps", "digest", "ingest", digest, "3"))


def test_importing_the_console_is_quick():
    slow = {"rich", "pydantic", "typer", "prefect", "torch"}
    code = f"import sys, flows.reporting.console; print(sorted({slow} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

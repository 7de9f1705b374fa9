"""A command's output for people: tables, progress and one-line errors."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from models.errors import InputError, PackshotError
from tasks.outlets.terminal import show, show_json

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    import pydantic
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from typing_extensions import TypeIs

EXIT_ERROR = 1
EXIT_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
LINE_SECONDS = 5.0
PIPED_WIDTH = 160
LONGEST = 200
TOO_MUCH = {
    RecursionError: "what was given is nested too deeply",
    OverflowError: "a number that was given is too large",
    MemoryError: "not enough memory: end other programs, or give a smaller picture or batch",
}
"""What is said of a value that no check of ours refused before."""


def run_command(command: Callable[[], object]) -> int:
    """Call `command` and return the process's exit code; errors meant for people become lines on stderr.

    The codes are 0 (done), 1 (a PackshotError), 2 (a value that a person gave), 130 (Ctrl-C) and 143 (SIGTERM, which
    unwinds the stack as Ctrl-C does, so that servers are stopped and locks let go). An int that `command` returns, or
    the code of its SystemExit, is kept.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _exit_code(command)
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except Exception as error:
        lines = explain(error)
        if not lines:
            raise
        for line in lines:
            print_error(line)
        return EXIT_INPUT if _is_input(error) else EXIT_ERROR
    if code == EXIT_INTERRUPTED:
        print_error("stopped; run the same command again to resume", prefix="")
    return code


def _exit_code(command: Callable[[], object]) -> int:
    """The code that `command` asks for; Typer's applications end with SystemExit, 130 after Ctrl-C."""
    try:
        result = command()
    except SystemExit as ended:
        result = ended.code
        if isinstance(result, str):
            print_error(result)
            return EXIT_ERROR
    return result if isinstance(result, int) else 0


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(EXIT_TERMINATED)


def explain(error: Exception) -> list[str]:
    """The lines that explain `error` to a person; none when it is a defect of ours and its traceback is wanted."""
    if isinstance(error, PackshotError):
        return [" ".join(str(error).split())]
    if _is_validation(error):
        from tasks.workspace.wording import input_errors

        return [str(problem) for problem in input_errors(error)]
    lines = (*map(_explain_disk, _chain(error)), *map(_explain_value, _causes(error)))
    return [line for line in lines if line][:1]


def _is_validation(error: Exception) -> TypeIs[pydantic.ValidationError]:
    from pydantic import ValidationError

    return isinstance(error, ValidationError)


def _is_input(error: Exception) -> bool:
    return isinstance(error, InputError) or _is_validation(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _explain_disk(error: BaseException) -> str:
    """The line for a full disk, whether the system or SQLite met it; "" for anything else."""
    import sqlite3

    from tasks.workspace.storage import explain_os_error

    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        error = OSError(errno.ENOSPC, "the database's disk is full")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return str(explain_os_error(error, Path(error.filename or Path.cwd())))
    return ""


def _explain_value(error: BaseException) -> str:
    """The line for a file, a name or a size that the system refuses; "" for a defect of ours."""
    if isinstance(error, OSError) and error.filename:
        return f"cannot use {_cut(os.fsdecode(error.filename))}: {error.strerror}"
    if isinstance(error, UnicodeEncodeError):
        return f"a name or value: got {_cut(ascii(error.object))}, allowed: text that can be written as UTF-8"
    if isinstance(error, ValueError) and "null byte" in str(error):
        return "a name: got one with a null byte, allowed: names of files"
    return next((line for kind, line in TOO_MUCH.items() if isinstance(error, kind)), "")


def _cut(text: str) -> str:
    """The beginning and the end of a long name."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 2 :]}"


def print_error(line: str, prefix: str = "error: ") -> None:
    """Print one line in red on stderr, whole, however narrow the terminal."""
    from rich.text import Text

    terminal(stderr=True).print(Text(prefix + show(line), style="red"), soft_wrap=True)


def warn(text: str) -> None:
    """Write lines to stderr as they are, made safe for a terminal."""
    sys.stderr.write(show(text, keep="\n"))


def terminal(stderr: bool = False) -> Console:
    """A rich console; wide when its output is not a terminal, so that tables in a log are not cut."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else PIPED_WIDTH)


def summary_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], colours: Mapping[str, str] | None = None
) -> None:
    """Print a table on stdout; a cell whose text is a key of `colours` gets that colour (`{"fail": "red"}`)."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(show(str(cell), keep="\n"), style=(colours or {}).get(str(cell), "")) for cell in row))
    terminal().print(table)


class ConsoleProgress:
    """A tasks.workspace.progress.Progress on stderr: a bar on a terminal, else a line at most every five seconds."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last_line = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that `done` of `total` units are finished."""
        if not sys.stderr.isatty():
            self._print_line(done, total, note)
            return
        if self._bar is None:
            self._bar, self._task = _bar(self.label)
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, note=show(note))
        if done >= total:
            self.close()

    def close(self) -> None:
        """Leave the bar as it is on the terminal; a later update begins a new one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _print_line(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if done < total and now - self._last_line < LINE_SECONDS:
            return
        self._last_line = now
        terminal(stderr=True).print(show(f"{self.label}: {done}/{total} {note}".rstrip()), soft_wrap=True, markup=False)


def _bar(label: str) -> tuple[Progress, TaskID]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    bar = Progress(*columns, console=terminal(stderr=True))
    bar.start()
    return bar, bar.add_task(label, total=None, note="")


def say(text: str) -> None:
    """Print one line on stdout, whole."""
    say_lines([text])


def say_lines(lines: Iterable[str]) -> None:
    """Print lines on stdout, each whole."""
    terminal().print("\n".join(map(show, lines)), soft_wrap=True, markup=False)


def say_json(document: str) -> None:
    """Print a JSON document on stdout."""
    sys.stdout.write(show_json(document) + "\n")

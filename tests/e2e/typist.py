"""Types commands one after the other in one process: reads a JSON list of lists, writes code and output of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TextIO

from flows.cli import demo
from flows.cli.app import main

demo.CATALOGUE = os.environ["DEMO_CATALOGUE"]  # the small one of the test, instead of 70,000 images


def type_command(words: list[str]) -> dict[str, object]:
    """Run one command to its end: ours in this process, for its imports take seconds, others by themselves."""
    if words[0] != "packshot":
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return {"code": done.returncode, "out": done.stdout, "err": done.stderr}
    code = 0
    sys.argv = [os.path.expanduser(word) for word in words]  # noqa: PTH111 - as a shell does, for text that is no path too
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, caught(sys.stdout, out), caught(sys.stderr, err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return {"code": code, "out": read(sys.stdout, out), "err": read(sys.stderr, err)}


@contextmanager
def caught(stream: TextIO, file: IO[str]) -> Iterator[None]:
    """Send what this process and those that it starts write to `stream` to a file."""
    stream.flush()
    before = os.dup(stream.fileno())
    os.dup2(file.fileno(), stream.fileno())
    try:
        yield
    finally:
        stream.flush()
        os.dup2(before, stream.fileno())
        os.close(before)


def read(stream: TextIO, file: IO[str]) -> str:
    """All that was written to a caught stream."""
    stream.flush()
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    json.dump([type_command(words) for words in json.load(sys.stdin)], sys.stdout)

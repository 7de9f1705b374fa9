"""`packshot` as it is typed, run in this process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flows.cli.app import main

Packshot = Callable[..., tuple[int, str, str]]
"""Runs `packshot ARGUMENTS`; gives its exit code, standard output and error."""


@contextmanager
def terminal(capsys: pytest.CaptureFixture[str], *before: str, **environment: object) -> Iterator[Packshot]:
    """A terminal in which `PACKSHOT_NAME` is set for each `NAME`; `before` comes before what is typed.

    The environment and the handler of SIGTERM, which commands change, are put back afterwards.
    """
    terminate, outside = signal.getsignal(signal.SIGTERM), dict(os.environ)
    ours = {"OFFLINE": "true", **environment}
    with pytest.MonkeyPatch.context() as patch:
        os.environ.update({f"PACKSHOT_{name}": str(value) for name, value in ours.items()})

        def run(*arguments: object) -> tuple[int, str, str]:
            patch.setattr(sys, "argv", ["packshot", *before, *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
            output = capsys.readouterr()
            return int(ended.value.code or 0), output.out, output.err

        yield run
    os.environ.clear()
    os.environ.update(outside)
    signal.signal(signal.SIGTERM, terminate)

"""Types commands one after the other in one process: reads a JSON list of lists, writes code and output of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from flows.cli import demo
from flows.cli.app import main

demo.CATALOGUE = os.environ["DEMO_CATALOGUE"]  # the small one of the test, instead of 70,000 images


def type_command(words: list[str]) -> dict[str, object]:
    """Run one command to its end: ours in this process, for its imports take seconds, others by themselves."""
    if words[0] != "packshot":
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return {"code": done.returncode, "out": done.stdout, "err": done.stderr}
    out, err, code = StringIO(), StringIO(), 0
    sys.argv = [os.path.expanduser(word) for word in words]  # noqa: PTH111 - as a shell does, for text that is no path too
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    json.dump([type_command(words) for words in json.load(sys.stdin)], sys.stdout)

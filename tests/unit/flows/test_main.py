"""`python -m flows` is the command `packshot`."""

import subprocess
import sys
from pathlib import Path


def test_it_answers_as_packshot_does():
    packshot = Path(sys.executable).with_name("packshot")
    answers = [
        subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
        for command in ([sys.executable, "-m", "flows"], [str(packshot)])
    ]
    assert answers[0] == answers[1].replace("Usage: packshot", "Usage: python -m flows", 1)
    assert "train" in answers[0]


def test_it_exits_as_packshot_does():
    refused = subprocess.run(
        [sys.executable, "-m", "flows", "train", "gan"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("error: family: got 'gan', allowed: one of dcgan")

"""`packshot dvc`: DVC's own commands, with the state of this home."""

import os
import subprocess
import sys

import pytest

from flows.cli.versioning import run_dvc
from models.errors import InputError
from tasks.workspace.settings import SOURCE
from tests.catalogues import make_checkout


def test_dvc_runs_in_the_checkout_with_its_state_in_a_private_home(tmp_path):
    assert run_dvc.__doc__
    settings = make_checkout(tmp_path / "checkout")
    environment = {**os.environ, **settings.variables(), "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "flows", "dvc", "doctor"]
    before = os.umask(0)
    try:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert f"Repo.site_cache_dir: {settings.home / 'dvc-state' / 'repo'}" in done.stdout
    assert {path.stat().st_mode & 0o777 for path in (settings.home, settings.dvc_state)} == {0o700}


@pytest.mark.parametrize("arguments", [["checkout"], ["-q", "pull", "data.dvc"]])
def test_what_would_write_where_a_remote_says_is_refused(arguments):
    with pytest.raises(InputError, match=r"^dvc: got .*`packshot data fetch NAME`"):
        run_dvc(arguments)

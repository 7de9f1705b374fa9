"""`packshot --help` answers at once: nothing that computes is imported before a command needs it."""

import subprocess
import sys

HEAVY = ("numpy", "PIL", "cv2", "pydantic", "yaml", "torch", "mlflow", "prefect", "pandas", "dvc", "scipy")


def test_the_command_line_imports_nothing_heavy_to_list_its_commands():
    code = f"import sys\nimport flows.cli.app\nprint([name for name in {HEAVY!r} if name in sys.modules])\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

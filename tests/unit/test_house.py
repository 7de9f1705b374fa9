"""The house's rules that no tool checks: one-way imports, names, sizes, and a folder `mlflow/` without Python."""

import ast
import importlib
import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from models import FAMILIES, load_family

CHECKOUT = Path(__file__).parent.parent.parent
PACKAGES = ("flows", "serving", "tasks", "models")
ALLOWED = {
    "flows": {"flows", "serving", "tasks", "models"},  # a serving flow is batch work with the engine of `serving`
    "serving": {"serving", "tasks", "models"},
    "tasks": {"tasks", "models"},
    "models": {"models"},
}
ORCHESTRATION = {"models": {"prefect", "mlflow", "dvc", "great_expectations"}, "tasks": {"prefect"}, "serving": set()}
MOST_LINES = 400


def modules(package):
    return sorted((CHECKOUT / package).rglob("*.py"))


def imported(path):
    """The top-level names that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module.partition(".")[0]


def test_the_reader_of_imports_sees_nested_ones(tmp_path):
    file = tmp_path / "example.py"
    file.write_text("import a.b\ndef f():\n    from c.d import e\n    if f: import g\n")
    assert set(imported(file)) == {"a", "c", "g"}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    banned = {*PACKAGES, "tests"} - ALLOWED[package] | ORCHESTRATION.get(package, set())
    wrong = [
        (str(path.relative_to(CHECKOUT)), name)
        for path in modules(package)
        for name in imported(path)
        if name in banned
    ]
    assert not wrong


def test_every_folder_of_ours_is_packed_into_a_wheel():
    setuptools = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]
    ours = {file.parent.relative_to(CHECKOUT) for package in PACKAGES for file in modules(package)}
    assert set(setuptools["packages"]) == {".".join(folder.parts) for folder in ours}


def test_the_folder_mlflow_holds_no_python():
    folder = CHECKOUT / "mlflow"
    assert folder.is_dir()
    assert not list(folder.rglob("*.py*"))


def test_the_installed_mlflow_is_what_is_imported():
    found = importlib.import_module("importlib.util").find_spec("mlflow")
    assert found is not None
    assert "site-packages" in str(found.origin)


def test_no_package_has_the_name_of_an_installed_one():
    others = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert set(others.get(package, ["packshot"])) == {"packshot"}
        assert package not in sys.stdlib_module_names


def test_no_module_has_the_name_of_another_package():
    taken = {*importlib.metadata.packages_distributions(), *sys.stdlib_module_names}
    # Files run by path, as Prefect runs an entrypoint, have their own folder on sys.path.
    clashes = [str(path.relative_to(CHECKOUT)) for path in modules("flows") if path.stem in taken - {"__init__"}]
    assert not clashes


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package):
    long = {path.name: lines for path in modules(package) if (lines := len(path.read_text().splitlines())) > MOST_LINES}
    assert not long


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_in_one_sentence_what_it_is(package):
    for path in modules(package):
        text = ast.get_docstring(ast.parse(path.read_text()))
        assert text, f"{path} has no docstring"
        assert text.partition("\n")[0].rstrip().endswith((".", ":")), f"{path}: the first line is no sentence"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_loads_and_has_parameters(family):
    recipes = yaml.safe_load((CHECKOUT / "params.yaml").read_text())["families"]
    assert recipes[family]["family"] == family
    assert load_family(family) is not None


def test_every_parameter_block_belongs_to_a_family():
    recipes = yaml.safe_load((CHECKOUT / "params.yaml").read_text())["families"]
    assert {recipe["family"] for recipe in recipes.values()} <= set(FAMILIES)

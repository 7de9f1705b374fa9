"""The house's rules that no linter checks: names, sizes, packaging, and a folder `mlflow/` without Python."""

import ast
import importlib
import importlib.metadata
import sys
import tomllib
from collections import Counter

import pytest
from setuptools import find_packages

from tasks.workspace.settings import SOURCE

CHECKOUT = SOURCE
PACKAGES = ("flows", "serving", "tasks", "models")
MOST_LINES = 300
MOST_FILES = 13


def modules(package):
    return sorted((CHECKOUT / package).rglob("*.py"))


def test_every_folder_of_ours_is_packed_into_a_wheel():
    found = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    ours = {file.parent.relative_to(CHECKOUT) for package in PACKAGES for file in modules(package)}
    assert set(find_packages(str(CHECKOUT), **found)) == {".".join(folder.parts) for folder in ours}


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
def test_rooms_are_small(package):
    rooms = Counter(path.parent for path in modules(package) if path.stem != "__init__")
    assert {str(room): files for room, files in rooms.items() if files > MOST_FILES} == {}


def test_relative_imports_are_not_used():
    files = [path for package in PACKAGES for path in modules(package)]
    trees = ((path, node) for path in files for node in ast.walk(ast.parse(path.read_text())))
    assert not [path for path, node in trees if isinstance(node, ast.ImportFrom) and node.level]


def imported_modules(path):
    """The modules that a file imports, wherever in it, or names as `python -m` takes them.

    `from a import b` may mean `a` or `a.b`.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_reader_of_imports_sees_nested_ones_and_modules_of_a_package(tmp_path):
    file = tmp_path / "example.py"
    file.write_text("import a.b\ndef f():\n    from c.d import e\n    if f: import g as h\n    run('-m', 'i.j')\n")
    assert set(imported_modules(file)) == {"a.b", "c.d", "c.d.e", "g", "-m", "i.j"}


def test_every_module_is_imported_by_a_test():
    reached = {name for file in (CHECKOUT / "tests").rglob("*.py") for name in imported_modules(file)}
    known = {".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for one in PACKAGES for path in modules(one)}
    # A package stands for what it hands on: who imports `flows.steps` has its steps.
    rooms = {name.removesuffix(".__init__") for name in known if name.endswith(".__init__")}
    for room in rooms & reached:
        reached |= set(imported_modules(CHECKOUT / room.replace(".", "/") / "__init__.py"))
    assert sorted(name for name in known - reached if not name.endswith("__")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_unit_tests_mirror_the_rooms(package):
    """`test_X.py` tests the module `X` in the same room, or what all of the room `X` has to hold."""
    files = (CHECKOUT / "tests" / "unit" / package).rglob("test_*.py")
    strays = []
    for file in files:
        room, name = file.relative_to(CHECKOUT / "tests" / "unit").parent, file.stem.removeprefix("test_")
        modules_of = [CHECKOUT / room / f"{form}.py" for form in (name, f"__{name}__")]
        if not any(path.is_file() for path in modules_of) and name != room.name:
            strays.append(str(file.relative_to(CHECKOUT)))
    assert strays == []


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


WRITERS = {"tasks/photos/writing.py"}
"""Who turns pixels into a file; each function of it takes the record of their making."""


def image_writes(path):
    """Lines that save an image: OpenCV's writers, and `x.save(...)` where images are at hand, but numpy's."""
    text = path.read_text()
    if not any(source in text for source in ("PIL", "cv2", "tasks.photos")):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            if node.func.attr in ("imwrite", "imencode") or (node.func.attr == "save" and owner not in ("np", "torch")):
                yield node.lineno


@pytest.mark.parametrize("package", ["flows", "serving", "tasks"])
def test_no_image_is_written_without_its_record(package):
    found = {str(path.relative_to(CHECKOUT)) for path in modules(package) if list(image_writes(path))}
    assert found == (WRITERS if package == "tasks" else set())

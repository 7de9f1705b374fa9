"""An operation is a file: found, loaded, and refused where it does not say what it must."""

import subprocess
import sys

import pytest
from pydantic import TypeAdapter

import tasks.operations
from models.errors import InputError
from tasks.editing import parsing
from tasks.editing.parsing import parse_operation
from tasks.operations.contract.discovery import list_operations, load_operation

SEPIA = '''
"""Sepia: brown as old photographs are."""
from typing import ClassVar, Literal
from tasks.operations.contract.operation import Operation
class Sepia(Operation):
    """Brown."""
    title: ClassVar[str] = "As old photographs are"
    may_alter_product: ClassVar[bool] = True
    marking: ClassVar[str] = "none"
    value_field: ClassVar[str] = "strength"
    op: Literal["sepia"] = "sepia"
    strength: float = 1.0
    def apply(self, picture, context):
        return picture
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of operations beside our own."""
    monkeypatch.setattr(tasks.operations, "__path__", [*tasks.operations.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("tasks.operations."):
            del sys.modules[name]
            vars(tasks.operations).pop(name.rpartition(".")[2], None)


def test_a_file_is_an_operation_everywhere(folder):
    ours = list_operations()
    (folder / "sepia.py").write_text(SEPIA)
    (folder / "shelf").mkdir()
    (folder / "shelf" / "__init__.py").write_text("")
    assert list_operations() == sorted([*ours, "sepia"])
    assert parse_operation("sepia:0.5").strength == 0.5
    listed = TypeAdapter(parsing.Operations).json_schema()
    assert "Sepia" in listed["$defs"]
    with pytest.raises(InputError, match=r"op: got 'nope', allowed: one of .*, sepia, "):
        load_operation("nope")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('    title: ClassVar[str] = "As old photographs are"\n', "", "Sepia.title: got None, allowed: a valid string"),
        ("    may_alter_product: ClassVar[bool] = True\n", "", "Sepia.may_alter_product: got None, allowed: a valid b"),
        ('    marking: ClassVar[str] = "none"\n', "", "Sepia.marking: got None, allowed: 'none', 'compositeWith"),
        ('ClassVar[str] = "none"', 'ClassVar[str] = "some"', "Sepia.marking: got 'some', allowed: 'none', 'composite"),
        ("class Sepia(Operation)", "class Sepia", r"sepia.py: got 0 subclasses of Operation, allowed: one"),
        ('op: Literal["sepia"] = "sepia"', 'op: Literal["brown"] = "brown"', "Sepia.op: got 'brown', allowed: 'sepia'"),
    ],
)
def test_what_a_file_leaves_out_is_named(folder, old, new, said):
    assert old in SEPIA
    (folder / "sepia.py").write_text(SEPIA.replace(old, new))
    with pytest.raises(TypeError, match=said):
        load_operation("sepia")


def test_listing_imports_no_operation_and_operations_no_heavy_package():
    code = (
        "import sys\nfrom tasks.operations.contract.discovery import list_operations, load_operation\n"
        "names = list_operations()\n"
        "print([name for name in names if f'tasks.operations.{name}' in sys.modules])\n"
        "for name in names:\n    load_operation(name)\n"
        "print(sorted({'torch', 'mlflow', 'prefect', 'pandas', 'dvc', 'onnxruntime'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"

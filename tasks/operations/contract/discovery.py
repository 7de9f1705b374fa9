"""The operations that there are: every file of `tasks/operations/` is one, called by the file's name."""

from __future__ import annotations

import importlib
import pkgutil

import tasks.operations
from models.errors import InputError
from tasks.operations.contract.operation import Operation


def list_operations() -> list[str]:
    """The names of all operations, sorted; none of them is imported."""
    return sorted(found.name for found in pkgutil.iter_modules(tasks.operations.__path__) if not found.ispkg)


def load_operation(name: str) -> type[Operation]:
    """The class of the operation called `name`.

    Raises:
        InputError: there is no operation of that name; the message lists those there are.
        TypeError: the file does not define exactly one operation, or one of another name.
    """
    if name not in (names := list_operations()):
        raise InputError("op", name, names)
    module = importlib.import_module(f"{tasks.operations.__name__}.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Operation) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__file__}: got {len(found)} subclasses of Operation, allowed: one, the operation")
    if (called := found[0].model_fields["op"].default) != name:
        raise TypeError(f"{found[0].__name__}.op: got {called!r}, allowed: {name!r}, the name of its file")
    return found[0]

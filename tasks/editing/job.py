"""What is done to photographs, and what of it is worked out once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from tasks.operations.contract.operation import Operation
from tasks.photos.formats import FileFormat
from tasks.photos.options import WriteOptions
from tasks.photos.reading import Icc
from tasks.workspace.code import digest_json
from tasks.workspace.storage import digest_file

FILES = ("mask", "style")
"""Parameters whose text may be a file's path."""


class EditJob(BaseModel):
    """What is done to each photograph, and how the result is written; equal jobs make equal bytes of equal inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operations: tuple[SerializeAsAny[Operation], ...]
    """Without any, the photograph is only written anew, which converts it."""
    form: FileFormat = "png"
    icc: Icc = "srgb"
    write: WriteOptions = WriteOptions()
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    measured: bool = True
    """Whether the change inside the product is measured, which takes longer than most operations."""
    overwrite: bool = False

    @property
    def suffix(self) -> str:
        """What the name of a result ends in."""
        return f".{self.form}"

    @property
    def written(self) -> dict[str, Any]:
        """How results are written, as their records state it."""
        return {"format": self.form, "icc": self.icc, **self.write.model_dump()}

    def plan(self) -> Plan:
        """The job together with everything that is computed once for all photographs.

        Raises:
            InputError: a mask does not exist.
        """
        named = [found for one in self.operations for found in _files_in(one.model_dump(mode="json", exclude={"op"}))]
        digests = {(file.role, file.path): file.sha256 for file in named}
        parameters = tuple(
            _with_digests(one.model_dump(mode="json", exclude={"op"}), digests) for one in self.operations
        )
        return Plan(
            self,
            parameters,
            tuple(named),
            digest_json([[one.op for one in self.operations], parameters, self.written, self.seed]),
        )


class NamedFile(NamedTuple):
    """A file that a parameter of an operation (its `role`) names."""

    role: str
    path: str
    sha256: str


class Plan(NamedTuple):
    """A job, its operations' parameters with each file by its SHA-256, and the digest of all that a result depends on.

    Apart from the digest, a result depends only on its input and on the versions of the networks.
    """

    job: EditJob
    parameters: tuple[dict[str, Any], ...]
    files: tuple[NamedFile, ...]
    digest: str


def name_operation(operation: Operation) -> str:
    """The operation as `--op` takes it, with every parameter that differs from its default."""
    given = operation.model_dump(mode="json", exclude_defaults=True, exclude={"op"})
    value = getattr(operation, operation.value_field) if operation.value_field else None
    given.pop(operation.value_field or "", None)
    pairs = "".join(f",{name}={'...' if isinstance(one, (dict, list)) else one}" for name, one in given.items())
    return f"{operation.op}{'' if value is None else f':{value}'}{pairs}"


def _files_in(values: dict[str, Any]) -> Iterator[NamedFile]:
    """The files that an operation's parameters name, at any depth."""
    for role, value in values.items():
        if isinstance(value, dict):
            yield from _files_in(value)
        elif role in FILES and isinstance(value, str) and Path(value).is_file():
            yield NamedFile(role, value, digest_file(Path(value)))


def _with_digests(values: dict[str, Any], digests: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The parameters with each file by its SHA-256 instead of its path."""
    return {
        name: _with_digests(value, digests)
        if isinstance(value, dict)
        else f"sha256:{digests[name, value]}"
        if isinstance(value, str) and (name, value) in digests
        else value
        for name, value in values.items()
    }

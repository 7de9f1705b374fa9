"""A list of operations applied to one picture, with a record of each and of what it changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tasks.editing.changes import Change, FindProduct, Product, measure_change, outline_product
from tasks.editing.networks import Asked, RecordingNetworks
from tasks.operations.contract.operation import EditContext, Operation
from tasks.photos.picture import Picture
from tasks.provenance.edited import UsedNetwork
from tasks.provenance.source_type import Marking


class AppliedOperation(BaseModel):
    """One operation that ran. `change` is what this step alone changed; `seconds` exclude that measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    parameters: dict[str, Any]
    may_alter_product: bool
    marking: Marking
    networks: tuple[UsedNetwork, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float
    change: Change | None


class Edited(NamedTuple):
    """The result of an edit; `change` is what all steps together changed, None where it was not measured."""

    picture: Picture
    steps: tuple[AppliedOperation, ...]
    change: Change | None
    asked: tuple[Asked, ...] = ()
    """What was asked of the networks, each thing once."""

    @property
    def may_alter_product(self) -> bool:
        """Whether any operation that ran may show a buyer a different product."""
        return any(step.may_alter_product for step in self.steps)


def apply_edit(
    picture: Picture,
    operations: Sequence[Operation],
    context: EditContext,
    find_product: FindProduct | None = None,
    measured: bool = True,
) -> Edited:
    """Apply `operations` to `picture`, one after another.

    Args:
        picture: the original.
        operations: what to do, in order; a region is in the pixels of the picture that its operation receives.
        context: where networks are found, and the seed.
        find_product: outlines the product whose change is measured; `models.imaging.cutout.matte`'s when None.
        measured: False skips the measurements, which take about a second for a large picture.

    Raises:
        InputError: an operation does not fit the picture.
        RegistryError: a network that an operation needs is not registered.
    """
    product = outline_product(picture, find_product or _load_finder()) if measured else None
    current, steps, asked = picture, list[AppliedOperation](), dict[Asked, None]()
    for operation in operations:
        recording = RecordingNetworks(context.networks)
        started = time.perf_counter()
        after = operation.apply(current, context._replace(networks=recording))
        seconds = time.perf_counter() - started
        steps.append(
            AppliedOperation(
                op=operation.op,
                parameters=operation.model_dump(mode="json", exclude={"op"}),
                may_alter_product=operation.may_alter_product,
                marking=operation.mark(by_network=bool(recording.used)),
                networks=recording.used,
                notes=after.notes[len(current.notes) :],
                seconds=round(seconds, 3),
                change=measure_change(current, after, product) if measured else None,
            )
        )
        asked.update(dict.fromkeys(recording.asked))
        current = after
    return Edited(current, tuple(steps), _sum_up(picture, current, steps, product, measured), tuple(asked))


def _sum_up(
    picture: Picture, current: Picture, steps: Sequence[AppliedOperation], product: Product | None, measured: bool
) -> Change | None:
    if not measured:
        return None
    return steps[0].change if len(steps) == 1 else measure_change(picture, current, product)


def _load_finder() -> FindProduct:
    from models.imaging.cutout.matte import find_product

    return find_product

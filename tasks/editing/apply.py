"""A list of operations applied to one picture, with what each was and what it changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tasks.editing.changes import Change, FindProduct, Product, measure_change, outline_product
from tasks.operations.contract.operation import EditContext, Network, Networks, Operation
from tasks.photos.picture import Picture
from tasks.provenance.edited import UsedNetwork


class AppliedOperation(BaseModel):
    """One operation that ran. `change` is what this step alone changed; `seconds` are without that measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: str
    parameters: dict[str, Any]
    may_alter_product: bool
    networks: tuple[UsedNetwork, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float
    change: Change | None


class Edited(NamedTuple):
    """The result of an edit; `change` is what all steps together changed, None where it was not measured."""

    picture: Picture
    steps: tuple[AppliedOperation, ...]
    change: Change | None

    @property
    def may_alter_product(self) -> bool:
        """Whether any of the operations that ran may show a buyer another product."""
        return any(step.may_alter_product for step in self.steps)


def apply_edit(
    picture: Picture,
    operations: Sequence[Operation],
    context: EditContext,
    find_product: FindProduct | None = None,
    measured: bool = True,
) -> Edited:
    """`picture` after `operations`, one after another.

    Args:
        picture: the original.
        operations: what to do, in order; a region is in the pixels of the picture that its operation receives.
        surroundings: where networks are found, and the seed.
        find_product: outlines the product whose change is measured; `models.imaging.cutout.matte`'s when None.
        measured: False leaves the measurements out, which take about a second for a large picture.

    Raises:
        InputError: an operation does not fit the picture.
        RegistryError: a network that an operation needs is not registered.
    """
    product = outline_product(picture, find_product or _load_finder()) if measured else None
    current, steps = picture, list[AppliedOperation]()
    for operation in operations:
        witness = Witness(context.networks)
        started = time.perf_counter()
        after = operation.apply(current, context._replace(networks=witness))
        seconds = time.perf_counter() - started
        steps.append(
            AppliedOperation(
                op=operation.op,
                parameters=operation.model_dump(mode="json", exclude={"op"}),
                may_alter_product=operation.may_alter_product,
                networks=tuple(witness.used),
                notes=after.notes[len(current.notes) :],
                seconds=round(seconds, 3),
                change=measure_change(current, after, product) if measured else None,
            )
        )
        current = after
    return Edited(current, tuple(steps), _sum_up(picture, current, steps, product, measured))


class Witness:
    """A toolbox that notes which networks were asked for."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.used: list[UsedNetwork] = []

    def network(self, slot: str, family: str | None = None) -> Network:
        """What the toolbox gives, noted once.

        Raises:
            RegistryError: there is none.
        """
        network = self._networks.network(slot, family)
        used = UsedNetwork(slot=network.slot, version=network.version, family=network.family)
        if used not in self.used:
            self.used.append(used)
        return network


def _sum_up(
    picture: Picture, current: Picture, steps: Sequence[AppliedOperation], product: Product | None, measured: bool
) -> Change | None:
    if not measured:
        return None
    return steps[0].change if len(steps) == 1 else measure_change(picture, current, product)


def _load_finder() -> FindProduct:
    from models.imaging.cutout.matte import find_product

    return find_product

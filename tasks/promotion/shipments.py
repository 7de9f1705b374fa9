"""Weights shipped with Packshot: each is registered once as a version of its slot, and serves until beaten."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import RegistryError
from tasks.lineage.index import Derivation, Lineage, Parent, _origin
from tasks.lineage.trace import Node
from tasks.workspace.code import digest_json
from tasks.workspace.settings import SOURCE, TrackingPlace
from tasks.workspace.storage import digest_file, locked, write_atomically

SHIPPED = SOURCE / "models" / "weights"
RULERS = "ruler-"
"""Prefix of cards of rulers, which are looked up by name and need no slot."""
LOCK_SECONDS = 600.0
Plain = str | int | float | bool | None
Metric = Annotated[str, Field(pattern=r"^[\w. :/-]+$", description="a name that MLflow takes for a metric")]


class TrainedOn(BaseModel):
    """One set of images that the weights were made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="such as `kodak`")
    images: int = Field(ge=1)
    digest: str = Field(min_length=32, description="DVC's md5 of the folder, or another digest of its bytes")
    licence: str
    use: str = Field(default="training", description="training or validation, and how it was prepared")


class ShippedCard(BaseModel):
    """`NAME.json` beside `NAME.onnx` in `models/weights`: what the weights are and where they come from.

    `NAME.safetensors`, the networks that a training may start from, may be there too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str = Field(pattern="^[a-z0-9-]+$", description="such as `upscale-x2`")
    family: str
    champion: bool = Field(default=True, description="the one of the slot's families that serves at first")
    what: str = Field(description="one sentence: what it does")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="of the ONNX file")
    git_commit: str = Field(default="", description="of the training")
    data: tuple[TrainedOn, ...] = Field(min_length=1)
    recipe: dict[str, Plain] = {}
    figures: dict[Metric, float] = Field(min_length=1, description="measured on held-out photographs")
    protocol: str = Field(description="how the figures were measured, and on what")
    limits: str = Field(description="what not to expect of it")

    def to_markdown(self) -> str:
        """The model card that the registry shows."""
        figures = "\n".join(f"| {name.replace('_', ' ')} | {value:.4g} |" for name, value in self.figures.items())
        data = "\n".join(
            f"- `{one.name}`, {one.images:,} images, {one.use}; licence: {one.licence}; digest `{one.digest}`"
            for one in self.data
        )
        recipe = ", ".join(f"`{name}` {value}" for name, value in sorted(self.recipe.items())) or "not stated"
        sections = (
            f"# {self.family} for `{self.slot}`",
            f"{self.what} {ships()}.",
            f"**Data**\n\n{data}",
            f"| figure | value |\n|---|---|\n{figures}",
            f"**Protocol**: {self.protocol}",
            f"**Limits**: {self.limits}",
            f"**Recipe**: {recipe}.",
        )
        return "\n\n".join(sections) + "\n"


class Shipment(BaseModel):
    """A card, and the files beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: ShippedCard
    onnx: Path
    weights: Path | None = None


class Arrival(BaseModel):
    """A version registered from shipped weights; `promoted` when that made it the slot's champion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: str
    version: int
    family: str
    promoted: bool


def ships() -> str:
    """Who made the weights, as cards, tags and the ledger state it."""
    return f"Shipped with packshot {installed_version('packshot')}"


def list_shipments(folder: Path = SHIPPED) -> list[Shipment]:
    """The editing weights in `folder`, each slot's first champion before its other families.

    Raises:
        RegistryError: a card is not one, or its ONNX file is missing or has other bytes than the card says.
    """
    cards = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(RULERS)]
    found = [read_shipment(path) for path in cards]
    return sorted(found, key=lambda one: (one.card.slot, not one.card.champion, one.card.family))


def read_shipment(path: Path) -> Shipment:
    """The shipment whose card is at `path`; see `list_shipments`."""
    try:
        card = ShippedCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "text"
        raise RegistryError(f"the card {path} of shipped weights is not one: {where}: {problem['msg']}") from error
    onnx, weights = path.with_suffix(".onnx"), path.with_suffix(".safetensors")
    if not onnx.is_file() or digest_file(onnx) != card.sha256:
        raise RegistryError(f"{onnx} does not have the bytes that its card names; install packshot again")
    return Shipment(card=card, onnx=onnx, weights=weights if weights.is_file() else None)


def register_shipped(settings: TrackingPlace, slot: str | None = None, folder: Path = SHIPPED) -> list[Arrival]:
    """Register the shipped weights (only those of `slot` when given) that are not registered yet; returns the new ones.

    The first of a slot becomes its champion if there is none. What was registered before is recognised by its
    bytes, and a note in the home folder avoids looking every time.

    Raises:
        RegistryError: a shipped file is damaged.
        ServiceError: MLflow cannot be reached.
    """
    shipments = [one for one in list_shipments(folder) if slot in (None, one.card.slot)]
    done = _note(settings.home, shipments)
    if not shipments or done.exists():
        return []
    with locked(settings.home / "locks" / "shipped.lock", LOCK_SECONDS, "registering the shipped weights"):
        if done.exists():
            return []
        arrivals = [made for one in shipments if (made := _enter(settings, one)) is not None]
        write_atomically(done, json.dumps([arrival.model_dump() for arrival in arrivals], indent=1).encode())
    return arrivals


def awaits_shipping(home: Path, folder: Path = SHIPPED) -> bool:
    """Whether any shipped weights may still have to be registered; cheap to ask."""
    shipments = list_shipments(folder)
    return bool(shipments) and not _note(home, shipments).exists()


def _note(home: Path, shipments: Sequence[Shipment]) -> Path:
    """The file that notes that these weights are in the registry in use."""
    registry = os.environ.get("MLFLOW_TRACKING_URI", "")  # "" is the home's own, wherever it stands
    key = digest_json([registry, [one.card.model_dump() for one in shipments]])
    return home / "shipped" / f"{key}.json"


def _enter(settings: TrackingPlace, shipment: Shipment) -> Arrival | None:
    """Register what is missing, and promote it when the slot has no champion."""
    from tasks.promotion.moves import ChampionMoved, make_champion

    card = shipment.card
    version = _known_version(settings, card)
    is_new = version is None
    if version is None:
        version = _register(settings, shipment)
    promoted = False
    if card.champion:
        try:
            why = f"{ships()[0].lower()}{ships()[1:]}"
            make_champion(settings, card.slot, version, who="packshot", why=why, figures=card.figures, over=None)
            promoted = True
        except ChampionMoved:  # the user's own training won the slot before; this one may be promoted by hand
            promoted = False
    arrival = Arrival(slot=card.slot, version=version, family=card.family, promoted=promoted)
    return arrival if is_new or promoted else None


def _known_version(settings: TrackingPlace, card: ShippedCard) -> int | None:
    """The version that the ledger knows to have the card's bytes."""
    from tasks.lineage.entries import find_witness
    from tasks.lineage.ledger import Ledger
    from tasks.registry.tracking import open_tracking
    from tasks.registry.versions import search_versions

    entries = Ledger(settings.home).entries()
    for version in search_versions(open_tracking(settings), card.slot):
        witness = find_witness(entries, card.slot, version.version)
        if witness is not None and witness.tags.get("onnx_sha256") == card.sha256:
            return version.version
    return None


def _register(settings: TrackingPlace, shipment: Shipment) -> int:
    from tasks.registry.register import register
    from tasks.registry.tracking import open_tracking

    card, tracking = shipment.card, open_tracking(settings)
    tags = {"source": ships(), "data": ", ".join(one.name for one in card.data), "git_commit": card.git_commit}
    run = tracking.start_or_resume_run("shipped", None, f"{card.slot}-{card.family}", tags, card.recipe)
    tracking.log_metrics(run, 0, card.figures)
    version = register(
        settings,
        run,
        card.slot,
        card.family,
        shipment.onnx,
        model_card=card.to_markdown(),
        tags=tags,
        weights=shipment.weights,
    )
    tracking.end_run(run)
    record_shipped(settings.home, card, version, run)
    return version


def record_shipped(home: Path, card: ShippedCard, version: int, run_id: str) -> None:
    """Record a version of shipped weights, the run that represents their training, and the data their card names."""
    run = Node("run", run_id, {"family": card.family, "training": "elsewhere; the card tells"})
    data = [
        Parent(Node("data", one.digest, {"catalogue": one.name, "images": one.images}), "trained on")
        for one in card.data
    ]
    node = Node("version", f"{card.slot}@{version}", {"family": card.family, "onnx_sha256": card.sha256})
    trained = Derivation(run, [*data, *_origin(card.git_commit, "")])
    Lineage(home).record_all([trained, Derivation(node, [Parent(run, "registered from")])])

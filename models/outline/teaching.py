"""Trains an outliner on composites made as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.arrays import Pixels
from models.outline.backdrops import KINDS
from models.outline.composites import compose
from models.outline.loss import outline_loss
from models.outline.network import Outliner

SHARES = (0.2, 0.25, 0.25, 0.3)
"""How often each kind of backdrop comes, in the order of KINDS."""


@dataclass(frozen=True)
class Lesson:
    """How long an outliner is trained, and how fast it learns."""

    updates: int
    batch: int = 8
    side: int = 224
    rate: float = 1e-3
    encoder_rate: float = 0.2
    seed: int = 0


def compose_batches(
    products: Sequence[Pixels], photos: Sequence[Pixels], lesson: Lesson, start: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Photos (N, 3, S, S) in [0, 1] and alphas (N, 1, S, S), from update `start` on; each is its number's alone."""
    for update in range(start, lesson.updates):
        chance = np.random.default_rng((lesson.seed, update))
        pairs = [
            compose(products, photos, chance.choice(KINDS, p=SHARES), lesson.side, chance) for _ in range(lesson.batch)
        ]
        images = torch.from_numpy(np.stack([photo for photo, _ in pairs])).permute(0, 3, 1, 2).float() / 255
        yield images, torch.from_numpy(np.stack([alpha for _, alpha in pairs]))[:, None]


def build_optimiser(network: Outliner, lesson: Lesson) -> torch.optim.Optimizer:
    """AdamW; the encoder learns more slowly than what is new."""
    encoder = [values for values in network.encoder.parameters() if values.requires_grad]
    known = {id(values) for values in encoder}
    fresh = [values for values in network.parameters() if values.requires_grad and id(values) not in known]
    groups = [{"params": encoder, "share": lesson.encoder_rate}, {"params": fresh, "share": 1.0}]
    return torch.optim.AdamW(groups, lr=lesson.rate, weight_decay=1e-4)


def set_rate(optimiser: torch.optim.Optimizer, lesson: Lesson, done: float) -> None:
    """Warms up for 4 % of the training, then falls as a cosine; `done` is in 0..1."""
    rate = lesson.rate * min(1.0, done / 0.04 + 0.05) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def teach(
    network: Outliner,
    batches: Iterator[tuple[Tensor, Tensor]],
    lesson: Lesson,
    progress: Callable[[int], float],
    report: Callable[[int, float, float], None],
    kept: Path | None = None,
    every: int = 100,
) -> None:
    """Trains in place until `progress` (of the update) reaches 1 or the batches end; resumes from `kept`.

    Raises:
        RuntimeError: `kept` is another network's.
    """
    optimiser, start = build_optimiser(network, lesson), 0
    if kept is not None and kept.exists():
        state = torch.load(kept, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        start = state["update"]
    for update, (photos, truth) in enumerate(batches, start):
        done = progress(update)
        if done >= 1:
            break
        set_rate(optimiser, lesson, done)
        logits, trust = network(photos)
        loss, reached = outline_loss(logits, trust, truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        report(update, loss.item(), reached.item())
        if kept is not None and (update + 1) % every == 0:
            save(network, optimiser, update + 1, kept)
    if kept is not None:
        torch.save(network.state_dict(), kept.with_suffix(".final.pt"))


def save(network: Outliner, optimiser: torch.optim.Optimizer, update: int, kept: Path) -> None:
    """Writes a checkpoint whole or not at all."""
    half = kept.with_suffix(".half")
    torch.save({"network": network.state_dict(), "optimiser": optimiser.state_dict(), "update": update}, half)
    half.replace(kept)

"""The one trainer of all gradient families: deterministic order, moving average, best checkpoint, exact resume."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from torch import Tensor

from models.arrays import Images, Labels
from models.errors import TrainingError
from models.families.augmentation import build_augmentation
from models.families.family import GradientFamily, Parts, penalise_weights
from models.files import write_whole
from models.pixels import to_planes, to_signed
from models.training.average import MovingAverage, copy_weights
from models.training.checkpoint import read_checkpoint, refusing_damage, write_checkpoint
from models.training.history import History, TrainingLog
from models.training.initial import freeze, name_tensors, write_networks
from models.training.speed import SpeedPlan
from models.training.validation import Validation, sample

LOG_EVERY = 50


class Best(NamedTuple):
    """All networks at the update where the validation figure was smallest, the generator as its average."""

    step: int
    value: float
    weights: dict[str, Tensor]


class Trained(NamedTuple):
    """What a finished training leaves in its folder."""

    generator: Path
    history: Path
    images: int
    steps: int
    best_step: int
    criterion: str
    best_value: float
    seconds: float


class Trainer:
    """Trains a family on uint8 images (N, H, W, C) and labels (N,) and keeps all it needs to resume in `folder`.

    It starts from the weights that the family has; those of the tensors called `frozen` stay as they are.

    Raises:
        TrainingError: there are fewer images than one batch takes.
    """

    def __init__(
        self,
        family: GradientFamily,
        images: Images,
        labels: Labels,
        folder: Path,
        plan: SpeedPlan,
        validation: Validation,
        log: TrainingLog,
        checkpoint_seconds: float = 30.0,
        frozen: Collection[str] = (),
    ) -> None:
        self.family, self.config = family, family.config
        if len(images) < self.config.batch_size:
            raise TrainingError(f"batch_size: got {self.config.batch_size}, allowed: at most {len(images)}, all images")
        self.images, self.labels = images, labels
        self.folder, self.validation, self.log = folder, validation, log
        self.checkpoint_seconds = checkpoint_seconds
        self.steps_per_epoch = len(images) // self.config.batch_size
        self.total = self.steps_per_epoch * self.config.epochs
        self.augment = build_augmentation(self.config.augment)
        self.memory_format = torch.channels_last if plan.memory_format == "channels_last" else torch.contiguous_format
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints the precision every time
        self.fabric = Fabric(accelerator="auto", devices=1, precision=plan.precision)
        self.held = freeze(family.networks, frozen)
        self.parts, self.optimisers = self._set_up()
        self.rates = {name: [group["lr"] for group in rule.param_groups] for name, rule in self.optimisers.items()}
        self.average = MovingAverage(family.generator, self.config.ema)
        self.gradient_norms: dict[str, Tensor] = {}
        self.step, self.seconds = 0, 0.0
        self.history = History(log, self.config.batch_size)
        self.best = Best(0, math.inf, {})

    def _set_up(self) -> tuple[Parts, dict[str, Any]]:
        networks, optimisers = {}, {}
        for name, network in self.family.networks.items():
            network.train().to(memory_format=self.memory_format)
            networks[name], optimisers[name] = self.fabric.setup(network, self.family.optimiser(name))
        for method in self.family.forward_methods:
            networks["generator"].mark_forward_method(method)
        return Parts(networks, self._update), optimisers

    def run(self) -> Trained:
        """Train to the end, from the last checkpoint in `folder` if there is one.

        Raises:
            TrainingError: a loss, a weight or the validation distance was not finite; the message names the update, and
                the last good checkpoint is kept.
        """
        self._resume()
        began = saved = time.monotonic()
        before, busy = self.seconds, [0.0]
        while self.step < self.total:
            started = time.monotonic()
            losses = self.advance()
            self._check(losses)
            busy.append(time.monotonic() - started)
            if self._logs(self.step):
                self._log_losses(losses, self.config.batch_size * (len(busy) - 1) / sum(busy))
                busy = [0.0]
            if self._evaluates(self.step):
                self._evaluate()
            self.seconds = before + time.monotonic() - began
            if time.monotonic() - saved > self.checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        self._save()
        return self._finish()

    def advance(self) -> dict[str, Tensor]:
        """One update of the networks and of the average; returns the losses."""
        for layer in self.held:
            layer.eval()
        epoch, index = divmod(self.step, self.steps_per_epoch)
        order = epoch_order(self.config.seed, epoch, len(self.images))
        rows = np.sort(order[index * self.config.batch_size : (index + 1) * self.config.batch_size])
        images = to_signed(self.augment(to_planes(self.images[rows])))
        images = images.to(self.fabric.device, memory_format=self.memory_format)
        done = self.step / self.total
        self._set_pace(self.family.pace(done))
        labels = torch.from_numpy(self.labels[rows]).to(self.fabric.device)
        losses = self.family.step(replace(self.parts, done=done), images, labels)
        self.average.follow(self.step)
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def _set_pace(self, pace: float) -> None:
        for name, optimiser in self.optimisers.items():
            for group, rate in zip(optimiser.param_groups, self.rates[name], strict=True):
                group["lr"] = rate * pace

    def _update(self, name: str, loss: Tensor) -> None:
        """One optimiser step of network `name`; gradients are computed for its weights alone, without frozen ones."""
        network, optimiser = self.family.networks[name], self.optimisers[name]
        learning = [weight for weight in network.parameters() if weight.requires_grad]
        if not learning:
            return
        optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss, inputs=learning)
        penalise_weights(network, self.config.l1, self.config.l2)
        if self._logs(self.step + 1):
            gradients = [weight.grad for weight in learning if weight.grad is not None]
            self.gradient_norms[f"gradient_norm_{name}"] = torch.nn.utils.get_total_norm(gradients)
        if math.isfinite(self.family.most_gradient):
            torch.nn.utils.clip_grad_norm_(learning, self.family.most_gradient)
        optimiser.step()

    def sample(self, count: int, seed: int) -> tuple[Images, Labels]:
        """Images of the averaged generator and the categories asked for, spread evenly; the same for the same seed."""
        with self.average.in_place() as generator:
            return sample(self.family, generator, count, seed)

    def _logs(self, step: int) -> bool:
        return step % LOG_EVERY == 0 or step == self.total

    def _evaluates(self, step: int) -> bool:
        """True `evaluations_per_epoch` times an epoch, evenly, the last time at its end."""
        share = self.config.evaluations_per_epoch
        return step * share // self.steps_per_epoch > (step - 1) * share // self.steps_per_epoch

    def _log_losses(self, losses: dict[str, Tensor], speed: float) -> None:
        figures = {name: float(value) for name, value in (losses | self.gradient_norms).items()}
        self.history.note(self.step, figures | {"images_per_second": speed})
        short = ", ".join(f"{name.removeprefix('loss_')} {float(value):.2f}" for name, value in losses.items())
        self.log.progress(self.step, self.total, f"{short}, {speed:.0f} images/s")

    def _evaluate(self) -> None:
        self._check(self._weights())
        name = self.validation.criterion(self.family)
        with self.average.in_place() as generator:
            value, images = self.validation.measure(self.family, generator, self.config.seed + 1)
        self._check({name: torch.tensor(value)})
        self.history.note(self.step, {name: value})
        self.log.samples(self.step, images)
        sought = self.family.keeps_from * self.total
        if value < self.best.value or self.best.step <= sought < self.step:
            self.best = Best(self.step, value, copy_weights(self.kept_weights()))

    def kept_weights(self) -> dict[str, Tensor]:
        """What is kept of the networks now, by `NETWORK.NAME`: the generator's average and the others' own weights."""
        averaged = {f"generator.{name}": value for name, value in self.average.weights.items()}
        return name_tensors(self.family.networks) | averaged

    def _check(self, values: dict[str, Tensor]) -> None:
        wrong = next((name for name, value in values.items() if not torch.isfinite(value).all()), None)
        if wrong is not None:
            raise TrainingError(
                f"{wrong} is not finite at update {self.step}; the last good checkpoint is kept in {self.folder}; "
                "lower learning_rate or change the seed"
            )

    def _weights(self) -> dict[str, Tensor]:
        networks = self.family.networks.items()
        return {f"{name}.{key}": value for name, network in networks for key, value in network.named_parameters()}

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _save(self) -> None:
        """Write the checkpoint, unless the last update left non-finite weights, from which nothing could resume."""
        self._check(self._weights())
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "networks": {name: network.state_dict() for name, network in self.family.networks.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "average": self.average.weights,
            "best": self.best._asdict(),
            "history": self.history.rows,
            "random": torch.get_rng_state(),
        }
        write_checkpoint(self._checkpoint, state)

    def _resume(self) -> None:
        """Load the checkpoint, or start from the seed."""
        if not self._checkpoint.exists():
            torch.manual_seed(self.config.seed)
            return
        state = read_checkpoint(self._checkpoint, self.fabric.device)
        with refusing_damage(self._checkpoint):
            for name, network in self.family.networks.items():
                network.load_state_dict(state["networks"][name])
                self.optimisers[name].load_state_dict(state["optimisers"][name])
            self.step, self.seconds, self.history.rows = state["step"], state["seconds"], state["history"]
            self.average.weights, self.best = state["average"], Best(**state["best"])
            torch.set_rng_state(state["random"].cpu())

    def _finish(self) -> Trained:
        weights, history = write_networks(self.folder, self.best.weights), self.folder / "history.csv"
        write_whole(history, self.history.to_csv().encode())
        criterion = self.validation.criterion(self.family)
        seen = self.step * self.config.batch_size
        return Trained(weights, history, seen, self.step, self.best.step, criterion, self.best.value, self.seconds)


@functools.lru_cache(maxsize=1)
def epoch_order(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """The order of `count` images in one epoch: each has its own, so that any update's batch can be found again."""
    order = np.random.default_rng((seed, epoch)).permutation(count)
    order.flags.writeable = False
    return order

"""The initial weights of a training: which layers are loaded, which start fresh, and which are frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from models.errors import InputError
from models.families.family import GradientFamily
from models.files import write_whole

GENERATOR_FILE = "generator.safetensors"
NETWORKS_FILE = "networks.safetensors"
GENERATOR = "generator."
MOST_LISTED = 8


class Start(NamedTuple):
    """What happened to each tensor of a family, by its name `NETWORK.NAME`."""

    taken: tuple[str, ...]
    fresh: tuple[str, ...]
    frozen: frozenset[str]

    @property
    def text(self) -> str:
        """How much was taken, which layers are fresh and how much stays as it is."""
        fresh = f", fresh: {', '.join(name_layers(self.fresh))}" if self.fresh else ""
        frozen = f", {len(self.frozen)} frozen" if self.frozen else ""
        return f"{len(self.taken)} of {len(self.taken) + len(self.fresh)} tensors taken{fresh}{frozen}"


def start_from(family: GradientFamily, path: Path) -> Start:
    """Load the weights in `path` into the family's networks, as its config's `fresh` and `freeze` say.

    Category layers of another shape start fresh by themselves: the weights were learned on another number of
    categories. What starts fresh keeps the weights that the seed gave it, and is never frozen.

    Raises:
        InputError: a layer is missing or of another shape (the message lists them with both shapes), a pattern matches
            nothing, nothing of the generator is left to train, or the file holds no weights.
    """
    config, source = family.config, str(family.config.init_from)
    here, saved = name_tensors(family.networks), read_networks(path, family.networks, source)
    unequal = {name for name in here.keys() | saved.keys() if _shape(here, name) != _shape(saved, name)}
    fresh = match("fresh", config.fresh, [*here, *(saved.keys() - here.keys())])
    fresh |= {name for name in unequal if _matches(name, family.category_layers)}
    _refuse_unequal(source, here, saved, [name for name in (here | saved) if name in unequal - fresh])
    taken = tuple(name for name in here if name not in fresh)
    frozen = frozenset(match("freeze", config.freeze, taken))
    left = [name for name, _ in family.generator.named_parameters() if f"{GENERATOR}{name}" not in frozen]
    if not left:
        raise InputError("freeze", list(config.freeze), "patterns that leave a layer of the generator to train")
    _load(family.networks, {name: saved[name] for name in taken})
    return Start(taken, tuple(name for name in here if name in fresh), frozen)


def name_tensors(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """All weights and statistics of the networks, by `NETWORK.NAME`."""
    return {f"{name}.{key}": value for name, network in networks.items() for key, value in network.state_dict().items()}


def match(field: str, patterns: Iterable[str], names: Collection[str]) -> set[str]:
    """Those of `names` that one of the `patterns` fits.

    Raises:
        InputError: a pattern fits none; the message names the parameter `field` and lists the layers.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InputError(field, pattern, "a pattern of these layers: " + ", ".join(name_layers(names)))
    return {name for name in names if _matches(name, patterns)}


def name_layers(names: Iterable[str]) -> list[str]:
    """The layers of the tensors called `names`, as patterns: "generator.body.0.*"."""
    return list(dict.fromkeys(f"{name.rpartition('.')[0]}.*" for name in names))


def read_networks(path: Path, networks: Collection[str], source: str) -> dict[str, Tensor]:
    """The tensors of `networks` in a file of ours; one that holds a generator alone has names without a network.

    Raises:
        InputError: `path`, which the user knows as `source`, is not a safetensors file.
    """
    try:
        saved = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError("init_from", source, "weights in a whole .safetensors file") from error
    if not any(name.startswith(GENERATOR) for name in saved):
        return {f"{GENERATOR}{name}": value for name, value in saved.items()}
    return {name: value for name, value in saved.items() if name.partition(".")[0] in networks}


def write_networks(folder: Path, weights: Mapping[str, Tensor]) -> Path:
    """Write tensors called `NETWORK.NAME` to `networks.safetensors`, and the generator's alone beside; returns those.

    The first starts other trainings, the second is what is exported.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    alone = {name.removeprefix(GENERATOR): value for name, value in plain.items() if name.startswith(GENERATOR)}
    write_whole(folder / NETWORKS_FILE, save(plain))
    write_whole(folder / GENERATOR_FILE, save(alone))
    return folder / GENERATOR_FILE


def freeze(networks: Mapping[str, nn.Module], frozen: Collection[str]) -> list[nn.Module]:
    """Take the weights called `frozen` out of training; returns the layers to hold in evaluation mode.

    Those keep their statistics (batch norm) and singular vectors (spectral norm) too.
    """
    held = []
    for network_name, network in networks.items():
        for module_name, module in network.named_modules():
            prefix = ".".join(part for part in (network_name, module_name) if part)
            weights = {f"{prefix}.{name}": weight for name, weight in module.named_parameters(recurse=False)}
            buffers = {f"{prefix}.{name}" for name, _ in module.named_buffers(recurse=False)}
            for name in weights.keys() & frozen:
                weights[name].requires_grad_(False)
            is_whole = not weights.keys() - frozen
            if is_whole and (weights or buffers & set(frozen)):
                held.append(module)
    return held


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None


def _refuse_unequal(source: str, here: Mapping[str, Tensor], saved: Mapping[str, Tensor], names: list[str]) -> None:
    if not names:
        return
    listed = [f"{name} ({_describe(saved, name)} there, {_describe(here, name)} here)" for name in names[:MOST_LISTED]]
    more = [f"and {len(names) - MOST_LISTED} more"] if len(names) > MOST_LISTED else []
    layers = ", ".join(f'"{layer}"' for layer in name_layers(names))
    raise InputError(
        "init_from",
        source,
        f"weights of this network's shapes, but these layers differ: {', '.join(listed + more)}; "
        f"to start them anew: --set 'fresh=[{layers}]'",
    )


def _describe(tensors: Mapping[str, Tensor], name: str) -> str:
    shape = _shape(tensors, name)
    return "none" if shape is None else "x".join(str(size) for size in shape) or "a number"


def _load(networks: Mapping[str, nn.Module], weights: Mapping[str, Tensor]) -> None:
    for name, network in networks.items():
        mine = {key: weights.get(f"{name}.{key}", value) for key, value in network.state_dict().items()}
        network.load_state_dict(mine)

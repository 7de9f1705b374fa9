"""A generator as an ONNX file: written from torch, checked against it, and run without it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.errors import InputError, TrainingError
from models.pixels import to_bytes

if TYPE_CHECKING:
    from onnx import GraphProto
    from onnxruntime import InferenceSession
    from torch import Tensor, nn

    from models.families.family import Family
    from models.families.restoration import RestorationFamily

METADATA = "packshot"

BATCH = 64
"""Images per call of the network; fixed, so that an image's bytes do not depend on how many are asked for."""
TOLERANCE = 1e-3
"""Largest difference allowed between torch and the exported file, in units of the pixel range [-1, 1]."""

EXAMPLE = (32, 40)
"""Height and width at which an editing network is exported."""
RESTORATION_CHECKS = (EXAMPLE, (48, 32))
"""Heights and widths at which the exported file is held against the trained network."""


def latents(count: int, size: int, seed: int) -> npt.NDArray[np.float32]:
    """Noise N(0, 1) of shape (count, size); the first images of a larger count are those of a smaller one."""
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)


def latent_batches(count: int, size: int, seed: int, batch: int) -> Iterator[npt.NDArray[np.float32]]:
    """The noise of `latents`, at most `batch` rows at a time: a whole one of large latents would fill the memory."""
    stream = np.random.default_rng(seed)
    for start in range(0, count, batch):
        yield stream.standard_normal((min(batch, count - start), size), dtype=np.float32)


def spread_categories(count: int, categories: int) -> npt.NDArray[np.int64]:
    """Category of each of `count` images, round and round: 0, 1, ..., categories - 1, 0, ..."""
    return np.arange(count, dtype=np.int64) % categories


def write_onnx(
    network: nn.Module,
    inputs: dict[str, Tensor],
    outputs: list[str],
    about: dict[str, Any],
    path: Path,
    dynamic: Collection[int] = (0,),
) -> None:
    """Export `network`, the sizes of whose inputs vary along `dynamic`: the batch, or height and width (2, 3) too.

    `about` is what its users need to know, kept in the file's metadata.
    """
    import onnx
    import torch

    shapes = {name: dict.fromkeys(dynamic, torch.export.Dim.DYNAMIC) for name in inputs}
    # Under gradients the exporter cannot take a scan (see `models.generators.pixelcnn`) with a dynamic batch.
    with torch.no_grad():
        program = torch.onnx.export(
            network,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise TrainingError(f"torch.onnx.export wrote no program for {path.name}")
    model = program.model_proto
    forget_sources(model.graph)
    onnx.helper.set_model_props(model, {METADATA: json.dumps(about)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def forget_sources(graph: GraphProto) -> None:
    """Remove the stack traces that the exporter writes to every node: paths of this machine, which change the bytes."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):  # the body of a loop
                forget_sources(attribute.g)


def open_session(path: Path, needed: Collection[str], threads: int = 0) -> tuple[InferenceSession, dict[str, Any]]:
    """An ONNX Runtime session on a file that `write_onnx` wrote, and what its metadata says.

    Raises:
        TrainingError: the file is no ONNX, was not written by packshot, or says nothing of one of the facts `needed`.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    unreadable = (refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except refusals.NoSuchFile as error:
        raise TrainingError(f"{path} is not there") from error
    except unreadable as error:
        raise TrainingError(f"{path} is not an ONNX file that can be run") from error
    facts = json.loads(session.get_modelmeta().custom_metadata_map.get(METADATA, "{}"))
    missing = sorted(set(needed) - set(facts))
    if missing:
        raise TrainingError(
            f"{path} was not exported by packshot for this use: no {', '.join(missing)} in its metadata"
        )
    return session, facts


def export_generator(family: Family, weights: Path, categories: list[str], path: Path) -> float:
    """Write the generator with `weights` as ONNX; returns its difference from torch over a batch and one image.

    The inputs are `latent` (N, latent) float32 and, for conditional families, `category` (N,) int64; the output is
    `image` (N, C, H, W) in [-1, 1]. The difference is the largest absolute one; for discrete families the median over
    the images of the largest one in each, as a rounding error may flip one level and with it the rest of an image.

    Raises:
        TrainingError: the file's images differ from torch's by more than `TOLERANCE`.
    """
    import torch
    from safetensors.torch import load_file

    generator = family.generator
    generator.load_state_dict(load_file(weights))
    generator.eval().to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    inputs = {"latent": torch.zeros(2, family.latent), "category": torch.zeros(2, dtype=torch.int64)}
    about = {
        "latent": family.latent,
        "categories": categories,
        "conditional": family.conditional,
        "size": family.shape.size,
    }
    write_onnx(generator, inputs, ["image"], about, path)
    difference = _difference(family, path)
    if not difference <= TOLERANCE:  # written so that nan is refused too
        path.unlink()
        raise TrainingError(
            f"the exported generator differs from the trained one by {difference:.2g}, allowed: {TOLERANCE:.2g}"
        )
    return difference


def _difference(family: Family, path: Path) -> float:
    """Absolute difference between torch and the file over a batch and a single image; nan if either has one."""
    import torch

    exported, differences = ExportedGenerator(path), []
    for count in (BATCH, 1):
        noise = latents(count, family.latent, seed=count)
        categories = spread_categories(count, family.shape.categories)
        with torch.inference_mode():
            expected = family.generator(torch.from_numpy(noise), torch.from_numpy(categories)).numpy()
        differences.append(np.abs(expected - exported.run(noise, categories)).max((1, 2, 3)))
    worst = np.concatenate(differences)
    return float(np.median(worst) if family.discrete else worst.max())


class ExportedGenerator:
    """Makes images from an exported file with ONNX Runtime; needs no torch."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, facts = open_session(path, ("latent", "size", "categories", "conditional"), threads)
        self.latent: int = facts["latent"]
        self.size: int = facts["size"]
        self.categories: list[str] = facts["categories"]
        self.conditional: bool = facts["conditional"]
        self._inputs = {node.name for node in self._session.get_inputs()}

    def run(self, noise: npt.NDArray[np.float32], categories: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """One call of the network: images (N, C, H, W) in [-1, 1]."""
        feeds = {"latent": noise, "category": categories}
        outputs = self._session.run(["image"], {name: value for name, value in feeds.items() if name in self._inputs})
        images: npt.NDArray[np.float32] = outputs[0]
        return images

    def batches(self, count: int, seed: int, category: str | None = None) -> Iterator[npt.NDArray[np.uint8]]:
        """`count` images as uint8 (n, H, W, C), in batches of at most `BATCH`; the same bytes for the same seed."""
        wanted = self.wanted(count, category)
        for index, noise in enumerate(latent_batches(count, self.latent, seed, BATCH)):
            size = len(noise)
            padding = BATCH - size
            categories = np.pad(wanted[index * BATCH : index * BATCH + size], (0, padding))
            yield to_bytes(self.run(np.pad(noise, ((0, padding), (0, 0))), categories)[:size])

    def sample(self, count: int, seed: int, category: str | None = None) -> npt.NDArray[np.uint8]:
        """`count` images as one uint8 array (count, H, W, C)."""
        return np.concatenate(list(self.batches(count, seed, category)))

    def wanted(self, count: int, category: str | None = None) -> npt.NDArray[np.int64]:
        """The category of each image: the one asked for, or all in turn.

        Raises:
            InputError: the model cannot be asked for a category, or does not know this one.
        """
        if category is None:
            return spread_categories(count, len(self.categories))
        if not self.conditional:
            raise InputError("category", category, "none: this model is not conditional")
        if category not in self.categories:
            raise InputError("category", category, self.categories)
        return np.full(count, self.categories.index(category), np.int64)


def export_restoration(family: RestorationFamily, weights: Path, path: Path) -> float:
    """Write the network of an editing family with `weights` as ONNX; returns its largest difference from torch.

    Inputs and output are named planes (N, C, H, W) in [0, 1]; batch, height and width may vary.

    Raises:
        TrainingError: what the file makes differs from torch's by more than `TOLERANCE`.
    """
    import torch
    from safetensors.torch import load_file

    trained = family.generator
    trained.load_state_dict(load_file(weights))
    trained.eval().to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    about = {"capability": family.capability, "family": family.config.family, **family.facts}
    write_onnx(family.served(), family.sample_inputs(*EXAMPLE), ["restored"], about, path, dynamic=(0, 2, 3))
    exported, differences = ExportedRestoration(path), []
    for height, width in RESTORATION_CHECKS:
        inputs = family.sample_inputs(height, width)
        with torch.inference_mode():
            expected = trained(*inputs.values()).numpy()
        made = exported.run(**{name: value.numpy() for name, value in inputs.items()})
        differences.append(np.abs(made - expected).max())
    difference = float(np.max(differences))
    if not difference <= TOLERANCE:  # written so that nan is refused too
        path.unlink()
        raise TrainingError(
            f"the exported network differs from the trained one by {difference:.2g}, allowed: {TOLERANCE:.2g}"
        )
    return difference


class ExportedRestoration:
    """Edits planes with an exported file; needs no torch."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, self.facts = open_session(path, ("capability", "family"), threads)
        self.capability: str = self.facts["capability"]
        self.family: str = self.facts["family"]
        self.inputs: dict[str, int] = {node.name: int(node.shape[1]) for node in self._session.get_inputs()}
        """Channels of each plane that `run` takes, by name."""

    def run(self, **inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """One call of the network: planes (N, C, H, W) in [0, 1] by input name to planes (N, C', H', W')."""
        made: npt.NDArray[np.float32] = self._session.run(["restored"], inputs)[0]
        return made


class ExportedRuler:
    """Measures images with an exported ruler (see `models.metrics.ruler`)."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, facts = open_session(path, ("categories",), threads)
        self.categories: list[str] = facts["categories"]

    def measure(
        self, images: npt.NDArray[np.uint8], batch: int = 250
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Features (N, 128) and predicted categories (N,) of uint8 images (N, H, W, C)."""
        found = []
        for start in range(0, len(images), batch):
            planes = images[start : start + batch].transpose(0, 3, 1, 2)
            signed = np.ascontiguousarray(planes, np.float32) / np.float32(127.5) - np.float32(1)
            found.append(self._session.run(["features", "logits"], {"image": signed}))
        features = np.concatenate([part[0] for part in found])
        return features, np.concatenate([part[1] for part in found]).argmax(1)

"""Writing a network as an ONNX file, and opening one."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import TrainingError

if TYPE_CHECKING:
    from onnx import GraphProto
    from onnxruntime import InferenceSession
    from torch import Tensor, nn

TOLERANCE = 1e-3
"""Largest difference allowed between torch and the exported file, in units of the pixel range [-1, 1]."""
METADATA = "packshot"


def write_onnx(
    network: nn.Module,
    inputs: dict[str, Tensor],
    outputs: list[str],
    about: dict[str, Any],
    path: Path,
    dynamic: Collection[int] = (0,),
) -> None:
    """Export `network`, the sizes of whose inputs vary along `dynamic`: the batch, or height and width (2, 3) too.

    `about` is what its users need to know; it is stored in the file's metadata.
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
    """Remove the exporter's stack traces from every node: they hold local paths and make the bytes differ."""
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
        TrainingError: the file is not ONNX, was not written by Packshot, or lacks one of the facts `needed`.
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

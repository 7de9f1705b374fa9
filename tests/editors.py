"""Tiny exported editing networks, made node by node, for tests of what uses one: no training and no export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def write_upscaler(path: Path, scale: int) -> Path:
    """A 3x3 convolution of luma whose channels are shuffled into `scale` x `scale` pixels; it looks 1 pixel around."""
    kernels = np.random.default_rng(scale).random((scale**2, 1, 3, 3), np.float32) / 9
    nodes = [
        helper.make_node("Conv", ["image", "kernels"], ["channels"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["channels"], ["restored"], blocksize=scale, mode="CRD"),
    ]
    facts = {"capability": "upscale", "family": "foldsr", "scale": scale, "reach": 1}
    return _write(path, {"image": 1}, nodes, {"kernels": kernels}, facts)


def write_inpainter(path: Path) -> Path:
    """Every hole becomes a quarter grey; it takes sides that are multiples of 16."""
    kept = {"one": np.float32([1]), "grey": np.float32([0.25])}
    nodes = [
        helper.make_node("Sub", ["one", "mask"], ["known"]),
        helper.make_node("Mul", ["image", "known"], ["around"]),
        helper.make_node("Mul", ["mask", "grey"], ["inside"]),
        helper.make_node("Add", ["around", "inside"], ["restored"]),
    ]
    facts = {"capability": "inpaint", "family": "pix2pix", "multiple": 16}
    return _write(path, {"image": 3, "mask": 1}, nodes, kept, facts)


def _write(
    path: Path,
    inputs: Mapping[str, int],
    nodes: list[NodeProto],
    kept: Mapping[str, np.ndarray],
    facts: Mapping[str, str | int],
) -> Path:
    """A graph over planes of `inputs`, by name their channels, in batches and sizes of any kind."""
    planes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", c, "h", "w"]) for name, c in inputs.items()]
    made = helper.make_tensor_value_info("restored", TensorProto.FLOAT, ["n", None, None, None])
    tensors = [numpy_helper.from_array(value, name) for name, value in kept.items()]
    graph = helper.make_graph(nodes, "g", planes, [made], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"packshot": json.dumps(facts)})
    onnx.save(model, str(path))
    return path

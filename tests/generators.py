"""A tiny exported generator, made node by node, for tests that look at pictures and figures without a training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tasks.provenance.generated import Provenance

LATENT, SIDE = 4, 8
CATEGORIES = ["bag", "boot", "shirt"]
GENERATED_BY = Provenance(
    slot="generate-bags",
    version=3,
    family="dcgan",
    run_id="r",
    prepared_key="p",
    data_md5="d",
    validation_key="v",
    git_commit="",
    onnx_sha256="o",
    seed=1,
    index=0,
    software="packshot 0",
)
"""The record of one image that a version made."""


def write_generator(path: Path, conditional: bool = True, seed: int = 0) -> Path:
    """image = tanh(latent @ W + E[category]), uint8-able images (N, 1, 8, 8) of three categories."""
    random = np.random.default_rng(seed)
    pixels = SIDE * SIDE
    constants = {
        "weights": random.standard_normal((LATENT, pixels), np.float32) / 4,
        "shades": np.repeat(np.float32([[-0.8], [0.0], [0.8]]), pixels, axis=1),
        "shape": np.array([-1, 1, SIDE, SIDE]),
    }
    nodes = [helper.make_node("MatMul", ["latent", "weights"], ["mixed"])]
    if conditional:
        nodes += [helper.make_node("Gather", ["shades", "category"], ["shade"])]
        nodes += [helper.make_node("Add", ["mixed", "shade"], ["sum"])]
    nodes += [helper.make_node("Tanh", ["sum" if conditional else "mixed"], ["flat"])]
    nodes += [helper.make_node("Reshape", ["flat", "shape"], ["image"])]
    inputs = [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["n", LATENT])]
    inputs += [helper.make_tensor_value_info("category", TensorProto.INT64, ["n"])] if conditional else []
    output = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])
    kept = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    kept = kept if conditional else [tensor for tensor in kept if tensor.name != "shades"]
    graph = helper.make_graph(nodes, "g", inputs, [output], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    about = {"latent": LATENT, "size": SIDE, "categories": CATEGORIES, "conditional": conditional}
    helper.set_model_props(model, {"packshot": json.dumps(about)})
    onnx.save(model, str(path))
    return path

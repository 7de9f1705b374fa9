"""The weights of an ONNX file kept in half the bytes: float16 on the disk, float32 where they are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SMALLEST = 1024
"""Tensors of fewer numbers stay as they are: they weigh nothing, and biases are worth their digits."""


def halve_weights(path: Path) -> None:
    """Rewrite the ONNX file at `path` with its large float32 tensors as float16, each with a cast back to float32.

    ONNX Runtime does the casts once, when it loads the file: inference costs what it cost before.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST:
            continue
        name, half = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)

"""An ONNX file's weights in half the bytes: float16 on disk, float32 in use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SMALLEST = 1024
"""Smaller tensors stay as they are: they take no space, and biases need their precision."""


def halve_weights(path: Path) -> None:
    """Rewrite the ONNX file at `path` with its large float32 tensors as float16, each with a cast back to float32.

    ONNX Runtime folds the casts when it loads the file, so inference costs the same as before.
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

"""Weights kept in half the bytes: the large ones rounded, the small ones and the results as they were."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.exported.halving import SMALLEST, halve_weights


@pytest.fixture
def path(tmp_path):
    """y = x @ large + small, beside a large tensor of whole numbers."""
    random = np.random.default_rng(0)
    kept = {
        "large": random.standard_normal((64, SMALLEST // 32), np.float32),
        "small": random.standard_normal((SMALLEST // 32,), np.float32),
        "numbers": np.arange(2 * SMALLEST),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "large"], ["product"]),
        helper.make_node("Add", ["product", "small"], ["y"]),
        helper.make_node("Identity", ["numbers"], ["n"]),
    ]
    ends = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", SMALLEST // 32])]
    ends += [helper.make_tensor_value_info("n", TensorProto.INT64, [2 * SMALLEST])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 64])
    tensors = [numpy_helper.from_array(value, name) for name, value in kept.items()]
    graph = helper.make_graph(nodes, "g", [x], ends, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def run(path, x):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})


def test_large_weights_take_half_and_give_nearly_the_same(path):
    x = np.random.default_rng(1).standard_normal((3, 64), np.float32)
    before, numbers = run(path, x)
    whole = path.stat().st_size
    halve_weights(path)
    after, same = run(path, x)
    assert whole - path.stat().st_size == pytest.approx(2 * 64 * (SMALLEST // 32), abs=200)
    np.testing.assert_allclose(after, before, atol=0.05)
    assert np.abs(after - before).max() > 0
    np.testing.assert_array_equal(same, numbers)


def test_small_tensors_and_whole_numbers_stay(path):
    halve_weights(path)
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load(path).graph.initializer}
    assert kinds == {"large.half": TensorProto.FLOAT16, "small": TensorProto.FLOAT, "numbers": TensorProto.INT64}


def test_halved_twice_is_halved_once(path):
    halve_weights(path)
    once = path.read_bytes()
    halve_weights(path)
    assert path.read_bytes() == once

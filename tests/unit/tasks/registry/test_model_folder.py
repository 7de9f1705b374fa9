"""The folder that a version is registered with."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from tasks.registry.model_folder import count_parameters
from tests.generators import LATENT, SIDE, write_generator


def test_a_files_numbers_are_counted_in_loops_too(tmp_path):
    plain = write_generator(tmp_path / "plain.onnx")
    assert count_parameters(plain) == LATENT * SIDE**2 + 3 * SIDE**2 + 4  # weights, shades, a shape
    branches = []
    for size in (5, 6):
        kept = numpy_helper.from_array(np.zeros(size, np.float32), f"kept{size}")
        out = helper.make_tensor_value_info(f"out{size}", TensorProto.FLOAT, [size])
        node = helper.make_node("Identity", [f"kept{size}"], [f"out{size}"])
        branches.append(helper.make_graph([node], f"g{size}", [], [out], [kept]))
    choice = helper.make_tensor_value_info("choice", TensorProto.BOOL, [])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n"])
    node = helper.make_node("If", ["choice"], ["out"], then_branch=branches[0], else_branch=branches[1])
    graph = helper.make_graph([node], "g", [choice], [out])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(tmp_path / "if.onnx"))
    assert count_parameters(tmp_path / "if.onnx") == 11

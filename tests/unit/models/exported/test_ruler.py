"""An exported ruler: features and categories of images, the same in whatever batches."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.errors import TrainingError
from models.exported.ruler import ExportedRuler


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """features = the mean of each channel in -1..1, logits = the features: the brightest channel is the category."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 4, 4])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("features", "logits")]
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["features"], keepdims=0),
        helper.make_node("Identity", ["features"], ["logits"]),
    ]
    axes = numpy_helper.from_array(np.array([2, 3]), "axes")
    graph = helper.make_graph(nodes, "g", [image], ends, [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {"packshot": json.dumps({"categories": ["red", "green", "blue"]})})
    path = tmp_path_factory.mktemp("ruler") / "ruler.onnx"
    onnx.save(model, str(path))
    return path


def test_images_enter_as_planes_from_minus_one_to_one(path):
    ruler = ExportedRuler(path, threads=1)
    assert ruler.categories == ["red", "green", "blue"]
    images = np.zeros((3, 4, 4, 3), np.uint8)
    for number in range(3):
        images[number, ..., number] = 255
    features, predicted = ruler.measure(images)
    np.testing.assert_allclose(features, 2 * np.eye(3) - 1, atol=1e-6)
    assert predicted.tolist() == [0, 1, 2]
    assert predicted.dtype == np.int64


@pytest.mark.parametrize("batch", [1, 3, 7, 250])
def test_batches_change_nothing(path, batch):
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), dtype=np.uint8)
    ruler = ExportedRuler(path, threads=1)
    features, predicted = ruler.measure(images, batch)
    assert features.shape == (7, 3)
    np.testing.assert_allclose(features, images.mean((1, 2)) / 127.5 - 1, atol=1e-5)
    assert predicted.tolist() == images.mean((1, 2)).argmax(1).tolist()


def test_a_file_without_categories_is_no_ruler(path, tmp_path):
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "no.onnx")
    with pytest.raises(TrainingError, match=r"no\.onnx was not exported by packshot .*: no categories in its metadata"):
        ExportedRuler(tmp_path / "no.onnx")

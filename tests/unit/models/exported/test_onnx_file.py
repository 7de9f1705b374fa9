"""ONNX files: written without a trace of the machine, and opened only where they are ours and whole."""

import json

import onnx
import pytest
import torch
from onnx import TensorProto, helper

from models.errors import TrainingError
from models.exported.onnx_file import METADATA, forget_sources, open_session, write_onnx
from tasks.workspace.settings import SOURCE


class Scaled(torch.nn.Module):
    """Planes times a weight that was learned."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(3.0))

    def forward(self, image):
        return image * self.weight


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("scaled") / "scaled.onnx"
    example = {"image": torch.zeros(2, 1, 4, 6)}
    write_onnx(Scaled().eval(), example, ["scaled"], {"family": "scaled", "scale": 3}, path, dynamic=(0, 2, 3))
    return path


@pytest.mark.parametrize("shape", [(2, 1, 4, 6), (1, 1, 9, 5), (3, 1, 2, 2)])
def test_a_file_says_what_it_is_and_runs_at_any_size(written, shape):
    session, facts = open_session(written, ("family", "scale"))
    assert facts == {"family": "scaled", "scale": 3}
    image = torch.rand(shape).numpy()
    (made,) = session.run(["scaled"], {"image": image})
    assert made == pytest.approx(image * 3)


def test_a_file_names_no_source_of_the_machine_that_wrote_it(written):
    shipped = SOURCE / "models" / "weights" / "ruler-fashion-mnist-32x32x1.onnx"
    for file in (written, shipped):
        content = file.read_bytes()
        assert b".py" not in content
        assert str(SOURCE).encode() not in content


def test_the_body_of_a_loop_forgets_its_sources_too():
    step = helper.make_node("Identity", ["a"], ["b"], doc_string="/home/ann/model.py")
    step.metadata_props.add(key="source", value="/home/ann/model.py")
    loop = helper.make_node("Loop", [], [], body=helper.make_graph([step], "body", [], []))
    graph = helper.make_graph([loop], "g", [], [], doc_string="model.py")
    assert b"model.py" in graph.SerializeToString()
    forget_sources(graph)
    assert b"model.py" not in graph.SerializeToString()


def write_foreign(path, about=None):
    """Someone else's model: image = latent."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8]) for name in ("latent", "image")]
    graph = helper.make_graph([helper.make_node("Identity", ["latent"], ["image"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if about is not None:
        helper.set_model_props(model, {METADATA: json.dumps(about)})
    onnx.save(model, path)
    return path


def test_a_model_that_says_too_little_is_refused_with_what_is_missing(tmp_path):
    path = write_foreign(tmp_path / "foreign.onnx")
    message = r"foreign\.onnx was not exported by packshot for this use: no categories, size in its metadata"
    with pytest.raises(TrainingError, match=message):
        open_session(path, ("size", "categories"))
    path = write_foreign(tmp_path / "ruler.onnx", {"categories": ["bag"], "size": 32})
    assert open_session(path, ("size",))[1]["categories"] == ["bag"]
    with pytest.raises(TrainingError, match="for this use: no latent in its metadata"):
        open_session(path, ("size", "latent"))


@pytest.mark.parametrize("content", [b"", b"not an ONNX file", b"\x08\x09"])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"damaged\.onnx is not an ONNX file"):
        open_session(path, ())


def test_a_model_cut_short_is_refused(written, tmp_path):
    path = tmp_path / "short.onnx"
    path.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(TrainingError, match=r"short\.onnx is not an ONNX file"):
        open_session(path, ())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"absent\.onnx is not there"):
        open_session(tmp_path / "absent.onnx", ())

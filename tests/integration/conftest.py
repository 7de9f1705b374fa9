"""A real MLflow in SQLite, made once, without a server; each test has a slot of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tasks.registry.register import register
from tasks.registry.tracking import Tracking, open_tracking
from tasks.workspace.settings import Settings


@pytest.fixture(scope="session")
def registry_settings(tmp_path_factory) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Settings(PACKSHOT_HOME=tmp_path_factory.mktemp("home"), mlflow_port=port)


@pytest.fixture(scope="session")
def tracking(registry_settings) -> Iterator[Tracking]:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield open_tracking(registry_settings)


@pytest.fixture
def slot(request) -> str:
    """A slot of the test's own."""
    return request.node.name.replace("_", "-")


@pytest.fixture(scope="session")
def write_onnx():
    """A function that writes image = latent @ W, (N, 4) -> (N, 3), with a free batch size."""
    return _write_onnx


def _write_onnx(path: Path, weight: float) -> Path:
    weights = numpy_helper.from_array(np.full((4, 3), weight, np.float32), "weights")
    latent = helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["n", 4])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["latent", "weights"], ["image"])], "g", [latent], [image], [weights]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


@pytest.fixture
def add_version(registry_settings, tracking, slot, tmp_path, write_onnx):
    def add(weight: float = 1.0) -> int:
        run_id = tracking.start_or_resume_run("test", None, "run", {}, {})
        path = write_onnx(tmp_path / f"{weight}.onnx", weight)
        return register(
            registry_settings, run_id, slot, "linear", path, model_card=f"# {weight}", tags={"data_md5": "a" * 32}
        )

    return add

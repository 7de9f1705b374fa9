"""MLflow's model folder around an ONNX file: signature, input example, the file's bytes and the networks' weights."""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import InputError
from tasks.lineage.entries import Witness
from tasks.registry.tracking import Tracking, service_errors
from tasks.workspace.storage import digest_file, storage_errors

if TYPE_CHECKING:
    import numpy
    from mlflow.models import ModelSignature
    from onnx import GraphProto, ModelProto, ValueInfoProto

ONNX_FILE = "model.onnx"
WEIGHTS_FILE = "networks.safetensors"
EXAMPLE_BATCH = 2


def write_model_folder(
    folder: Path,
    proto: ModelProto,
    onnx_path: Path,
    *,
    model_card: str,
    run_id: str,
    model_id: str,
    weights: Path | None = None,
) -> None:
    """Write MLflow's model folder (ONNX flavour) at `folder`, which `mlflow models` can load and serve."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred")  # MLflow's own types, at first import
        import mlflow.pyfunc
    import mlflow.onnx
    from mlflow.models import Model

    mlflow.onnx.save_model(
        proto,
        str(folder),
        mlflow_model=Model(run_id=run_id, model_uuid=model_id, model_id=model_id),
        signature=signature_of(proto),
        input_example=example_of(proto),
        pip_requirements=[f"{name}=={version(name)}" for name in ("onnx", "onnxruntime")],
        save_as_external_data=False,
    )
    with storage_errors(folder):
        shutil.copyfile(onnx_path, folder / ONNX_FILE)  # the bytes that were measured, not a second serialisation
        (folder / "model_card.md").write_text(model_card)
        if weights is not None:
            shutil.copyfile(weights, folder / WEIGHTS_FILE)


def find_folder(home: Path, tracking: Tracking, slot: str, version: int, witness: Witness | None) -> Path:
    """The version's model folder; the files that `witness` names are downloaded where they are on another machine."""
    from mlflow.artifacts import download_artifacts

    with service_errors(tracking.uri):
        folder = tracking.client.get_model_version_download_uri(slot, str(version))
        here = tracking.find_files(folder)
        if here is not None:
            return here
        if witness is None:
            return Path(download_artifacts(folder, tracking_uri=tracking.uri))
        cache = home / "models" / slot / f"{version}-{witness.digest[:12]}"
        for name, digest in witness.files.items():
            path = cache / name
            if not path.is_file() or digest_file(path) != digest:
                path.parent.mkdir(parents=True, exist_ok=True)
                download_artifacts(f"{folder}/{name}", dst_path=str(path.parent), tracking_uri=tracking.uri)
    return cache


def load_onnx(path: Path) -> ModelProto:
    """The checked model of a single-file ONNX.

    Raises:
        InputError: the file is not ONNX, or keeps its weights in other files.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        raise InputError("ONNX file", str(path), "a valid ONNX model") from error
    proto = onnx.load(str(path), load_external_data=False)
    if uses_external_data(proto):
        raise InputError("ONNX file", str(path), "a model that holds its weights itself, without external data")
    return proto


def uses_external_data(message: Any) -> bool:  # noqa: ANN401  # protobuf's messages have no types
    """Whether any tensor of an ONNX model, or of another of its messages, keeps its values in another file."""
    from onnx import TensorProto

    if isinstance(message, TensorProto):
        return bool(message.data_location == TensorProto.EXTERNAL or message.external_data)
    inner = (value for field, value in message.ListFields() if field.message_type is not None)
    return any(
        uses_external_data(one) for value in inner for one in ([value] if hasattr(value, "ListFields") else value)
    )


def count_parameters(path: Path) -> int:
    """The number of values in a single-file ONNX, including constants of the graph and its loops."""
    return _count_numbers(load_onnx(path).graph)


def _count_numbers(graph: GraphProto) -> int:
    inner = [value.g for node in graph.node for value in node.attribute if value.HasField("g")]
    own: int = sum(math.prod(tensor.dims) for tensor in graph.initializer)
    return own + sum(_count_numbers(body) for body in inner)


def signature_of(proto: ModelProto) -> ModelSignature:
    """MLflow's signature of the graph's inputs and outputs; a dimension without a fixed size is -1."""
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    def schema(values: Iterable[ValueInfoProto]) -> Schema:
        return Schema([TensorSpec(_dtype(value), _shape(value), value.name) for value in values])

    return ModelSignature(inputs=schema(proto.graph.input), outputs=schema(proto.graph.output))


def example_of(proto: ModelProto) -> dict[str, numpy.ndarray[Any, Any]]:
    """Two rows for each input: standard normal numbers for floats, zeros for integers."""
    import numpy

    rng = numpy.random.default_rng(0)
    example = {}
    for value in proto.graph.input:
        shape = [EXAMPLE_BATCH if size < 0 else size for size in _shape(value)]
        dtype = _dtype(value)
        filled = rng.standard_normal(shape) if dtype.kind == "f" else numpy.zeros(shape)
        example[value.name] = filled.astype(dtype)
    return example


def _dtype(value: ValueInfoProto) -> numpy.dtype[Any]:
    from onnx.helper import tensor_dtype_to_np_dtype

    return tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def _shape(value: ValueInfoProto) -> tuple[int, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims)

"""The probe of what serving costs: it always measures, and a slow model does not keep it for twenty batches."""

import pytest

from models.errors import RegistryError
from models.exported.generator import ExportedGenerator
from models.exported.noise import BATCH
from serving.engine import measure_servability
from serving.probe import ROUNDS, probe
from tests.generators import write_generator


@pytest.mark.parametrize(("seconds", "batches"), [(0.0, 1), (60.0, ROUNDS)])
def test_as_many_batches_are_made_as_there_is_time_for(tmp_path, monkeypatch, seconds, batches):
    made = []
    sample = ExportedGenerator.sample

    def count(self, number, seed, category=None):
        made.append(number)
        return sample(self, number, seed, category)

    monkeypatch.setattr(ExportedGenerator, "sample", count)
    found = probe(write_generator(tmp_path / "generator.onnx"), seconds)
    assert made.count(BATCH) == 1 + batches  # the first warms up and is not timed
    assert found["latency_ms"] > 0
    assert found["memory_mb"] > 10


def test_a_file_that_does_not_load_is_refused_in_one_line(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no onnx")
    with pytest.raises(RegistryError, match="does not load in the serving engine"):
        measure_servability(tmp_path / "broken.onnx", 0.0)

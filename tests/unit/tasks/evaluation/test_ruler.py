"""A catalogue's ruler: the shipped one where it fits, and a refusal where the categories are others."""

import pytest

from models.errors import CatalogueError
from models.exported.ruler import ExportedRuler
from tasks.dataset.prepared import PreparedSet
from tasks.evaluation.ruler import SHIPPED, ensure_ruler
from tasks.workspace.progress import NullProgress
from tasks.workspace.settings import Settings
from tasks.workspace.storage import digest_file
from tests.prepared import write_prepared

FASHION = SHIPPED / "ruler-fashion-mnist-32x32x1.onnx"


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path)


@pytest.fixture
def prepared(tmp_path):
    return write_prepared(tmp_path / "prepared", catalogue="fashion-mnist")


def test_the_shipped_ruler_measures_its_catalogue(settings, prepared):
    categories = ExportedRuler(FASHION).categories
    fashion = PreparedSet(prepared.folder, prepared.meta.model_copy(update={"categories": categories}))
    found = ensure_ruler(settings, "fashion-mnist", fashion, NullProgress())
    assert (found.path, found.digest, found.source) == (FASHION, digest_file(FASHION), "shipped")
    assert 0.85 < found.accuracy < 1
    assert not (settings.home / "rulers").exists()


def test_a_ruler_of_other_categories_is_refused_with_the_way_out(settings, prepared):
    message = "knows the categories Ankle boot, .* the prepared set has bar, disc; give the changed catalogue a name"
    with pytest.raises(CatalogueError, match=message):
        ensure_ruler(settings, "fashion-mnist", prepared, NullProgress())


def test_a_ruler_is_trained_once_and_says_how(settings, prepared):
    (settings.root / "params.yaml").write_text("ruler: {epochs: 1, batch_size: 16, updates: 4}\n")
    told = []

    class Told:
        def update(self, done, total, note=""):
            told.append(done)

    found = ensure_ruler(settings, "shapes", prepared, Told())
    assert found.path == settings.home / "rulers" / "ruler-shapes-32x32x1.onnx"
    assert found.source == "trained here"
    assert told
    card = found.path.with_suffix(".json").read_text()
    assert found.digest in card
    assert prepared.digest("test") in card
    trainings = len(told)
    assert ensure_ruler(settings, "shapes", prepared, Told()) == found
    assert len(told) == trainings

"""Real photographs of clothes, from the folder that is added to the squares that are trained on."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from tasks.dataset.prepare import PrepareConfig
from tasks.dataset.validate import require_valid
from tasks.pipeline.steps import ensure_catalogue, ensure_prepared, ensure_validation
from tasks.versions.additions import add_folder
from tasks.workspace.progress import NullProgress
from tests.catalogues import make_checkout

pytestmark = [
    pytest.mark.photos,
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),  # great_expectations
    pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning"),  # DVC's use of pygtrie
]


@pytest.fixture
def clothing(photographs, tmp_path):
    """12 photographs of each category from the folder's two splits each."""
    for category in sorted(path for path in photographs.glob("clothing/*/*") if path.is_dir()):
        place = tmp_path / "photos" / category.relative_to(photographs / "clothing")
        place.mkdir(parents=True)
        for photo in sorted(category.iterdir())[:12]:
            shutil.copyfile(photo, place / photo.name)
    return tmp_path / "photos"


def test_photographs_of_clothes_become_squares_to_train_on(clothing, tmp_path):
    settings = make_checkout(tmp_path / "checkout")
    add_folder(settings, clothing, "clothing")
    data = ensure_catalogue(settings, "clothing", None, NullProgress()).value
    report = ensure_validation(settings.home, data, False, 0.0).value
    require_valid(report)
    prepared = ensure_prepared(settings.home, data, report, PrepareConfig(size=64), NullProgress()).value
    assert (prepared.shape, len(prepared.categories)) == ((64, 64, 3), 10)
    assert prepared.meta.counts["validation"] == 120
    assert prepared.meta.counts["train"] + prepared.meta.counts["test"] == 120
    assert {sku.split("/")[0] for sku in prepared.skus("validation")} == {"validation"}
    assert set(prepared.labels("test")) == set(range(10))
    assert len(prepared.meta.warnings) == 10

    sku = prepared.skus("validation")[0]
    with Image.open(clothing / f"{sku}.jpg") as photo:
        whole = ImageOps.pad(photo.convert("RGB"), (64, 64), Image.Resampling.LANCZOS, color="white")
    difference = np.asarray(whole, np.int64) - prepared.images("validation")[0]
    assert np.abs(difference).mean() < 4

"""Model cards: whose images, which recipe, how good and how measured, and the limits that the figures show."""

from pathlib import Path

import pytest

from models.training.speed import SpeedPlan
from tasks.catalogue.table import read_catalogue
from tasks.dataset.prepare import PrepareConfig, prepare_catalogue
from tasks.dataset.validate import ValidationReport
from tasks.pipeline.candidate import Candidate
from tasks.promotion.card import write_card
from tasks.registry.register import DESCRIPTION_LENGTH
from tasks.training.result import FitResult
from tasks.workspace.settings import Settings
from tests.catalogues import write_fashion_mnist, write_photos
from tests.reports import make_report

VALIDATION = ValidationReport(
    key="v" * 32,
    success=True,
    suite="shop",
    suite_digest="s",
    evaluated=60,
    checks=[],
    failures=[],
    quarantined=["sku-1", "sku-2"],
    data_docs=Path("docs"),
    contact_sheet=None,
)
PARAMS = {"learning_rate": "0.0002", "augment.flip": "0.5"}


def fitted(**changes) -> FitResult:
    values = {"key": "f" * 32, "family": "dcgan", "folder": Path("training"), "run_id": "a" * 32, "steps": 1200}
    values |= {"best_step": 900, "criterion": "validation_distance", "best_value": 21.5, "seconds": 70.4}
    values |= {"images_per_second": 340.0, "export_difference": 1e-6, "onnx_sha256": "o" * 64}
    values |= {"plan": SpeedPlan(precision="32-true", memory_format="contiguous")}
    return FitResult(**(values | changes))


def describe(prepared, report=None, **changes) -> str:
    candidate = Candidate(fitted(**changes), report or make_report(), prepared, VALIDATION, {})
    return write_card("generate-shop", candidate, PARAMS)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("card")
    folder = write_photos(root / "shop", count=30)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    lines = ["sku,file,category,split,licence,consent"]
    lines += [f"sku-{number},{file},,,CC-BY-4.0,{'yes' if number % 2 else ''}" for number, file in enumerate(files)]
    (folder / "catalogue.csv").write_text("\n".join(lines) + "\n")
    return prepare_catalogue(read_catalogue(folder, "shop"), "d" * 32, PrepareConfig(), [], Settings(root=root).home)


def test_a_card_counts_licences_and_consents_of_the_training_images(prepared):
    card = describe(prepared)
    images = len(prepared.images("train"))
    rights = prepared.meta.rights
    assert rights["licence"] == {"CC-BY-4.0": images}
    assert sum(rights["consent"].values()) == images
    assert set(rights["consent"]) == {"yes", "not stated"}
    assert f"licence: CC-BY-4.0 {images}" in card
    assert f"not stated {rights['consent']['not stated']}" in card


def test_fashion_mnist_has_its_own_licence(tmp_path):
    folder = write_fashion_mnist(tmp_path / "fashion-mnist", 20, 10)
    prepared = prepare_catalogue(
        read_catalogue(folder, "fashion-mnist"), "d" * 32, PrepareConfig(), [], Settings(root=tmp_path).home
    )
    images = len(prepared.images("train"))
    assert prepared.meta.rights == {"licence": {"MIT": images}, "consent": {"not stated": images}}


def test_a_card_says_all_that_one_needs_and_fits_the_description(prepared):
    card = describe(prepared)
    assert card.startswith("# dcgan for `generate-shop`\n")
    for part in ("**Intended use**", "**Data**", "**Training**", "**Worst categories**", "**Memorisation**"):
        assert part in card
    assert "`learning_rate` 0.0002" in card
    assert "2 set aside" in card
    assert "1,200 updates at 340 images/s" in card
    assert "| **Fréchet distance** (ranks) | 20 | 0.95 |" in card
    assert f"reference_digest {'r' * 64}" in card
    assert "lowest recall: bag 0.4, boot 0.5" in card
    assert "largest category distance: boot 0.5, bag 0.4" in card
    assert len(card) < DESCRIPTION_LENGTH


def test_collapse_noise_and_few_samples_are_named_as_limits(prepared):
    card = describe(prepared)
    assert "variety is narrow" not in card
    poor = make_report(samples=1000, precision=0.3, manifold_recall=0.1)
    poor = poor.model_copy(update={"left_out": {"interpolations.png": "it draws level by level"}})
    card = describe(prepared, report=poor)
    assert "variety is narrow: it reaches 10%" in card
    assert "only 30% of its samples" in card
    assert "judged by few images" in card
    assert "no interpolations.png: it draws level by level" in card
    assert "| **kernel distance** (ranks) |" in card


def test_a_fitted_family_has_no_updates(prepared):
    card = describe(prepared, plan=None)
    assert "fitted to all images at once" in card
    assert "updates" not in card

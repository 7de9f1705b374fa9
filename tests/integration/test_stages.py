"""The stages of `dvc.yaml`, one after another, without any server."""

from __future__ import annotations

import json

import pytest
import yaml

from flows.stages import OUT, main
from models.exported.generator import ExportedGenerator
from tests.workshop import CATEGORIES, make_workshop

REPRODUCE = {"catalogue": "shapes", "train": {"family": "gp", "rank": 8}}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout to stand in, as `dvc repro` does."""
    settings = make_workshop(tmp_path)
    path = settings.root / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"reproduce": REPRODUCE}))
    monkeypatch.chdir(settings.root)
    for name, value in {"ROOT": settings.root, "HOME": settings.home, "OFFLINE": "true", "MLFLOW_PORT": 9}.items():
        monkeypatch.setenv(f"PACKSHOT_{name}", str(value))
    return settings.root


def test_each_stage_leaves_what_dvc_expects(root, request):
    for stage in ("prepare", "train", "evaluate"):
        main([stage])
    stages = yaml.safe_load((request.config.rootpath / "dvc.yaml").read_text())["stages"].values()
    wanted = {out for stage in stages for out in (*stage["outs"], *stage.get("metrics", [{}])[0])}
    assert {str(path.relative_to(root)) for path in (root / OUT).rglob("*") if path.is_file()} == wanted
    meta = json.loads((OUT / "prepare" / "meta.json").read_text())
    assert meta["catalogue"] == "shapes"
    assert ExportedGenerator(OUT / "train" / "generator.onnx").categories == sorted(CATEGORIES)
    metrics = json.loads((OUT / "evaluate" / "metrics.json").read_text())
    report = json.loads((OUT / "evaluate" / "report.json").read_text())
    assert report["prepared_key"] == meta["key"]
    assert {figure["name"] for figure in report["figures"]} == {name.partition("/")[0] for name in metrics}

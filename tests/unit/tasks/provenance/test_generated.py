from __future__ import annotations

import subprocess

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError, ServiceError, StorageError
from tasks.photos.metadata import SOURCE_TYPE
from tasks.photos.writing import encode_png, write_image
from tasks.provenance.embedded import find_own
from tasks.provenance.generated import Provenance
from tasks.workspace.git import git_commit

RECORD = Provenance(
    slot="generate-shirts",
    version=3,
    family="dcgan",
    run_id="r" * 32,
    prepared_key="p" * 32,
    data_md5="d" * 32,
    validation_key="v" * 32,
    git_commit="c" * 40,
    onnx_sha256="o" * 64,
    seed=7,
    index=5,
    category="bag ¼ 包",
    software="packshot 0.1.0",
    created="2026-01-01T00:00:00Z",
    prefect_flow_run="f" * 36,
)


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 9, 3)])
def test_pixels_and_record_come_back(tmp_path, shape):
    image = pixels(*shape)
    write_image(tmp_path / "a.png", encode_png(image, RECORD))
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image.squeeze())
    assert find_own(tmp_path / "a.png") == RECORD.model_copy(update={"created": "", "prefect_flow_run": ""})


def test_bytes_do_not_depend_on_the_time_or_the_flow_run():
    later = RECORD.model_copy(update={"created": "2027-01-01T00:00:00Z", "prefect_flow_run": "another"})
    assert encode_png(pixels(8, 8), later) == encode_png(pixels(8, 8), RECORD)
    assert encode_png(pixels(8, 8), RECORD.model_copy(update={"index": 6})) != encode_png(pixels(8, 8), RECORD)


def test_the_file_is_marked_as_generated(tmp_path):
    write_image(tmp_path / "a.png", encode_png(pixels(8, 8), RECORD))
    with Image.open(tmp_path / "a.png") as image:
        xmp = image.text["XML:com.adobe.xmp"]
    assert f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"' in xmp
    assert SOURCE_TYPE.endswith("/trainedAlgorithmicMedia")


def test_files_without_a_record_have_none(tmp_path):
    Image.fromarray(pixels(8, 8)).save(tmp_path / "plain.png")
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("plain.png", "text.txt", "empty.png"):
        assert find_own(tmp_path / name) is None


def test_a_truncated_file_still_tells_and_a_damaged_record_is_named(tmp_path):
    whole = encode_png(pixels(32, 32), RECORD).content
    (tmp_path / "half.png").write_bytes(whole[: len(whole) - 400])
    assert find_own(tmp_path / "half.png").seed == 7
    Image.fromarray(pixels(8, 8)).save(tmp_path / "bad.png", pnginfo=_info('{"slot":"x"}'))
    with pytest.raises(InputError, match=r"provenance: .*bad.png"):
        find_own(tmp_path / "bad.png")


def test_an_unwritable_folder_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_image(tmp_path / "file" / "a.png", encode_png(pixels(8, 8), RECORD))


def test_git_commit_says_dirty_only_for_tracked_changes(tmp_path):
    assert git_commit(tmp_path) == ""
    run(tmp_path, "init", "-q")
    assert git_commit(tmp_path) == ""
    (tmp_path / "a").write_text("1")
    run(tmp_path, "add", "a")
    run(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "m")
    (tmp_path / "untracked").write_text("1")
    sha = git_commit(tmp_path)
    assert len(sha) == 40
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == f"{sha}+dirty"


def test_missing_or_refusing_git_is_an_error(tmp_path, monkeypatch):
    run(tmp_path, "init", "-q")
    (tmp_path / ".git" / "config").write_text("not a config")
    with pytest.raises(ServiceError, match="git cannot read"):
        git_commit(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="git is not installed"):
        git_commit(tmp_path)


def run(folder, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def _info(text: str):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("packshot:provenance", text)
    return info

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError, StorageError
from tasks.photos.writing import encode_png, write_image
from tasks.photos.xmp import SOURCE_TYPE
from tasks.provenance.embedded import find_own
from tasks.provenance.generated import Provenance

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


def _info(text: str):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("packshot:provenance", text)
    return info

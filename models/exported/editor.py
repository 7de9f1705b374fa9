"""Networks that edit photographs, as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from models.errors import TrainingError
from models.exported.onnx_file import TOLERANCE, open_session, write_onnx

if TYPE_CHECKING:
    from torch import Tensor, nn

EXAMPLE = (32, 40)
"""Height and width at which an editing network is exported."""
RESTORATION_CHECKS = (EXAMPLE, (48, 32))
"""Heights and widths at which the exported file is compared with the trained network."""


class Named(Protocol):
    """A recipe, of which the family's name is asked."""

    @property
    def family(self) -> str: ...


class EditingFamily(Protocol):
    """What an editing network's file is written from; see `models.families.restoration.RestorationFamily`."""

    capability: ClassVar[str]

    @property
    def config(self) -> Named: ...
    @property
    def generator(self) -> nn.Module: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    def served(self) -> nn.Module: ...
    def sample_inputs(self, height: int, width: int) -> dict[str, Tensor]: ...


def export_restoration(family: EditingFamily, weights: Path, path: Path) -> float:
    """Write the network of an editing family with `weights` as ONNX; returns its largest difference from torch.

    Inputs and output are named planes (N, C, H, W) in [0, 1]; batch, height and width may vary.

    Raises:
        TrainingError: the file's output differs from torch's by more than `TOLERANCE`.
    """
    import torch
    from safetensors.torch import load_file

    trained = family.generator
    trained.load_state_dict(load_file(weights))
    trained.eval().to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    about = {"capability": family.capability, "family": family.config.family, **family.facts}
    write_onnx(family.served(), family.sample_inputs(*EXAMPLE), ["restored"], about, path, dynamic=(0, 2, 3))
    exported, differences = ExportedRestoration(path), []
    for height, width in RESTORATION_CHECKS:
        inputs = family.sample_inputs(height, width)
        with torch.inference_mode():
            expected = trained(*inputs.values()).numpy()
        made = exported.run(**{name: value.numpy() for name, value in inputs.items()})
        differences.append(np.abs(made - expected).max())
    difference = float(np.max(differences))
    if not difference <= TOLERANCE:  # written so that nan is refused too
        path.unlink()
        raise TrainingError(
            f"the exported network differs from the trained one by {difference:.2g}, allowed: {TOLERANCE:.2g}"
        )
    return difference


class ExportedRestoration:
    """Edits planes with an exported file; needs no torch."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session, self.facts = open_session(path, ("capability", "family"), threads)
        self.capability: str = self.facts["capability"]
        self.family: str = self.facts["family"]
        self.inputs: dict[str, int] = {node.name: int(node.shape[1]) for node in self._session.get_inputs()}
        """Channels of each plane that `run` takes, by name."""

    def run(self, **inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """One call of the network: planes (N, C, H, W) in [0, 1] by input name to planes (N, C', H', W')."""
        made: npt.NDArray[np.float32] = self._session.run(["restored"], inputs)[0]
        return made

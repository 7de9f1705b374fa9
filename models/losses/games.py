"""The losses of adversarial games: what the discriminator and the generator minimise in each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from torch import Tensor
from torch.nn import functional


class Game(NamedTuple):
    """A pair of losses; logits have shape (N,), losses are scalars, means over the batch."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """Of the logits of real and of generated images."""
    generator: Callable[[Tensor, Tensor], Tensor]
    """Of the same; gradients come through those of generated images alone."""
    relativistic: bool = False
    """True when the generator's loss depends on the real images too: the updated discriminator then sees them again."""


def discriminate_by_likelihood(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))) with D = sigmoid(logit) (Goodfellow et al. 2014, eq. 1)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generate_by_likelihood(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(G(z)), the non-saturating form (Goodfellow et al. 2014, section 3)."""
    return functional.softplus(-fake).mean()


def discriminate_by_squares(real: Tensor, fake: Tensor) -> Tensor:
    """(D(x) - 1)^2 / 2 + D(G(z))^2 / 2 (Mao et al. 2017, eq. 9)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def generate_by_squares(real: Tensor, fake: Tensor) -> Tensor:
    """(D(G(z)) - 1)^2 / 2 (Mao et al. 2017, eq. 9)."""
    return (fake - 1).square().mean() / 2


def discriminate_by_distance(real: Tensor, fake: Tensor) -> Tensor:
    """D(G(z)) - D(x), minus the Wasserstein distance if D is 1-Lipschitz (Arjovsky et al. 2017, eq. 2)."""
    return fake.mean() - real.mean()


def discriminate_by_margin(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))), the hinge loss (Miyato et al. 2018, eq. 16)."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def raise_logits(real: Tensor, fake: Tensor) -> Tensor:
    """-D(G(z)) (Arjovsky et al. 2017, algorithm 1; Miyato et al. 2018, eq. 17)."""
    return -fake.mean()


GAMES: dict[str, Game] = {
    "non-saturating": Game(discriminate_by_likelihood, generate_by_likelihood),
    "least-squares": Game(discriminate_by_squares, generate_by_squares),
    "wasserstein": Game(discriminate_by_distance, raise_logits),
    "hinge": Game(discriminate_by_margin, raise_logits),
}
"""Every game by the name that the parameter `loss` takes."""

if TYPE_CHECKING:
    LossName = str
else:
    LossName = Literal[tuple(GAMES)]
"""The names of the games, as pydantic checks them."""

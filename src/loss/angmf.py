"""The angular von Mises-Fisher distribution of directions and its uncertainty (Bae et al., 2021)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.loss.direction import compared, mean_of_known


class AngMF(nn.Module):
    """-log p(n) with p(n) = (κ² + 1) exp(-κθ) / (2π (1 + exp(-κπ))): the mean over the known pixels.

    θ is the angle to the output's direction, and κ says how sure of it the network is: κ = 0 is every direction alike.
    The best κ is the one whose mean angle (see `mean_angle`) is the actual error, so that κ is the uncertainty learned.

    Args:
        min_kappa: the least κ; κ = elu(raw) + 1 + min_kappa.

    Raises:
        ValueError: min_kappa is below 0.
    """

    prices = ("normals",)
    channels = 4  # of the output: a direction, and raw κ

    def __init__(self, min_kappa: float = 0.01) -> None:
        super().__init__()
        if min_kappa < 0:
            raise ValueError(f"loss.min_kappa={min_kappa}: below 0 there is no such distribution, give 0 or more")
        self.min_kappa = min_kappa

    def forward(self, output: Float[Tensor, "b 4 h w"], target: Float[Tensor, "b 3 i j"]) -> Float[Tensor, ""]:
        """The loss in nats, below 0 for a dense p; 0 where nothing is known. Raises ValueError for another target.

        Args:
            output: directions, whose length does not matter, and raw κ.
            target: unit vectors, NaN unknown.
        """
        return mean_of_known(self._nll, output, target)

    def kappa(self, raw: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """κ from what the network says of it."""
        return F.elu(raw) + 1 + self.min_kappa

    def _nll(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """-log p, and its gradient by the output."""
        raw = output[:, 3:]
        pair, kappa = compared(output[:, :3], target), self.kappa(raw)
        theta = torch.atan2(pair.sine, pair.cosine)
        value = kappa * theta - torch.log1p(kappa * kappa) + F.softplus(-math.pi * kappa) + math.log(2 * math.pi)
        by_raw = (theta - mean_angle(kappa)) * raw.clamp_max(0).exp()
        return value, torch.cat([-kappa * pair.turn, by_raw], 1)


def mean_angle(kappa: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The angle, in radians, that a direction drawn from the distribution is away from its centre on average."""
    return 2 * kappa / (kappa * kappa + 1) + math.pi * torch.sigmoid(-math.pi * kappa)

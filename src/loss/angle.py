"""The angle between two directions, as the error of surface normals is reported (Fouhey et al., 2013)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.loss.direction import compared, mean_of_known


class Angle(nn.Module):
    """θ, in radians: the mean over the known pixels.

    Every pixel pulls equally hard however wrong it is: |∂θ/∂n| is 1 for a unit n. An arccos would divide by the sine,
    which is nothing at 0 and at 180 degrees; there the gradient is 0 here.
    """

    prices = ("normals",)

    def forward(self, output: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 i j"]) -> Float[Tensor, ""]:
        """The loss in [0, π]; 0 where nothing is known. Raises ValueError for a target that does not fit.

        Args:
            output: directions; their length does not matter.
            target: unit vectors, NaN unknown.
        """
        return mean_of_known(_angle, output, target)


def _angle(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """θ, and its gradient by the output."""
    pair = compared(output, target)
    return torch.atan2(pair.sine, pair.cosine), -pair.turn

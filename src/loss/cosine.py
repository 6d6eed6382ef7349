"""One minus the cosine between two directions, the scalar product that Eigen and Fergus (2015) train normals with."""

from jaxtyping import Float
from torch import Tensor, nn

from src.loss.direction import compared, mean_of_known


class Cosine(nn.Module):
    """1 - cos θ: the mean over the known pixels. For small angles it is θ²/2, so that a large error pulls harder."""

    prices = ("normals",)

    def forward(self, output: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 i j"]) -> Float[Tensor, ""]:
        """The loss in [0, 2]; 0 where nothing is known. Raises ValueError for a target that does not fit.

        Args:
            output: directions; their length does not matter.
            target: unit vectors, NaN unknown.
        """
        return mean_of_known(_distance, output, target)


def _distance(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """1 - cos θ, and its gradient by the output."""
    pair = compared(output, target)
    return 1 - pair.cosine, -pair.sine * pair.turn

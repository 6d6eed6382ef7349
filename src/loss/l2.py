"""The mean squared error."""

from jaxtyping import Float
from torch import Tensor, nn

from src.loss.known import mean


class L2(nn.Module):
    """d², d = output - target, the mean over the known values of the batch."""

    prices = ("depth", "normals", "regression")

    def forward(self, output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss, NaN being unknown in the target; 0 where nothing is known. Raises ValueError for other shapes."""
        return mean(_priced, output, target)


def _priced(error: Tensor) -> tuple[Tensor, Tensor]:
    return error.square(), 2 * error

"""The loss of the multi-scale depth network (Eigen and Fergus, 2015)."""

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.gradient import Gradient
from src.loss.silog import Silog


class EigenFergus(nn.Module):
    """Σd²/n - λ (Σd)²/n² + Σ ((∂x d)² + (∂y d)²)/n over the n known pixels, d = output - target, both log-depth.

    Args:
        invariance: λ.
        gradient: the weight of the last term, 0 for Eigen et al. (2014).
        per: `sample` prices each image and takes the mean over those that have known pixels, as the paper does;
            `batch` takes all pixels of the batch as one image.

    Raises:
        ValueError: what `Silog` refuses, or a weight below 0.
    """

    prices = ("depth",)
    measure = "log"  # what output and target are

    def __init__(self, invariance: float = 0.5, gradient: float = 1.0, per: str = "sample") -> None:
        super().__init__()
        if gradient < 0:
            raise ValueError(f"loss.gradient={gradient} is a weight: it must be 0 or more")
        self.error = Silog(invariance, root=False, per=per)
        self.slope = Gradient(scales=1, squared=True, per=per)
        self.weight = gradient

    def forward(self, output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss, NaN being unknown in the target; 0 where nothing is known. Raises ValueError for other shapes."""
        return self.error(output, target) + self.weight * self.slope(output, target)

    def total_weight(self, target: Float[Tensor, "b c h w"]) -> Integer[Tensor, ""]:
        """What the mean divides by."""
        return self.error.total_weight(target)

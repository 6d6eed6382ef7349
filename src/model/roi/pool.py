"""RoIPool (Girshick, 2015): a region rounded to whole cells, its bins the maxima of theirs."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import roi_pool

from src.model.roi.levels import pooled


class Pool(nn.Module):
    """torchvision's operator on the level that suits each box.

    Args:
        canonical: side of a box, in pixels, that is cut from the level at ÷16.
        size: bins along each side.
        reductions: of the levels.
    """

    def __init__(self, canonical: int = 224, *, size: int, reductions: Sequence[int]) -> None:
        super().__init__()
        self.canonical, self.size, self.reductions = canonical, size, reductions

    def forward(
        self, features: Mapping[str, Float[Tensor, "b c _ _"]], boxes: Sequence[Float[Tensor, "_ 4"]]
    ) -> Float[Tensor, "n c s s"]:
        """Levels, and boxes of each image in pixels -> the cells of all boxes."""
        return pooled(self._cut, features, boxes, self.reductions, self.canonical)

    def _cut(self, feature: Tensor, rois: Tensor, scale: float) -> Tensor:
        return roi_pool(feature, rois, self.size, scale)

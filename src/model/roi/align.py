"""RoIAlign (He et al., 2017): a region's bins as averages of bilinear samples, nothing rounded."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import roi_align

from src.model.roi.levels import pooled


class Align(nn.Module):
    """torchvision's operator on the level that suits each box.

    Args:
        sampling: samples along each side of a bin; 0 takes one for each cell of the map that it covers.
        aligned: whether a cell's value stands at its middle; torchvision's weights were trained without.
        canonical: side of a box, in pixels, that is cut from the level at ÷16.
        size: bins along each side.
        reductions: of the levels.
    """

    def __init__(
        self,
        sampling: int = 2,
        aligned: bool = False,
        canonical: int = 224,
        *,
        size: int,
        reductions: Sequence[int],
    ) -> None:
        super().__init__()
        self.sampling, self.aligned, self.canonical = sampling, aligned, canonical
        self.size, self.reductions = size, reductions

    def forward(
        self, features: Mapping[str, Float[Tensor, "b c _ _"]], boxes: Sequence[Float[Tensor, "_ 4"]]
    ) -> Float[Tensor, "n c s s"]:
        """Levels, and boxes of each image in pixels -> the cells of all boxes."""
        return pooled(self._cut, features, boxes, self.reductions, self.canonical)

    def _cut(self, feature: Tensor, rois: Tensor, scale: float) -> Tensor:
        return roi_align(feature, rois, self.size, scale, self.sampling, self.aligned)

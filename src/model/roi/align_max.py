"""RoIAlign with the maximum of its bilinear samples in place of their average (He et al., 2017, name both)."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import roi_align

from src.model.roi.levels import pooled


class AlignMax(nn.Module):
    """As `Align`, on the same samples; each bin is the largest of its own.

    Args:
        sampling: samples along each side of a bin, at least 1.
        aligned: whether a cell's value stands at its middle.
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
        if sampling < 1:
            raise ValueError(f"model.roi.sampling={sampling}: a maximum needs samples, say 1 or more")
        self.sampling, self.aligned, self.canonical = sampling, aligned, canonical
        self.size, self.reductions = size, reductions

    def forward(
        self, features: Mapping[str, Float[Tensor, "b c _ _"]], boxes: Sequence[Float[Tensor, "_ 4"]]
    ) -> Float[Tensor, "n c s s"]:
        """Levels, and boxes of each image in pixels -> the cells of all boxes."""
        return pooled(self._cut, features, boxes, self.reductions, self.canonical)

    def _cut(self, feature: Tensor, rois: Tensor, scale: float) -> Tensor:
        """Bins of one sample each are the samples of larger bins."""
        samples = roi_align(feature, rois, self.size * self.sampling, scale, 1, self.aligned)
        return F.max_pool2d(samples, self.sampling)

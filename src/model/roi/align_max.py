"""RoIAlign with the maximum of its bilinear samples in place of their average (He et al., 2017, name both)."""

from typing import Any

from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import roi_align

from src.model.roi.align import Align


class AlignMax(Align):
    """As `Align`, on the same samples; each bin is the largest of its own.

    Args:
        sampling: samples along each side of a bin, at least 1.
        parts: see `Align`.

    Raises:
        ValueError: there are no samples.
    """

    def __init__(self, sampling: int = 2, **parts: Any) -> None:
        if sampling < 1:
            raise ValueError(f"model.roi.sampling={sampling}: a maximum needs samples, say 1 or more")
        super().__init__(sampling, **parts)

    def _cut(self, feature: Tensor, rois: Tensor, scale: float) -> Tensor:
        """Bins of one sample each are the samples of larger bins."""
        samples = roi_align(feature, rois, self.size * self.sampling, scale, 1, self.aligned)
        return F.max_pool2d(samples, self.sampling)

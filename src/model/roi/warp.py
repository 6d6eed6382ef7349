"""RoI warping (Dai et al., 2016): a region's bins as maxima of bilinear samples, which know where the box stands."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.roi.levels import pooled


class Warp(nn.Module):
    """What `AlignMax` gives with `aligned`, and the gradient of the boxes, which torchvision's operators lack.

    Args:
        sampling: samples along each side of a bin: at 2, 14 bins are the maxima of 28 samples, as published.
        canonical: side of a box, in pixels, that is cut from the level at ÷16.
        size: bins along each side.
        reductions: of the levels.
    """

    def __init__(self, sampling: int = 2, canonical: int = 224, *, size: int, reductions: Sequence[int]) -> None:
        super().__init__()
        self.sampling, self.canonical, self.size, self.reductions = sampling, canonical, size, reductions

    def forward(
        self, features: Mapping[str, Float[Tensor, "b c _ _"]], boxes: Sequence[Float[Tensor, "_ 4"]]
    ) -> Float[Tensor, "n c s s"]:
        """Levels, and boxes of each image in pixels -> the cells of all boxes."""
        return pooled(self._cut, features, boxes, self.reductions, self.canonical)

    def _cut(self, feature: Tensor, rois: Tensor, scale: float) -> Tensor:
        """The image's regions stand below one another in a single grid, so that no feature is ever repeated."""
        side, channels = self.size * self.sampling, feature.shape[1]
        cut = [feature.new_zeros(0, channels, self.size, self.size)]
        for index, image in enumerate(feature):
            boxes = rois[rois[:, 0] == index, 1:]
            if len(boxes):
                grid = _grid(boxes * scale, side, image.shape[-2:])
                found = F.grid_sample(image[None], grid.flatten(0, 1)[None], padding_mode="border", align_corners=False)
                samples = found.unflatten(2, (len(boxes), side))[0].transpose(0, 1)
                cut.append(F.max_pool2d(samples, self.sampling))
        return torch.cat(cut)


def _grid(boxes: Tensor, side: int, size: Sequence[int]) -> Float[Tensor, "n side side 2"]:
    """Where samples of boxes in cells stand, from -1 at the map's one edge to 1 at the other."""
    middles = (torch.arange(side, dtype=boxes.dtype, device=boxes.device) + 0.5) / side
    height, width = size
    x = boxes[:, 0, None] + middles * (boxes[:, 2] - boxes[:, 0])[:, None]
    y = boxes[:, 1, None] + middles * (boxes[:, 3] - boxes[:, 1])[:, None]
    x, y = (x * 2 / width - 1)[:, None].expand(-1, side, -1), (y * 2 / height - 1)[:, :, None].expand(-1, -1, side)
    return torch.stack([x, y], -1)

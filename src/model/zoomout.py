"""Zoom-out features: superpixels classified by what is in, around and beyond them (Mostajabi et al., 2015)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torchvision.ops import roi_align

from src.data.superpixels import superpixels as slic
from src.model.interface import Backbone


class Zoomout(nn.Module):
    """Each superpixel's features at nested levels, classified by a perceptron and painted back to its pixels.

    The levels: the superpixel itself, in every feature of the backbone; its neighbourhood, the mean of the deepest
    feature over the superpixel's bounding box and `margin` times its size around it; and the scene, the mean of the
    deepest feature over the image. Superpixels are made from the image as it comes, on the CPU and without a gradient;
    the backbone learns through their features. A pixel's loss counts as everywhere else, so that a superpixel weighs by
    its area; the paper balances the classes by their inverse frequency (`loss=weighted_cross_entropy`).

    Args:
        backbone: `backbone(in_channels=)` builds a `Backbone`.
        superpixels: about so many per image.
        compactness: of the superpixels, see `src.data.superpixels`.
        margin: the neighbourhood reaches so many times the superpixel's own height and width beyond it on each side.
        width: of the perceptron's two hidden layers.
        dropout: share dropped after each of them.
        in_channels: of the image.
        out_channels: of the answer.
    """

    def __init__(
        self,
        backbone: Callable[..., Backbone],
        superpixels: int = 300,
        compactness: float | int = 10,
        margin: float | int = 2,
        width: int = 1024,
        dropout: float = 0.5,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.backbone = backbone(in_channels=in_channels)
        self.superpixels, self.compactness, self.margin = superpixels, compactness, margin
        channels = sum(self.backbone.channels) + 2 * self.backbone.channels[-1]
        self.head = nn.Sequential(
            nn.BatchNorm1d(channels),  # the levels differ in scale; the paper, too, brings each feature to mean 0
            *(nn.Linear(channels, width), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            *(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            nn.Linear(width, out_channels),
        )

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size, the same for all pixels of a superpixel."""
        regions = [self._regions(one) for one in image]
        counts = [int(one.max()) + 1 for one in regions]
        features = self.backbone(image)
        zoomed = []
        for index, (region, count) in enumerate(zip(regions, counts, strict=True)):
            own = [feature[index] for feature in features]
            local = [_pooled(f, region, count, r) for f, r in zip(own, self.backbone.reductions, strict=True)]
            around = self._neighbourhood(own[-1], region, count)
            scene = own[-1].mean((1, 2)).expand(count, -1)
            zoomed.append(torch.cat([*local, around, scene], dim=1))
        scores = self.head(torch.cat(zoomed)).split(counts)
        painted = [score[region.to(image.device)] for score, region in zip(scores, regions, strict=True)]
        return torch.stack(painted).permute(0, 3, 1, 2)

    def _regions(self, image: Float[Tensor, "c h w"]) -> Int[Tensor, "h w"]:
        """On the meta device there is nothing to see: the grid."""
        seen = torch.zeros(image.shape, device="cpu") if image.is_meta else image.detach().float().cpu()
        return slic(seen, self.superpixels, self.compactness)

    def _neighbourhood(self, feature: Float[Tensor, "c i j"], region: Int[Tensor, "h w"], count: int) -> Tensor:
        low, high = _boxes(region, count)
        reach = self.margin * (high - low)
        limit = region.new_tensor(region.shape[::-1])
        boxes = torch.cat([(low - reach).clamp(min=0), torch.minimum(high + reach, limit)], dim=1)
        scaled = (boxes / self.backbone.reductions[-1]).to(feature)
        return roi_align(feature[None], [scaled], output_size=1, aligned=True).flatten(1)


def _pooled(
    feature: Float[Tensor, "c i j"], region: Int[Tensor, "h w"], count: int, reduction: int
) -> Float[Tensor, "n c"]:
    """The mean over each superpixel's pixels of the cell that each pixel lies in."""
    rows, columns = (torch.arange(length, device=region.device) // reduction for length in region.shape)
    cells = rows[:, None] * feature.shape[-1] + columns
    area = region.flatten().bincount(minlength=count)
    pairs, pixels = torch.unique(region * feature[0].numel() + cells, return_counts=True)
    owner, cell = pairs // feature[0].numel(), pairs % feature[0].numel()
    share = (pixels / area[owner]).to(feature)
    values = feature.flatten(1).T[cell.to(feature.device)] * share[:, None]
    return values.new_zeros(count, len(feature)).index_add(0, owner.to(feature.device), values)


def _boxes(region: Int[Tensor, "h w"], count: int) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 2"]]:
    """The first and the last edge of each superpixel, x and y, in pixels."""
    height, width = region.shape
    pixels = torch.arange(height * width, device=region.device)
    place = torch.stack([pixels % width, pixels // width], dim=1)
    index, nothing = region.flatten()[:, None].expand(-1, 2), place.new_zeros(count, 2)
    low = nothing.scatter_reduce(0, index, place, "amin", include_self=False)
    high = nothing.scatter_reduce(0, index, place + 1, "amax", include_self=False)
    return low.float(), high.float()

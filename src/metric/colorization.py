"""How near colours came: area under the curve of errors, plain and by colour, PSNR, SSIM and colourfulness."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.image import structural_similarity_index_measure as structural_similarity

from src.data.gamut import bins, centres
from src.data.lab import srgb

LARGEST = 150.0  # distance in the plane of a and b up to which errors are told apart (Deshpande et al., 2015)
_FINEST = (1 / 255) ** 2 / 12  # mean squared error of rounding to 8 bits
_WINDOW = 11  # pixels of SSIM's


class Colorization(Metric):
    """A score of the colours that lightness was given.

    Its state are sums: by bin of the true colour over the pixels of all images, and over the images. So any number of
    processes and any division into batches gives the same. All of them have equal states, so that one serves many.
    Grey images count as all others do. The sums are float64, which Apple's accelerators lack.
    """

    is_differentiable = False
    full_state_update = False
    errors: Tensor
    pixels: Tensor
    sums: Tensor
    images: Tensor

    def __init__(self, score: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], **options: Any) -> None:
        """Start at nothing.

        Args:
            score: (errors [313]: sums of distances up to 150 by the bin of the true colour; pixels int64 [313]; sums
                [4]: of squared differences of a and of b, and of the images' PSNR, SSIM and colourfulness; images
                int64 [2]: how many, and how many have an SSIM) -> what `compute` gives.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.score = score
        self.add_state("errors", torch.zeros(len(centres()), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pixels", torch.zeros(len(centres()), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("sums", torch.zeros(4, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros(2, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, output: Float[Tensor, " b 2 h w"], target: Float[Tensor, " n 3 i j"]) -> None:
        """Add a batch.

        Args:
            output: a and b.
            target: L, a and b; the output is given the same L.

        Raises:
            ValueError: the sizes differ.
        """
        if output.shape[-2:] != target.shape[-2:] or len(output) != len(target):
            raise ValueError(f"the output is {tuple(output.shape)} and the target {tuple(target.shape)}: sizes differ")
        output, target = output.float(), target.float()
        difference = output - target[:, 1:]
        distance = difference.double().square().sum(1).sqrt().clamp_max(LARGEST)
        place = bins(target[:, 1:]).flatten()
        self.errors = self.errors.index_add(0, place, distance.flatten())
        self.pixels = self.pixels.index_add(0, place, torch.ones_like(place))
        with torch.autocast(output.device.type, enabled=False):
            found, true = srgb(torch.cat([target[:, :1], output], 1)), srgb(target)
            similar = _similarity(found, true)
        psnr = -10 * (found - true).double().square().mean((1, 2, 3)).clamp_min(_FINEST).log10()
        known = ~similar.isnan()
        of_images = [psnr.sum(), similar.double().nansum(), colorfulness(found).double().sum()]
        self.sums += torch.stack([difference.double().square().sum(), *of_images])
        self.images += torch.stack([torch.ones_like(known).sum(), known.sum()])

    def compute(self) -> Tensor:
        """The score; NaN where there is nothing to score."""
        return self.score(self.errors, self.pixels, self.sums, self.images)


def colorfulness(image: Float[Tensor, " b 3 h w"]) -> Float[Tensor, " b"]:
    """Of sRGB images in [0, 1], from 0 (grey) over 33 (moderate) to 109 (extreme) (Hasler & Süsstrunk, 2003)."""
    red, green, blue = (255 * image).flatten(2).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue])
    spread = opponents.var(-1, correction=0).sum(0).sqrt()
    return spread + 0.3 * opponents.mean(-1).square().sum(0).sqrt()


def _similarity(found: Float[Tensor, " b 3 h w"], true: Float[Tensor, " b 3 h w"]) -> Float[Tensor, " b"]:
    """SSIM with a Gaussian window of 1.5 (Wang et al., 2004), mean of the channels; NaN where it does not fit."""
    if min(true.shape[-2:]) < _WINDOW:
        return true.new_full((len(true),), torch.nan)
    how = {"sigma": 1.5, "kernel_size": _WINDOW, "data_range": 1.0, "reduction": "none", "return_full_image": True}
    _, similar = structural_similarity(found, true, **how)
    edge = _WINDOW // 2  # where the window would reach beyond the image
    return similar[..., edge:-edge, edge:-edge].mean((1, 2, 3))


def auc(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """The share of pixels within a distance, averaged over all distances from 0 to 150 (Deshpande et al., 2015)."""
    return 1 - errors.sum() / pixels.sum() / LARGEST


def auc_rebalanced(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """The same with each pixel weighed by 1 / the share of its true colour's bin: the mean over the bins that occur."""
    return (1 - errors / pixels / LARGEST).nanmean()


def psnr(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """In dB, of sRGB, the mean over images; one that is exact counts as if rounded to 8 bits, 58.9."""
    return sums[1] / images[0]


def ssim(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """Of sRGB, the mean over the images that are at least 11 pixels high and wide."""
    return sums[2] / images[1]


def rmse_ab(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """The root of the mean squared difference over all pixels, of a and b alike."""
    return (sums[0] / (2 * pixels.sum())).sqrt()


def colourful(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """Colourfulness of the answers, the mean over images."""
    return sums[3] / images[0]


def count(errors: Tensor, pixels: Tensor, sums: Tensor, images: Tensor) -> Float[Tensor, ""]:
    """How many pixels there are."""
    return pixels.sum().to(sums)


SCORES = {
    "auc": auc,
    "auc_rebalanced": auc_rebalanced,
    "psnr": psnr,
    "ssim": ssim,
    "rmse_ab": rmse_ab,
    "colorfulness": colourful,
    "pixels": count,
}

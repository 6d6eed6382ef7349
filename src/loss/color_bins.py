"""Cross entropy over bins of colour, rare colours weighing more (Zhang et al., 2016)."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int64, Integer
from torch import Tensor, nn

from src.data.gamut import centres, code, encoding, smoothed
from src.loss.class_weights import make_room
from src.loss.nll import reduced
from src.loss.total import total

GREY = 5.0  # an image all of whose a and b are within this is grey, and says nothing about colours


class ColorBins(nn.Module):
    """-Σ q log p over the 313 bins, q the pixel's colour softly encoded, times the weight of its nearest bin.

    The weight is 1 / ((1 - uniform) · share + uniform / 313), scaled so that its mean over the training pixels is 1;
    the share of a bin in these, softly encoded, is what `calibrate_colors` is told. Grey images count nothing.

    Args:
        rebalance: whether rare colours weigh more; false is plain cross entropy.
        uniform: share of a uniform distribution that is mixed into that of the colours; 1 is no weight at all.
        neighbours: bins that a colour is encoded in.
        sigma: of the Gaussian by which it is spread over them, in units of a and b.

    Raises:
        ValueError: an argument is out of range.
    """

    prices = ("colorization",)
    weight: Tensor  # per bin; empty until it is known
    index: Tensor
    share: Tensor

    def __init__(
        self, rebalance: bool = True, uniform: float | int = 0.5, neighbours: int = 5, sigma: float | int = 5.0
    ) -> None:
        super().__init__()
        self.channels = len(centres())
        if not 0 < uniform <= 1:
            raise ValueError(f"loss.uniform={uniform} must lie above 0, where unseen colours would weigh all, up to 1")
        if not 1 <= neighbours <= self.channels:
            raise ValueError(
                f"loss.neighbours={neighbours}: there are {self.channels} bins, so say 1 to {self.channels}"
            )
        if not sigma > 0:
            raise ValueError(f"loss.sigma={sigma} must be above 0")
        self.rebalance, self.uniform, self.neighbours, self.sigma = rebalance, uniform, neighbours, sigma
        self.register_buffer("weight", torch.empty(0) if rebalance else torch.ones(self.channels))
        index, share = encoding(neighbours, sigma)
        self.register_buffer("index", index, persistent=False)
        self.register_buffer("share", share, persistent=False)

    @property
    def calibrated(self) -> bool:
        """Whether the weights are known; if they are not, `calibrate_colors` needs the training set's colours."""
        return len(self.weight) > 0

    def calibrate_colors(self, pixels: Integer[Tensor, " n"]) -> None:
        """Compute the weights, if they are asked for, from the training pixels of each code of `src.data.gamut`."""
        if self.rebalance:
            share = smoothed(pixels, self.neighbours, self.sigma)
            weight = 1 / ((1 - self.uniform) * share + self.uniform / self.channels)
            self.weight = (weight / (share * weight).sum()).to(self.weight)

    def forward(self, output: Float[Tensor, "b 313 h w"], ab: Float[Tensor, "b 2 h w"]) -> Float[Tensor, ""]:
        """The mean over the pixels of coloured images, in nats; 0 where all are grey.

        Raises:
            ValueError: the weights are not yet known.
        """
        if not self.calibrated:
            raise ValueError(
                "loss.rebalance weighs colours by the training set, which was not counted yet: call "
                "calibrate_colors(pixels), load a checkpoint, or say loss.rebalance=false"
            )
        worth = _colored(ab)[:, None, None].expand(-1, *ab.shape[-2:])
        return reduced(total(self._priced, output, code(ab), worth), self.total_weight(ab), "mean")

    def total_weight(self, ab: Float[Tensor, "b 2 h w"]) -> Integer[Tensor, ""]:
        """What the mean divides by: the pixels of coloured images."""
        return _colored(ab).sum() * (ab.shape[-2] * ab.shape[-1])

    def _priced(
        self, output: Float[Tensor, "1 k r w"], codes: Int64[Tensor, "1 r w"], worth: Bool[Tensor, "1 r w"]
    ) -> tuple[Float[Tensor, "1 r w"], Float[Tensor, "1 k r w"]]:
        """The weighted cross entropy of each pixel, as log Σ exp minus the few scores that it is encoded in, and its
        gradient, p - q."""
        index = self.index[codes].movedim(-1, 1)
        share = self.share[codes].movedim(-1, 1).to(output.dtype)
        p = output - output.amax(1, keepdim=True)
        score = (p.gather(1, index) * share).sum(1)
        size = p.exp_().sum(1, keepdim=True)
        weight = self.weight.to(p)[index[:, 0]] * worth
        slope = p.div_(size).scatter_add_(1, index, -share)
        return (size.log()[:, 0] - score) * weight, slope.mul_(weight[:, None])

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _colored(ab: Tensor) -> Tensor:
    return (ab.abs() > GREY).flatten(1).any(1)

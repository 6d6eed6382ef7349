"""How far predicted depth is off (Eigen et al., 2014, and what the literature has added since)."""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchmetrics import Metric

from src.metric.alignment import Align, aligned
from src.metric.count import same_shape
from src.metric.depth_window import Crop, window

Averaging = Literal["image", "pixel"]

SCORES = ("delta1", "delta2", "delta3", "abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog")


class Depth(Metric):
    """All scores of depth at once, p being predicted and g true, in metres; logs are natural but for log10.

    delta_k is the share of pixels with max(p/g, g/p) < 1.25^k; abs_rel the mean of |p - g| / g, sq_rel of
    (p - g)² / g; rmse and rmse_log are roots of the mean squared differences of depths and of their logs; log10 is the
    mean difference of decimal logs; silog is 100 √(mean d² - mean(d)²), d = log p - log g, which does not see a common
    factor. `pixels` says how many were scored.

    Which pixels: those whose true depth is known and within `cap`, inside the crop. Predictions are aligned, then
    clamped to `cap`; one that is not a number makes every error so, and no delta. Sums are float64, which Apple's
    accelerators lack, so that batches and processes add up.
    """

    is_differentiable = False
    full_state_update = False
    totals: Tensor
    images: Tensor
    pixels: Tensor

    def __init__(
        self,
        cap: Sequence[float | int] = (1e-3, 10.0),
        crop: str = "none",
        align: str = "none",
        averaging: str = "image",
        **options: Any,
    ) -> None:
        """Start at nothing.

        Args:
            cap: the least and the largest depth in metres; 1e-3 and 10 are usual for NYU, 1e-3 and 80 for KITTI.
            crop: see `window`.
            align: see `aligned`.
            averaging: `image` scores each image and takes the mean over those with a scored pixel, as most published
                figures do; `pixel` scores all pixels of all images as if they were one image's.
            options: see `torchmetrics.Metric`.

        Raises:
            ValueError: a cap that is no range, or an unknown word.
        """
        super().__init__(**options)
        if len(cap) != 2 or not 0 < cap[0] < cap[1] < math.inf:
            raise ValueError(f"cap={list(cap)} is no range of depths: give [low, high] in metres with 0 < low < high")
        for name, word, known in (("crop", crop, Crop), ("align", align, Align), ("averaging", averaging, Averaging)):
            if word not in get_args(known):
                raise ValueError(f"{name}={word!r}: say one of {', '.join(get_args(known))}")
        self.cap, self.crop, self.align, self.averaging = tuple(cap), crop, align, averaging
        length = len(SCORES) + (averaging == "pixel")
        self.add_state("totals", torch.zeros(length, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("pixels", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, output: Float[Tensor, " b 1 h w"], target: Float[Tensor, " b 1 i j"]) -> None:
        """Add a batch of depths in metres; a target of 0 is unknown. Raises ValueError where the shapes differ."""
        same_shape(output, target)
        part = (..., *window(self.crop, *target.shape[-2:]))
        pairs = zip(output[part].float().split(1), target[part].float().split(1), strict=True)
        sums = torch.cat([self._summed(*pair) for pair in pairs])  # an image stays in a processor's cache
        count = sums[:, 0]
        if self.averaging == "image":
            sums = torch.where(count[:, None] > 0, _scores(sums), 0)
        self.totals += sums.sum(0)
        self.images += (count > 0).sum()
        self.pixels += count.sum().long()

    def _summed(self, output: Tensor, target: Tensor) -> Tensor:
        scored = (target >= self.cap[0]) & (target <= self.cap[1])
        return _sums(aligned(output, target, scored, self.align).clamp(*self.cap), target, scored)

    def compute(self) -> dict[str, Float[Tensor, ""]]:
        """The scores and the number of pixels by name; NaN where no pixel was scored."""
        values = _scores(self.totals) if self.averaging == "pixel" else self.totals / self.images
        return dict(zip(SCORES, values, strict=True)) | {"pixels": self.pixels.double()}


def _sums(
    output: Float[Tensor, " b 1 h w"], target: Float[Tensor, " b 1 h w"], scored: Bool[Tensor, " b 1 h w"]
) -> Float[Tensor, " b 10"]:
    """Of each image the number of scored pixels, and the sums over them of what the scores are made of."""
    target = torch.where(scored, target, 1)
    output = torch.where(scored, output, target)  # there is no error where nothing is scored
    size = (output - target).abs()
    log = (output / target).log().double()  # silog is the difference of two nearly equal means
    relative = size / target
    ratio = torch.maximum(output, target) / torch.minimum(output, target)
    count = torch.count_nonzero(scored, (1, 2, 3))
    others = scored[0].numel() - count
    near = [torch.count_nonzero(ratio < 1.25**power, (1, 2, 3)) - others for power in (1, 2, 3)]
    parts = (relative, size * relative, size.square(), log.square(), log, log.abs())
    sums = [part.sum(3).sum((1, 2), dtype=torch.float64) for part in parts]  # rows in single precision, for speed
    return torch.stack([part.double() for part in (count, *near, *sums)], 1)


def _scores(sums: Float[Tensor, "*n 10"]) -> Float[Tensor, "*n 9"]:
    """The scores of one image, or of all pixels, from what `_sums` has; NaN where no pixel was scored."""
    means = (sums[..., 1:] / sums[..., :1]).unbind(-1)
    near, (abs_rel, sq_rel, square, log_square, log, size) = means[:3], means[3:]
    spread = (log_square - log.square()).clamp_min(0)
    errors = (abs_rel, sq_rel, square.sqrt(), log_square.sqrt(), size / math.log(10), 100 * spread.sqrt())
    return torch.stack([*near, *errors], -1)

"""Depth in the benchmark: its batch, the formulas that one would write oneself, and its scores."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.data.description import Description
from src.metric import suite

PLANES = 21  # images for each one of the batch, so that there are as many values as logits of that many classes
FORMULA, SCORED = "torch, the formula on the known pixels", "torch, image by image on the known pixels"


def batch(options: Mapping[str, Any], channels: int) -> tuple[Float[Tensor, "b 1 h w"], Float[Tensor, "b 1 h w"]]:
    """Log-depths, predicted and true; a twentieth of the rows and a fifth of the rest, in spots, are unknown."""
    count, size = PLANES * options["batch"], options["size"]
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(count, 1, *size, generator=generator)
    spots = torch.rand(count, 1, *(max(1, side // 16) for side in size), generator=generator) < 0.2
    target[F.interpolate(spots.float(), size) > 0] = torch.nan
    target[:, :, : size[0] // 20] = torch.nan
    return torch.randn(target.shape, generator=generator).requires_grad_(), target


def row(config: Mapping[str, Any]) -> Row:
    """All scores of a validation batch of the metric's size beside the usual function, called for each image."""
    count, size = config["metric"]["batch"], config["metric"]["size"]
    output, target = (tensor.detach().exp() for tensor in batch({"batch": 1, "size": size}, 1))
    output, target = output[:count], target[:count].nan_to_num(0)
    ours = suite.depth(Description(("image", "depth")))
    contestants = {"ours": lambda: ours.update(output, target), SCORED: partial(_scored, output, target)}
    clocks = interleaved(contestants, config["rounds"])
    wall = {"wall_theirs": clocks[SCORED].wall, "wall_ours": clocks["ours"].wall}
    what = f"all scores of depth, {'×'.join(map(str, output.shape))}"
    return Row(
        "metric", what, SCORED, clocks[SCORED].milliseconds(), clocks["ours"].milliseconds(), goal=1.0, more=wall
    )


def _scored(output: Tensor, target: Tensor) -> list[list[Tensor]]:
    return [_errors(*pair) for pair in zip(output, target, strict=True)]


def _errors(output: Tensor, target: Tensor) -> list[Tensor]:
    """Of one image: the nine scores as published code has them, with a mask."""
    known = (target > 1e-3) & (target < 10)
    p, g = output[known].clamp(1e-3, 10), target[known]
    ratio, log = torch.maximum(p / g, g / p), p.log() - g.log()
    return [
        *((ratio < 1.25**power).float().mean() for power in (1, 2, 3)),
        ((p - g).abs() / g).mean(),
        ((p - g) ** 2 / g).mean(),
        ((p - g) ** 2).mean().sqrt(),
        (log**2).mean().sqrt(),
        (p.log10() - g.log10()).abs().mean(),
        100 * ((log**2).mean() - log.mean() ** 2).sqrt(),
    ]


def _known(function: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor) -> Tensor:
    known = ~target.isnan()
    return function(output[known], target[known])


def _berhu(output: Tensor, target: Tensor) -> Tensor:
    size = (output - target).abs()
    bend = 0.2 * size.max().detach()
    return torch.where(size <= bend, size, (size**2 + bend**2) / (2 * bend)).mean()


def _silog(output: Tensor, target: Tensor) -> Tensor:
    d = output - target
    return (d.var(correction=0) + 0.15 * d.mean() ** 2).sqrt()


def _gradient(output: Tensor, target: Tensor) -> Tensor:
    known = ~target.isnan()
    d = torch.where(known, output - target, 0)
    steps = [slice(None, None, 2**scale) for scale in range(4)]
    sums = [4**scale * _differences(d[..., s, s], known[..., s, s], torch.abs) for scale, s in enumerate(steps)]
    return torch.stack(sums).sum() / known.sum()


def _eigen_fergus(output: Tensor, target: Tensor) -> Tensor:
    known = ~target.isnan()
    d, count = torch.where(known, output - target, 0), known.sum((1, 2, 3))
    slopes = torch.stack([_differences(*pair, torch.square) for pair in zip(d[:, None], known[:, None], strict=True)])
    squares = (d**2).sum((1, 2, 3)) / count
    return (squares - 0.5 * (d.sum((1, 2, 3)) / count) ** 2 + slopes / count).mean()


def _differences(d: Tensor, known: Tensor, size: Callable[[Tensor], Tensor]) -> Tensor:
    across = size(d[..., 1:] - d[..., :-1]) * (known[..., 1:] & known[..., :-1])
    down = size(d[..., 1:, :] - d[..., :-1, :]) * (known[..., 1:, :] & known[..., :-1, :])
    return across.sum() + down.sum()


def _sum(one: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor) -> Tensor:
    return one(output, target) + 0.5 * _gradient(output, target)


PEERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "berhu": partial(_known, _berhu),
    "eigen_fergus": _eigen_fergus,
    "gradient": _gradient,
    "l1": partial(_known, F.l1_loss),
    "l1_gradient": partial(_sum, partial(_known, F.l1_loss)),
    "l2": partial(_known, F.mse_loss),
    "silog": partial(_known, _silog),
    "silog_gradient": partial(_sum, partial(_known, _silog)),
}

"""The losses of other libraries that stand for one of ours, and what stands in their way."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from src.benchmark import colors, depths
from src.benchmark.machine import installed
from src.data.description import UNKNOWN

Loss = Callable[[Tensor, Tensor], Tensor]  # logits [b k h w], target [b h w] int64 -> scalar


def peers(name: str, num_classes: int) -> dict[str, Loss | None]:
    """Who else has the loss `name` of conf/loss; None for a library that is not installed.

    A peer may answer a little differently (smp's Dice has no `absent`, torchvision's focal loss is that of yes and
    no in every channel); it does the same work.
    """
    weight = torch.linspace(0.5, 2, num_classes)
    entropy = partial(F.cross_entropy, ignore_index=UNKNOWN)
    dice = _smp("DiceLoss", "multiclass")
    known: dict[str, dict[str, Loss | None]] = {
        **{depth: {depths.FORMULA: formula} for depth, formula in depths.PEERS.items()},
        "angle": {"torch, arccos of F.cosine_similarity": _arccos},
        "binary_cross_entropy": {
            "torch, one-hot": _binary,
            "smp SoftBCEWithLogitsLoss, one-hot": _of_planes(_smp("SoftBCEWithLogitsLoss")),
        },
        "color_bins": {colors.DENSE: colors.dense},
        "cosine": {"torch F.cosine_similarity": _cosine},
        "cross_entropy": {"torch F.cross_entropy": entropy, "smp": _smp("SoftCrossEntropyLoss", smooth_factor=0.0)},
        "cross_entropy_dice": {
            "torch and smp DiceLoss": dice and (lambda output, target: entropy(output, target) + dice(output, target)),
            "MONAI DiceCELoss": _monai("DiceCELoss"),
        },
        "dice": {"smp DiceLoss": dice, "MONAI DiceLoss": _monai("DiceLoss"), "kornia": _kornia("dice_loss")},
        "focal": {
            "torchvision, one-hot": _torchvision_focal,
            "torch, from F.cross_entropy": _focal,
            "smp FocalLoss": _smp("FocalLoss", "multiclass"),
            "kornia": _kornia("focal_loss", alpha=None),
        },
        "lovasz": {"smp LovaszLoss": _smp("LovaszLoss", "multiclass")},
        "ohem_cross_entropy": {"torch, F.cross_entropy and a sort": _ohem},
        "smooth_l1": {"torch F.smooth_l1_loss": _smooth_l1},
        "soft_dice": {"smp DiceLoss": dice, "MONAI DiceLoss, squared": _monai("DiceLoss", squared_pred=True)},
        "tversky": {
            "smp TverskyLoss": _smp("TverskyLoss", "multiclass", alpha=0.3, beta=0.7),
            "MONAI TverskyLoss": _monai("TverskyLoss", alpha=0.3, beta=0.7),
            "kornia": _kornia("tversky_loss", alpha=0.3, beta=0.7),
        },
        "weighted_cross_entropy": {"torch F.cross_entropy": partial(entropy, weight=weight)},
    }
    return known.get(name, {})


def _smp(name: str, *words: str, **options: float) -> Loss | None:
    if not installed("segmentation-models-pytorch"):
        return None
    from segmentation_models_pytorch import losses

    return getattr(losses, name)(*words, ignore_index=UNKNOWN, **options)


def _monai(name: str, **options: object) -> Loss | None:
    if not installed("monai"):
        return None
    from monai import losses

    loss = getattr(losses, name)(softmax=True, to_onehot_y=True, **options)
    return lambda output, target: loss(output, _known(target)[:, None])  # it cannot leave unknown pixels out


def _kornia(name: str, **options: object) -> Loss | None:
    if not installed("kornia"):
        return None
    from kornia import losses

    loss = partial(getattr(losses, name), **options)
    return lambda output, target: loss(output, _known(target)).mean()


def _of_planes(loss: Loss | None) -> Loss | None:
    """For a loss that wants the target as a plane per class."""
    return loss and (lambda output, target: loss(output, _one_hot(output, target)))


def _binary(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"]) -> Tensor:
    known = (target != UNKNOWN)[:, None].expand_as(output)
    losses = F.binary_cross_entropy_with_logits(output, _one_hot(output, target), known.float(), reduction="sum")
    return losses / known.sum()


def _torchvision_focal(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"]) -> Tensor:
    from torchvision.ops import sigmoid_focal_loss

    return (sigmoid_focal_loss(output, _one_hot(output, target)) * (target != UNKNOWN)[:, None]).mean()


def _focal(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"]) -> Tensor:
    nll = F.cross_entropy(output, target, ignore_index=UNKNOWN, reduction="none")
    return ((1 - torch.exp(-nll)) ** 2 * nll).sum() / (target != UNKNOWN).sum()


def _ohem(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"]) -> Tensor:
    nll = F.cross_entropy(output, target, ignore_index=UNKNOWN, reduction="none")
    nll = nll[target != UNKNOWN].sort(descending=True).values
    kept = max(int((nll > -torch.tensor(0.7).log()).sum()), min(100_000 * len(output), nll.numel()))
    return nll[:kept].mean()


def _arccos(output: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 h w"]) -> Tensor:
    cosine = F.cosine_similarity(output, target.nan_to_num(), dim=1)
    return cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()[~target.isnan().any(1)].mean()


def _cosine(output: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 h w"]) -> Tensor:
    return (1 - F.cosine_similarity(output, target.nan_to_num(), dim=1))[~target.isnan().any(1)].mean()


def _smooth_l1(output: Float[Tensor, "b 2 h w"], ab: Float[Tensor, "b 2 h w"]) -> Tensor:
    return F.smooth_l1_loss(output, ab / 110, beta=0.1)


def _one_hot(output: Tensor, target: Tensor) -> Tensor:
    return F.one_hot(_known(target), output.shape[1]).movedim(-1, 1).to(output.dtype)


def _known(target: Tensor) -> Tensor:
    return target.masked_fill(target == UNKNOWN, 0)

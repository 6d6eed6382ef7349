"""Cross entropy that weighs the gaps between objects more, by U-Net's weight map (Ronneberger et al., 2015)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, Integer
from scipy import ndimage
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.class_weights import inverse, make_room
from src.loss.nll import check_choice, reduced, softmax_nll
from src.loss.target import exclusive
from src.loss.total import total

_NEGLIGIBLE = 1e-4  # of w0: where the border's weight is less, it is left out


class BorderCrossEntropy(nn.Module):
    """-log p of each known pixel's class, times w = w_c + w0 · exp(-(d1 + d2)² / (2 sigma²)).

    d1 and d2 are a pixel's distances to the nearest object and to the second nearest, 0 within an object. Objects are
    the connected parts (over edges, not over corners) of each foreground class in the target itself, so that they
    follow every augmentation. Where there are fewer than two, w is w_c.

    Args:
        w0: weight of a pixel between two objects that touch.
        sigma: width of a border that still counts, in pixels of the target.
        balance: w_c is the inverse of the class's frequency, its mean over the pixels 1, which `calibrate` computes;
            without it w_c is 1.
        foreground: classes whose parts are objects; None: all but class 0.
        reduction: `mean` divides by the number of known pixels, `weighted_mean` by the sum of their weights, `sum`,
            as in the paper, not at all.

    Raises:
        ValueError: a number out of range, an unknown reduction, or no foreground.
    """

    prices = ("semantic",)

    weight: Tensor  # w_c per class; empty until it is known

    def __init__(
        self,
        w0: float = 10.0,
        sigma: float = 5.0,
        balance: bool = True,
        foreground: Sequence[int] | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "weighted_mean", "sum"))
        if not 0 <= w0 < math.inf:
            raise ValueError(f"loss.w0={w0} is a weight: it must be 0 or more")
        if not 0 < sigma < math.inf:
            raise ValueError(f"loss.sigma={sigma} is a distance in pixels: it must be more than 0")
        if foreground is not None and (not foreground or min(foreground) < 0):
            raise ValueError(f"loss.foreground={list(foreground)}: give one class index or more, or null for all but 0")
        self.w0, self.sigma, self.balance, self.reduction = w0, sigma, balance, reduction
        self.foreground = None if foreground is None else tuple(foreground)
        self.register_buffer("weight", torch.zeros(0))

    @property
    def calibrated(self) -> bool:
        """Whether w_c is known; if it is not, `calibrate` needs the training set's frequencies."""
        return len(self.weight) > 0 or not self.balance

    def calibrate(self, pixels: Integer[Tensor, " k"], image_pixels: Integer[Tensor, " k"]) -> None:
        """Compute w_c from each class's pixels, if it is wanted; those of the images it is in do not matter here."""
        if self.balance:
            self.weight = inverse(pixels).to(self.weight)

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known.

        Raises:
            ValueError: overlapping masks, a w_c that is not yet known or counted other classes, or a foreground class
                that the output lacks.
        """
        target = exclusive(output, target, "border_cross_entropy")
        self._check(output.shape[1])
        weights = self.weights(target)
        weight = weights.sum() if self.reduction == "weighted_mean" else (target != UNKNOWN).sum()
        return reduced(total(_weighted_nll, output, target, weights), weight, self.reduction)

    def total_weight(self, target: Integer[Tensor, "b h w"]) -> Float[Tensor, ""] | Integer[Tensor, ""]:
        """What the mean over these pixels divides by: the known ones, or with `weighted_mean` their weights."""
        return self.weights(target).sum() if self.reduction == "weighted_mean" else (target != UNKNOWN).sum()

    @torch.compiler.disable
    def weights(self, target: Integer[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
        """The paper's map w: the weight of each pixel, 0 where it is unknown."""
        known = target != UNKNOWN
        images = target.cpu().numpy()
        borders = np.stack([border(image, self.w0, self.sigma, self.foreground) for image in images])
        weights = torch.from_numpy(borders).to(target.device)
        if len(self.weight):
            index = target.clamp_max(len(self.weight) - 1).long()  # some class stands in for the unknown one
            weights += self.weight.gather(0, index.flatten()).view_as(weights)
        else:
            weights += 1
        return weights * known

    def _check(self, num_classes: int) -> None:
        if not self.calibrated:
            raise ValueError(
                "loss.balance=true is computed from the training set, which was not counted yet: "
                "call calibrate(pixels, image_pixels), load a checkpoint, or say loss.balance=false"
            )
        if self.balance and len(self.weight) != num_classes:
            raise ValueError(f"loss.balance=true counted {len(self.weight)} classes, the output has {num_classes}")
        if self.foreground and max(self.foreground) >= num_classes:
            raise ValueError(f"loss.foreground={list(self.foreground)}: the classes here are 0 to {num_classes - 1}")

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)


def border(
    mask: Integer[np.ndarray, "h w"], w0: float, sigma: float, foreground: Sequence[int] | None = None
) -> Float32[np.ndarray, "h w"]:
    """w0 · exp(-(d1 + d2)² / (2 sigma²)) of each pixel of a class map; 0 where that is less than w0 / 10000."""
    reach = sigma * math.sqrt(-2 * math.log(_NEGLIGIBLE))  # the largest d1 + d2 that counts
    first, second = (np.full(mask.shape, np.inf, np.float32) for _ in range(2))
    for there, box in _objects(mask, foreground, math.ceil(reach)):
        distance = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        np.minimum(second[box], np.maximum(first[box], distance), out=second[box])
        np.minimum(first[box], distance, out=first[box])
    distance = first + second
    return np.where(distance <= reach, w0 * np.exp(-(distance**2) / (2 * sigma**2)), 0).astype(np.float32)


def _objects(
    mask: np.ndarray, foreground: Sequence[int] | None, margin: int
) -> Iterator[tuple[np.ndarray, tuple[slice, slice]]]:
    """Where each object is, within a box that is `margin` pixels wider than it on each side, and that box."""
    classes = set(np.unique(mask).tolist()) - {UNKNOWN}
    for index in sorted(classes - {0} if foreground is None else classes & set(foreground)):
        parts, _ = ndimage.label(mask == index)
        for number, tight in enumerate(ndimage.find_objects(parts), 1):
            box = tuple(slice(max(0, side.start - margin), side.stop + margin) for side in tight)
            yield parts[box] == number, box


def _weighted_nll(
    output: Tensor, target: Tensor, weights: Float[Tensor, "b h w"]
) -> tuple[Float[Tensor, "b h w"], Float[Tensor, "b k h w"]]:
    """What `total` asks for: each pixel's loss and its gradient by the scores."""
    nll, slope = softmax_nll(output, target)
    return nll * weights, slope.mul_(weights[:, None])

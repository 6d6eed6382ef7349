"""Cross entropy with a weight per output channel: given, published, or computed from the training set."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.class_weights import SEGNET, effective_number, inverse, make_room, median_frequency
from src.loss.nll import check_choice, reduced, softmax_nll
from src.loss.target import exclusive
from src.loss.total import total


class WeightedCrossEntropy(nn.Module):
    """-log p of each known pixel's class, times the weight of that class.

    Args:
        weights: a number per class; or `inverse`, `median_frequency` or `effective_number`, which `calibrate`
            computes; or `segnet`, the constants published for CamVid's 11 classes.
        reduction: `mean` divides by the number of known pixels, `weighted_mean` by the sum of their weights as
            torch does, `sum` not at all.
        beta: of `effective_number`. What is counted here are pixels, so it is nearer to 1 than for images.
        power: of what is computed from the training set; 0.5 tempers it (Mahajan et al., 2018), 0 is no weight at all.

    Raises:
        ValueError: unknown words, negative weights, or a beta outside (0, 1) or a negative power.
    """

    prices = ("semantic",)

    weight: Tensor  # per class; empty until it is known

    def __init__(
        self,
        weights: str | Sequence[float] = "median_frequency",
        reduction: str = "mean",
        beta: float = 0.999999,
        power: float = 1.0,
    ) -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "weighted_mean", "sum"))
        if not 0 < beta < 1:
            raise ValueError(f"loss.beta={beta} must lie between 0 and 1, both excluded")
        if not 0 <= power < float("inf"):
            raise ValueError(f"loss.power={power} must be 0 or more")
        self.rule = weights if isinstance(weights, str) else "given"
        check_choice("weights", self.rule, ("inverse", "median_frequency", "effective_number", "segnet", "given"))
        self.reduction = reduction
        self.beta, self.power = beta, power
        self.register_buffer("weight", torch.tensor(_known_now(weights), dtype=torch.float32))

    @property
    def calibrated(self) -> bool:
        """Whether the weights are known; if they are not, `calibrate` needs the training set's frequencies."""
        return len(self.weight) > 0

    def calibrate(self, pixels: Integer[Tensor, " k"], image_pixels: Integer[Tensor, " k"]) -> None:
        """Compute the weights, if the rule asks for it, from each class's pixels and those of the images it is in.

        Raises:
            ValueError: the weights were given for another number of classes.
        """
        match self.rule:
            case "inverse":
                weight = inverse(pixels)
            case "median_frequency":
                weight = median_frequency(pixels, image_pixels)
            case "effective_number":
                weight = effective_number(pixels, self.beta)
            case _:
                weight = self.weight
        if self.rule not in ("given", "segnet"):
            weight = torch.where(weight > 0, weight**self.power, 0)  # a class that never occurs stays without
        self.weight = weight.to(self.weight)
        self._check(len(pixels))

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known.

        Raises:
            ValueError: overlapping masks, weights that are not yet known, or not as many as the output has channels.
        """
        target = exclusive(output, target, "weighted_cross_entropy")
        self._check(output.shape[1])
        rows = partial(softmax_nll, weight=self.weight)
        return reduced(total(rows, output, target), self.total_weight(target), self.reduction)

    def total_weight(self, target: Integer[Tensor, "b h w"]) -> Float[Tensor, ""] | Integer[Tensor, ""]:
        """What the mean over these pixels divides by: the known ones, or with `weighted_mean` their weights.

        Batches whose means are averaged with these as weights give the mean of all. A loss without such a method
        divides by the known pixels.
        """
        known = target != UNKNOWN
        if self.reduction != "weighted_mean":
            return known.sum()
        index = target.clamp_max(len(self.weight) - 1).flatten().long()  # some class stands in for the unknown one
        return (self.weight.gather(0, index) * known.flatten()).sum()

    def _check(self, num_classes: int) -> None:
        if not self.calibrated:
            raise ValueError(
                f"loss.weights={self.rule} is computed from the training set, which was not counted yet: "
                "call calibrate(pixels, image_pixels), load a checkpoint, or give a list of weights"
            )
        if len(self.weight) != num_classes:
            better = "they are CamVid's; take median_frequency" if self.rule == "segnet" else "give one per class"
            raise ValueError(
                f"loss.weights={self.rule} are {len(self.weight)} weights for {num_classes} classes: {better}"
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        make_room(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _known_now(weights: str | Sequence[float]) -> list[float]:
    if isinstance(weights, str):
        return list(SEGNET) if weights == "segnet" else []
    if not weights or min(weights) < 0:
        raise ValueError(f"loss.weights={list(weights)}: give one weight of 0 or more per class")
    return list(weights)

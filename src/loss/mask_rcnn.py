"""Mask R-CNN's loss (He et al., 2017): what the proposals, the boxes, the masks and the keypoints cost, weighted."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.data.description import UNSEEN

TERMS = ("objectness", "rpn_box", "class", "box", "mask", "keypoint")


class MaskRCNN(nn.Module):
    """Σ weight · term, over the terms that the detector has.

    A mask's term is of the right class's logits alone, so that classes do not compete; a keypoint's is a softmax over
    the cells of its map.

    Args:
        weights: by term; those not said weigh 1.
        mask: loss of the masks, `mask(logits, target) -> scalar`; None for the mean binary cross entropy.

    Raises:
        ValueError: a weight without a term.
    """

    prices = ("instance", "keypoint")

    def __init__(self, weights: Mapping[str, float] | None = None, mask: nn.Module | None = None) -> None:
        super().__init__()
        strangers = set(weights or {}) - set(TERMS)
        if strangers:
            raise ValueError(f"loss.weights names {sorted(strangers)}: the terms are {', '.join(TERMS)}")
        self.weights = dict.fromkeys(TERMS, 1.0) | dict(weights or {})
        self.mask = mask or nn.BCEWithLogitsLoss()

    def terms(self, output: Mapping[str, Any]) -> dict[str, Float[Tensor, ""]]:
        """Each term by its name, before it is weighted.

        Args:
            output: of a detector in training: scalars, and for `mask` and `keypoint` logits with their targets.
        """
        found = dict(output)
        if "mask" in found:
            found["mask"] = _mean(self.mask, *found["mask"])
        if "keypoint" in found:
            found["keypoint"] = _mean(_places, *found["keypoint"])
        return found

    def forward(self, output: Mapping[str, Any]) -> Float[Tensor, ""]:
        """The weighted sum of the terms."""
        return sum(self.weights[name] * term for name, term in self.terms(output).items())


def _mean(loss: Any, logits: Tensor, target: Tensor) -> Tensor:
    """The loss, or 0 with a gradient of 0 where there is nothing that it could be the mean of."""
    nothing = target.numel() == 0 or (not target.is_floating_point() and bool((target == UNSEEN).all()))
    return logits.sum() * 0 if nothing else loss(logits, target)


def _places(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(2).flatten(0, 1), target.flatten(), ignore_index=UNSEEN)

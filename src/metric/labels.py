"""The most probable class of every pixel."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def labels(logits: Float[Tensor, " b k h w"]) -> UInt8[Tensor, " b h w"]:
    """The class with the largest logit, the first of equals, in the type that the scores count fastest.

    On a CPU torch's argmax walks through the classes of one pixel after another; where they lie planes apart in
    memory, a running maximum over whole planes does the same several times faster. k is at most 255.
    """
    logits = logits.detach()
    if logits.device.type != "cpu" or not logits.is_contiguous():
        return logits.max(1).indices.byte()
    return torch.stack([_leaders(planes) for planes in logits])


def _leaders(planes: Tensor) -> Tensor:
    best = planes[0].clone()
    leader = torch.zeros(best.shape, dtype=torch.uint8)
    for index in range(1, len(planes)):
        ahead = planes[index] > best
        torch.maximum(best, planes[index], out=best)
        torch.maximum(leader, ahead.view(torch.uint8) * index, out=leader)  # later classes have larger numbers
    return leader

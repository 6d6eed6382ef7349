"""What every loss asks of its target before it reads it."""

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from src.data.description import UNKNOWN


def matched(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "..."]) -> Integer[Tensor, "b ..."]:
    """The target if it fits the output: [b h w] of classes, or [b k h w] of 0 and 1 where masks overlap.

    Classes beside an output of one channel become [b 1 h w]: class 1 is the foreground.

    Raises:
        ValueError: the shapes differ, or (seen on a CPU; an accelerator would have to wait for the answer) a value
            is neither a class nor 255, the unknown one.
    """
    images, channels, height, width = output.shape
    if target.shape not in ((images, height, width), output.shape):
        raise ValueError(
            f"the target has shape {tuple(target.shape)}, the output {tuple(output.shape)}: the target must be "
            f"{(images, height, width)} for one class per pixel or {tuple(output.shape)} for overlapping masks"
        )
    single = target.ndim == 3
    if single and channels == 1:
        target = target[:, None]
    if target.device.type == "cpu":
        for image in target:
            _check(image, channels if single and channels > 1 else 2)
    return target


def exclusive(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "..."], name: str) -> Integer[Tensor, "b h w"]:
    """The target if it fits the output and gives each pixel one of two or more classes.

    Raises:
        ValueError: as `matched` does, or the masks overlap, or the output has one channel.
    """
    if target.ndim == output.ndim or output.shape[1] == 1:
        raise ValueError(
            f"{name} needs one class per pixel and a channel per class, not a target {tuple(target.shape)} beside an "
            f"output {tuple(output.shape)}: use binary_cross_entropy, focal, dice, soft_dice, tversky or lovasz"
        )
    return matched(output, target)


def yes_and_known(
    output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]
) -> tuple[Float[Tensor, "b k h w"], Float[Tensor, "b ... h w"]]:
    """1 where the channel's answer is yes, and 1 where it is known at all: meant for a few rows of a target.

    What is not known may say yes.
    """
    if target.ndim == output.ndim:  # of 0, 1 and 255 the last bit says yes and the first unknown: faster than bools
        return (target & 1).to(output.dtype), (1 - (target >> 7)).to(output.dtype)
    known = (target != UNKNOWN)[:, None].to(output.dtype)
    return torch.zeros_like(output).scatter_(1, class_index(target, output.shape[1]), 1), known


def class_index(target: Integer[Tensor, "b h w"], num_classes: int) -> Integer[Tensor, "b 1 h w"]:
    """The target as an index into the channels, valid everywhere: the last class stands in for the unknown one."""
    return target.clamp_max(num_classes - 1)[:, None].long()


def _check(values: Tensor, num_classes: int) -> None:
    if values.dtype == torch.uint8 and (values + 1).max() <= num_classes:  # quick, since 255 + 1 is 0 there
        return
    wrong = (values >= num_classes) & (values != UNKNOWN) | (values < 0)
    if wrong.any():
        raise ValueError(
            f"the target holds {values[wrong][0].item()}, but the classes here are 0 to {num_classes - 1}, and "
            f"{UNKNOWN} is unknown: map it to one of these where the dataset is read"
        )

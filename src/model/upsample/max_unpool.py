"""Max-unpooling: values return to where the maxima stood (Zeiler and Fergus, 2014)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


class MaxUnpool(nn.Module):
    """Each value goes to its pooling's place of the maximum, all other cells are zero; nothing is learned.

    A map with another number of channels than were pooled uses the places of the first of them, over and over: SegNet
    and DeconvNet have as many, a decoder of another kind rarely. Windows that overlap, as AlexNet's, may name one place
    twice: it then holds one of their values, always the same one on a CPU or where torch is told to be deterministic.

    Raises:
        ValueError: `scale` is not 2, or, on a forward pass, there is no pooling to undo.
    """

    unpools = True

    def __init__(self, *, channels: int, scale: int) -> None:
        super().__init__()
        if scale != 2:
            raise ValueError(
                f"model/upsample=max_unpool undoes a pooling by 2, and this decoder enlarges by {scale} at once: take "
                "one that goes step by step, such as model/decoder=unet, or another upsampling, such as bilinear"
            )

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        if pool is None:
            raise ValueError(
                f"model/upsample=max_unpool: the backbone did not pool on its way from a map of {tuple(size)} to "
                f"{tuple(x.shape[-2:])}: let the decoder stop before it, with fewer model.decoder.widths, or take "
                "another upsampling, such as model/upsample=bilinear"
            )
        places = pool.indices
        if places.shape[1] != x.shape[1]:
            places = places[:, torch.arange(x.shape[1], device=x.device) % places.shape[1]]
        if torch.are_deterministic_algorithms_enabled():  # the operator below is not offered then, on any device
            empty = x.new_zeros(*x.shape[:2], pool.size[0] * pool.size[1])
            return empty.scatter(2, places.flatten(2), x.flatten(2)).unflatten(2, pool.size)
        return F.max_unpool2d(x, places, kernel_size=2, output_size=pool.size)

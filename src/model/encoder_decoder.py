"""A dense model made of four parts: backbone, decoder, upsampling operator and head."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Backbone, Decoder, Upsample


class EncoderDecoder(nn.Module):
    """Completes its parts with the numbers they lack and answers at the image's own size, whatever it is.

    Args:
        backbone: `backbone(in_channels=)` builds a `Backbone`.
        decoder: `decoder(channels=, reductions=, out_channels=, upsample=)` builds a `Decoder`.
        upsample: `upsample(channels=, scale=)` builds an `Upsample`; the decoder uses it.
        head: `head(in_channels=, out_channels=)` builds what turns the decoder's map into the answer.
        in_channels: of the image.
        out_channels: of the answer.

    Raises:
        ValueError: the decoder or the head cannot use what stands before it; the message says what would fit.
    """

    def __init__(
        self,
        backbone: Callable[..., Backbone],
        decoder: Callable[..., Decoder],
        upsample: Callable[..., Upsample],
        head: Callable[..., nn.Module],
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.backbone = backbone(in_channels=in_channels)
        self.unpools = unpooled(upsample, self.backbone)
        self.decoder = decoder(
            channels=self.backbone.channels,
            reductions=self.backbone.reductions,
            out_channels=out_channels,
            upsample=upsample,
        )
        self.head = head(in_channels=self.decoder.channels, out_channels=out_channels)
        check_head(self.head, self.decoder, out_channels)
        if self.unpools:
            tried(self, in_channels)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] -> the head's answer per pixel."""
        height, width = image.shape[-2:]
        features, pools = self.backbone.pooled(image) if self.unpools else (self.backbone(image), {})
        return enlarged(self.head(self.decoder(features, pools)), self.decoder.reduction, (height, width))


def enlarged(x: Float[Tensor, "b k _ _"], reduction: int, size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
    """A map at 1/reduction of the image at the image's size; where sizes were rounded up, the rest is cut off."""
    if reduction > 1:
        x = F.interpolate(x, scale_factor=reduction, mode="bilinear")
    return x[..., : size[0], : size[1]]


def unpooled(upsample: Callable[..., Upsample], backbone: Backbone) -> bool:
    """Whether the upsampling undoes max-poolings. Raises ValueError where the backbone has none that can be undone."""
    unpools = getattr(_class(upsample), "unpools", False)
    if unpools and not hasattr(backbone, "pooled"):
        raise ValueError(
            "model/upsample=max_unpool undoes the max-poolings of a backbone, and this one has none that can be "
            "undone: take model/backbone=vgg16, alexnet or plain, or an upsampling such as model/upsample=bilinear"
        )
    return unpools


def check_head(head: nn.Module, decoder: Decoder, out_channels: int) -> None:
    """Raise ValueError if the head passes on what the decoder gives, and that is not the answer's channels."""
    if isinstance(head, nn.Identity) and decoder.channels != out_channels:
        raise ValueError(
            f"model/head=identity passes on the decoder's {decoder.channels} channels, but the task needs "
            f"{out_channels}: take model/head=conv, or a decoder that gives scores, such as fcn8s"
        )


@torch.no_grad()
def tried(model: nn.Module, in_channels: int) -> None:
    """Let an unpooling step that finds no pooling say so now, not in the first training step."""
    side = 2 * model.backbone.reductions[-1]
    device = next(model.parameters()).device
    model.eval()(torch.zeros(1, in_channels, side, side, device=device))
    model.train()


def _class(partial: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    return getattr(partial, "func", partial)

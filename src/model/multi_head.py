"""A dense model for several fields at once: one backbone, and a map for each field (Eigen & Fergus, 2015)."""

from collections.abc import Callable, Mapping
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from src.model.encoder_decoder import check_head, enlarged, tried, unpooled
from src.model.interface import Backbone, Decoder, Upsample


class MultiHead(nn.Module):
    """As `EncoderDecoder`, with a head per field on a decoder that all share, or a decoder and a head per field.

    What the fields have in common passes through `shared`, where those who compare the fields' gradients listen.

    Args:
        backbone, decoder, upsample, head: as of `EncoderDecoder`.
        share: how far the fields go together: to the backbone's features, or to the decoder's map.
        in_channels: of the image.
        out_channels: of each field's map by name; of one field without a name a number.

    Raises:
        ValueError: parts do not fit; the message says what would.
    """

    def __init__(
        self,
        backbone: Callable[..., Backbone],
        decoder: Callable[..., Decoder],
        upsample: Callable[..., Upsample],
        head: Callable[..., nn.Module],
        share: Literal["backbone", "decoder"] = "decoder",
        *,
        in_channels: int,
        out_channels: int | Mapping[str, int],
    ) -> None:
        super().__init__()
        channels = {"map": out_channels} if isinstance(out_channels, int) else dict(out_channels)
        self.alone, self.share = isinstance(out_channels, int), share
        self.backbone = backbone(in_channels=in_channels)
        self.unpools = unpooled(upsample, self.backbone)
        self.shared = nn.Identity()
        widths = channels if share == "backbone" else {"shared": sum(channels.values())}
        numbers = {"channels": self.backbone.channels, "reductions": self.backbone.reductions, "upsample": upsample}
        self.decoders = nn.ModuleDict({name: decoder(out_channels=k, **numbers) for name, k in widths.items()})
        self.heads = nn.ModuleDict()
        for field, k in channels.items():
            last = self._decoder(field)
            self.heads[field] = head(in_channels=last.channels, out_channels=k)
            check_head(self.heads[field], last, k)
        if self.unpools:
            tried(self, in_channels)

    def forward(
        self, image: Float[Tensor, "b c h w"]
    ) -> dict[str, Float[Tensor, "b _ h w"]] | Float[Tensor, "b k h w"]:
        """Image in [0, 1] -> each field's map at its size; of one field without a name that map."""
        features, pools = self.backbone.pooled(image) if self.unpools else (self.backbone(image), {})
        if self.share == "backbone":
            features = self.shared(features)
            found = {field: self._decoder(field)(features, pools) for field in self.heads}
        else:
            found = dict.fromkeys(self.heads, self.shared(self.decoders["shared"](features, pools)))
        size = tuple(image.shape[-2:])
        maps = {
            field: enlarged(head(found[field]), self._decoder(field).reduction, size)
            for field, head in self.heads.items()
        }
        return maps["map"] if self.alone else maps

    def _decoder(self, field: str) -> Decoder:
        return self.decoders[field if self.share == "backbone" else "shared"]

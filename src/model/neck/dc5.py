"""The deepest feature at ÷16, its stage dilated instead of strided (Dai et al., 2016; Chen et al., 2018)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Backbone, listed

REDUCTION = 16


class Dc5(nn.Module):
    """One level: the backbone's last feature, made narrower.

    Args:
        width: channels of the 1×1 convolution; None for the feature as it is.

    Raises:
        ValueError: the last feature is not at ÷16.
    """

    def __init__(self, width: int | None = 256, *, backbone: Backbone) -> None:
        super().__init__()
        if backbone.reductions[-1] != REDUCTION:
            raise ValueError(
                f"model/neck=dc5 reads the backbone's last feature at ÷16, and this one gives "
                f"{listed(backbone.reductions)}: say model.backbone.output_stride=16 (of timm's networks "
                "+model.backbone.options.output_stride=16), or take model/neck=fpn"
            )
        self.channels = self.out_channels = width or backbone.channels[-1]
        self.reductions, self.levels = [REDUCTION], 1
        self.stage, self.stride = nn.Identity(), 1
        self.lateral = nn.Conv2d(backbone.channels[-1], width, kernel_size=1) if width else nn.Identity()

    def forward(self, features: list[Tensor]) -> dict[str, Float[Tensor, "b c _ _"]]:
        """The backbone's features -> the last of them."""
        return {"0": self.lateral(features[-1])}
